"""examples/node reads and refuses the model files that the format page says, and WAV files; needs no npm."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import soundfile
from onnx import TensorProto, helper

from osscl.model_file import protobuf
from osscl.model_file.bundle import Bundle, graph_sha256, read_bundle
from support.format_changes import (
    ACCEPTED_DOCUMENTS,
    READ,
    REFUSED,
    REFUSED_DOCUMENTS,
    manifest_text,
    with_document,
)

NODE = shutil.which("node")
OLDEST_NODE = 20
SCRIPT = Path(__file__).with_name("read_files.mjs")
HANGS_AFTER_S = 600
RATE_HZ, N_READ = 16_000, 8


def read_all(folder: Path, *channel: int) -> dict[str, Any]:
    """What node makes of each file in a folder: the refusal of each, or null; samples of recordings."""
    if NODE is None:
        pytest.skip("node is not installed (apt-get install nodejs npm)")
    version = subprocess.run([NODE, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.strip().lstrip("v").split(".")[0]) < OLDEST_NODE:
        pytest.skip(f"node is {version.strip()}; the examples need {OLDEST_NODE} or newer")
    command = [NODE, str(SCRIPT), str(folder), *map(str, channel)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HANGS_AFTER_S, check=False)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


@pytest.fixture(scope="module")
def demo() -> Bundle:
    return read_bundle("demo")


def test_containers(demo: Bundle, tmp_path: Path) -> None:
    said = dict(enumerate((*READ, *REFUSED)))
    for number, name in said.items():
        (tmp_path / f"{number}.onnx").write_bytes(({**READ, **REFUSED}[name])(demo.model))
    found = read_all(tmp_path)
    for number, name in said.items():
        assert (found[f"{number}.onnx"] is None) == (name in READ), (name, found[f"{number}.onnx"])


def test_documents(demo: Bundle, tmp_path: Path) -> None:
    text, edits = manifest_text(demo), {**ACCEPTED_DOCUMENTS, **REFUSED_DOCUMENTS}
    said = dict(enumerate(edits))
    for number, name in said.items():
        assert edits[name](text) != text
        (tmp_path / f"{number}.onnx").write_bytes(with_document(demo.model, edits[name](text)))
    found = read_all(tmp_path)
    for number, name in said.items():
        refusal = found[f"{number}.onnx"]
        assert (refusal is None) == (name in ACCEPTED_DOCUMENTS), (name, refusal)


def test_what_contradicts_the_page(demo: Bundle, tmp_path: Path) -> None:
    text = manifest_text(demo)
    graph_hash = json.loads(text)["graph_sha256"]
    newer = text.replace('"schema_version":4', '"schema_version":7')
    no_hash = text.replace('"checkpoint":{"sha256":"', '"checkpoint":{"sha256":"G')
    changes = {
        "schema 7 is newer than 6; update this program": newer,
        'has a field "odd", unknown in schema 4': f'{{"odd":1,{text[1:]}',
        "has no field licence": text.replace('"licence":"Apache-2.0",', ""),
        'expected "basic" or "leaky_relu" or "none"': text.replace('"head":"basic"', '"head":"tall"'),
        "expected 64 hexadecimal digits": no_hash,
        "contradicts itself: inputs and outputs": text.replace('["batch",48]', '["batch",47]'),
        "the graph is not the one whose hash": text.replace(graph_hash, graph_hash[::-1]),
        "finite numbers in base64": text.replace('"event":"', '"event":"AAAA'),
    }
    for number, changed in enumerate(changes.values()):
        assert changed != text
        (tmp_path / f"{number}.onnx").write_bytes(with_document(demo.model, changed))
    found = read_all(tmp_path)
    for number, said in enumerate(changes):
        assert said in str(found[f"{number}.onnx"])
        assert str(found[f"{number}.onnx"]).count("\n") == 0


def changed_graph(demo: Bundle, change: Any) -> bytes:
    """A model whose graph was changed, with the hash of the new one."""
    model = onnx.load_from_string(demo.model)
    text = manifest_text(demo)
    change(model)
    content = model.SerializeToString()
    return with_document(content, text.replace(demo.graph_sha256, graph_sha256(content)))


def outside(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].external_data.add(key="location", value="elsewhere")


def a_loop(model: onnx.ModelProto) -> None:
    inner = helper.make_graph([], "inner", [], [])
    model.graph.node.append(helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner))


def a_function(model: onnx.ModelProto) -> None:
    model.functions.add(name="own", domain="mine")


def sparse(model: onnx.ModelProto) -> None:
    model.graph.sparse_initializer.add()


def boundless(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(helper.make_tensor("far", TensorProto.INT64, [2], [2**20, 2**20]))
    model.graph.node.append(helper.make_node("Expand", ["log_mel", "far"], ["wide"]))


def endless(model: onnx.ModelProto) -> None:
    shape = [2**14, 2**14]
    model.graph.node.append(helper.make_node("AveragePool", ["log_mel"], ["wide"], kernel_shape=shape))


def hollow(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(TensorProto(name="hollow", data_type=1, dims=[2**40], raw_data=b"1234"))


def renamed(model: onnx.ModelProto) -> None:
    model.graph.output[0].name = "other"


GRAPHS = {
    "a tensor lies in another file": outside,
    "the model holds a graph where none": a_loop,
    "the model holds a function where none": a_function,
    "the model holds a sparse tensor where none": sparse,
    "a node Expand asks for a size of 1099511627776": boundless,
    "a node AveragePool asks for a size of 268435456": endless,
    "a constant states the shape [1099511627776]": hollow,
    "outputs of the graph are other": renamed,
}


def test_graphs(demo: Bundle, tmp_path: Path) -> None:
    for number, change in enumerate(GRAPHS.values()):
        (tmp_path / f"{number}.onnx").write_bytes(changed_graph(demo, change))
    found = read_all(tmp_path)
    for number, said in enumerate(GRAPHS):
        assert str(found[f"{number}.onnx"]).startswith(said)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT"])
@pytest.mark.parametrize("container", ["WAV", "WAVEX"])
def test_recordings_are_read(tmp_path: Path, subtype: str, container: str) -> None:
    samples = np.random.default_rng(5).uniform(-1, 1, (1000, 2)).astype(np.float32)
    path = tmp_path / "clip.wav"
    soundfile.write(path, samples, RATE_HZ, subtype=subtype, format=container)
    expected = soundfile.read(path, dtype="float32")[0]
    assert read_all(tmp_path, 1)["clip.wav"] == expected[:N_READ, 1].tolist()


def test_recordings_are_refused(tmp_path: Path) -> None:
    noise = np.random.default_rng(5).uniform(-1, 1, (1000, 2))
    soundfile.write(tmp_path / "two.wav", noise, RATE_HZ)
    soundfile.write(tmp_path / "fast.wav", noise[:, 0], 48_000)
    soundfile.write(tmp_path / "short.wav", noise[:160, 0], RATE_HZ)
    soundfile.write(tmp_path / "law.wav", noise[:, 0], RATE_HZ, subtype="ULAW")
    soundfile.write(tmp_path / "dead.wav", np.zeros(1000), RATE_HZ)
    soundfile.write(tmp_path / "cut.wav", noise[:, 0], RATE_HZ)
    (tmp_path / "cut.wav").write_bytes((tmp_path / "cut.wav").read_bytes()[:-4])
    (tmp_path / "text.wav").write_text("no sound at all")
    odd = noise[:, 0].astype(np.float32)
    odd[5] = np.nan
    soundfile.write(tmp_path / "odd.wav", odd, RATE_HZ, subtype="FLOAT")
    assert read_all(tmp_path) == {
        "two.wav": "the recording has 2 channels, and none is chosen; choose one from 0 to 1",
        "fast.wav": "the recording has 48000 Hz, expected 16000 Hz; resample it first",
        "short.wav": "the recording has 0.01 s, expected at least 0.0625 s",
        "law.wav": "the WAV file has format 7 of 8 bits in 1 channels; expected PCM of 16, 24 or 32 bits, or "
        "float of 32 bits: convert it first",
        "dead.wav": "all samples are zero: a dead microphone or channel?",
        "cut.wav": "the WAV file ends before its samples do; copy it again",
        "text.wav": "the recording is no WAV file; expected RIFF WAVE, convert it first",
        "odd.wav": "the recording holds samples that are no numbers; record it again",
    }


def test_a_channel_that_is_not_there(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "two.wav", np.full((1000, 2), 0.1), RATE_HZ)
    said = "the recording has 2 channels, and 2 is chosen; choose one from 0 to 1"
    assert read_all(tmp_path, 2) == {"two.wav": said}


def test_an_unknown_field_of_the_metadata_is_let_be(demo: Bundle, tmp_path: Path) -> None:
    (tmp_path / "more.onnx").write_bytes(demo.model + protobuf.length_delimited(14, b""))
    assert read_all(tmp_path) == {"more.onnx": None}
