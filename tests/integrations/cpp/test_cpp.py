"""examples/cpp: it scores as `Detector.score` does, and refuses what docs/format.md refuses."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import soundfile

import osscl
from conftest import REPOSITORY
from osscl import synth
from osscl.export import export_onnx
from support.once import made_once

HEADER = "onnxruntime_cxx_api.h"
# a folder of headers unpacked from libonnxruntime-dev, where the system has none
PLACES = [
    os.environ.get("ONNXRUNTIME_INCLUDE_DIR", ""),
    "/usr/include/onnxruntime",
    "/usr/local/include/onnxruntime",
]
INCLUDE = next((place for place in PLACES if place and Path(place, HEADER).is_file()), None)

pytestmark = [
    pytest.mark.skipif(
        INCLUDE is None, reason=f"needs {HEADER}: apt-get install libonnxruntime-dev (Debian 13)"
    ),
    pytest.mark.skipif(shutil.which("cmake") is None, reason="needs CMake"),
    pytest.mark.skipif(
        not Path("/usr/include/nlohmann/json.hpp").is_file(),
        reason="needs nlohmann-json3-dev (apt-get install)",
    ),
]
NATIVE = Path(osscl.__file__).parent / "models" / "demo.onnx"
MACHINE, OTHER = "blower/id_00", "compressor/id_01"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def wheel_library(folder: Path) -> Path:
    """The library of the installed wheel, under the name that programs ask for."""
    spec = find_spec("onnxruntime")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    [library] = Path(spec.submodule_search_locations[0], "capi").glob("libonnxruntime.so.*")
    link = folder / "libonnxruntime.so.1"
    link.symlink_to(library)
    return link


def build(folder: Path) -> None:
    library = wheel_library(folder)
    found = [f"-DONNXRUNTIME_INCLUDE_DIR={INCLUDE}", f"-DONNXRUNTIME_LIBRARY={library}"]
    found += [f"-DCMAKE_BUILD_RPATH={folder.parent / 'cpp'}", "-DCMAKE_CXX_FLAGS=-Werror"]
    place = str(folder / "build")
    for command in (
        ["cmake", "-S", str(REPOSITORY / "examples" / "cpp"), "-B", place, *found],
        ["cmake", "--build", place, "--parallel", "2"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, timeout=590)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def score() -> Run:
    """The built program."""
    program = made_once("cpp", build) / "build" / "osscl_score"
    return lambda *words: subprocess.run(
        [str(program), *map(str, words)], capture_output=True, text=True, timeout=120
    )


@pytest.fixture(scope="module")
def model() -> Path:
    """The demonstration model with its front end in the graph."""
    folder = made_once(
        "demo_graph", lambda place: export_onnx(NATIVE, place / "demo.onnx", front_end="graph")
    )
    return folder / "demo.onnx"


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two healthy clips of a machine and two faulty ones, the last longer than the model's."""
    folder, paths = tmp_path_factory.mktemp("clips"), []
    for number in range(4):
        chosen = synth.fault("bearing_defect", "severe") if number >= 2 else None
        samples = synth.make_clip(synth.ClipKey(MACHINE, seed=number), chosen)
        samples = np.concatenate([samples, samples[:8000]]) if number == 3 else samples
        paths.append(folder / f"{number}.wav")
        soundfile.write(paths[-1], samples, 16_000, subtype="PCM_16")
    return paths


def test_scores_are_those_of_detector_score(score: Run, model: Path, clips: list[Path]) -> None:
    for machine in (MACHINE, OTHER):
        done = score(model, machine, *clips)
        assert done.returncode == 0, done.stderr
        lines = [line.rsplit(" ", 1) for line in done.stdout.splitlines()]
        assert [path for path, _ in lines] == [str(path) for path in clips]
        with osscl.load("demo", rule="network") as detector:
            waveforms = np.stack([osscl.read_audio(path) for path in clips])
            expected = detector.score(waveforms, [machine] * len(clips)).score
        assert np.abs(np.array([float(value) for _, value in lines]) - expected).max() <= 5e-4
        assert np.ptp(expected) > 0.1


def test_a_recording_that_does_not_fit_is_one_sentence_and_the_others_are_scored(
    score: Run, model: Path, clips: list[Path], tmp_path: Path
) -> None:
    samples, _ = soundfile.read(clips[0], dtype="int16")
    made = {
        "short": (samples[:1000], 16_000, "PCM_16", "holds 1000 samples; the model wants 160000"),
        "rate": (samples, 48_000, "PCM_16", "has 48000 Hz; the model wants 16000 Hz"),
        "stereo": (np.stack([samples, samples], 1), 16_000, "PCM_16", "has 2 channels"),
        "float": (samples / 32768, 16_000, "FLOAT", "format 3 of 32 bits"),
    }
    for name, (data, rate, subtype, _) in made.items():
        soundfile.write(tmp_path / f"{name}.wav", data, rate, subtype=subtype)
    (tmp_path / "text.wav").write_text("no sound")
    files = [*(tmp_path / f"{name}.wav" for name in made), tmp_path / "text.wav", tmp_path / "gone.wav"]
    done = score(model, MACHINE, *files, clips[0])
    assert done.returncode == 1
    assert done.stdout.startswith(f"{clips[0]} ")
    sentences = [sentence for *_, sentence in made.values()] + [
        "no WAV file",
        "there is no file of that name",
    ]
    told = done.stderr.splitlines()
    assert len(told) == len(files)
    for file, sentence, line in zip(files, sentences, told, strict=True):
        assert line.startswith(f"{file}: ")
        assert sentence in line


def with_manifest(model: Path, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The model with another manifest, as `change` leaves or gives it, whose hash is right."""
    proto = onnx.load(str(model))
    [entry] = [each for each in proto.metadata_props if each.key == "osscl.manifest"]
    document = json.loads(entry.value)
    changed = change(document)
    text = changed if isinstance(changed, str) else json.dumps(document)
    entry.value = text
    [digest] = [each for each in proto.metadata_props if each.key == "osscl.manifest_sha256"]
    digest.value = hashlib.sha256(text.encode()).hexdigest()
    return bytes(proto.SerializeToString())


REFUSED: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "newer": (
        lambda document: document.update(schema_version=7),
        "has schema 7, and this program knows up to 6",
    ),
    "twice": (
        lambda document: json.dumps(document)[:-1] + ', "licence": "x"}',
        'holds the key "licence" twice',
    ),
    "unknown": (lambda document: document.update(colour="red"), "has a field colour"),
    "missing": (lambda document: document.__delitem__("licence"), "has no field licence"),
    "rule": (lambda document: document.update(scoring_rule="other"), 'expected was "arcface_cross_entropy"'),
    "samples": (lambda document: document["clip"].update(n_samples=1.6e5), "a whole number of at least 1"),
    "clip": (
        lambda document: document["clip"].update(n_samples=8000),
        "follow from its model, front end and clip",
    ),
    "front end": (lambda document: document["front_end"].update(sha256="0" * 64), "front_end.sha256"),
    "graph": (lambda document: document.update(graph_sha256="0" * 64), "the graph has another SHA-256"),
    "nan": (lambda document: json.dumps(document)[:-1] + ', "x": NaN}', "the manifest is no JSON"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_manifest_that_is_none_is_refused(name: str, score: Run, model: Path, tmp_path: Path) -> None:
    change, sentence = REFUSED[name]
    path = tmp_path / "model.onnx"
    path.write_bytes(with_manifest(model, change))
    done = score(path, MACHINE, "any.wav")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"{path}: ")
    assert done.stderr.count("\n") == 1
    assert sentence in done.stderr


def test_a_damaged_file_is_refused(score: Run, model: Path, tmp_path: Path) -> None:
    content = model.read_bytes()
    at = content.index(b"arcface_cross_entropy")
    damaged = {
        "manifest": content[:at] + b"A" + content[at + 1 :],
        "graph": bytes([content[0], content[1] ^ 1]) + content[2:],
        "cut": content[:-10],
        "empty": b"",
    }
    sentences = {
        "manifest": "the manifest has another SHA-256",
        "graph": "the graph has another SHA-256",
        "cut": "cut off",
        "empty": "the file holds no manifest",
    }
    for name, data in damaged.items():
        path = tmp_path / f"{name}.onnx"
        path.write_bytes(data)
        done = score(path, MACHINE, "any.wav")
        assert done.returncode == 1, name
        assert sentences[name] in done.stderr


def test_tensors_in_other_files_are_refused(score: Run, model: Path, tmp_path: Path) -> None:
    proto = onnx.load(str(model))
    location = proto.graph.initializer[0].external_data.add()
    location.key, location.value = "location", "/etc/passwd"
    path = tmp_path / "elsewhere.onnx"
    content = proto.SerializeToString()
    bare = onnx.ModelProto.FromString(content)
    del bare.metadata_props[:]
    own = {each.key: each.value for each in proto.metadata_props}
    document = json.loads(own["osscl.manifest"]) | {
        "graph_sha256": hashlib.sha256(bare.SerializeToString()).hexdigest()
    }
    own["osscl.manifest"] = json.dumps(document)
    own["osscl.manifest_sha256"] = hashlib.sha256(own["osscl.manifest"].encode()).hexdigest()
    for each in proto.metadata_props:
        each.value = own[each.key]
    path.write_bytes(proto.SerializeToString())
    done = score(path, MACHINE, "any.wav")
    assert done.returncode == 1
    assert "tensors in other files" in done.stderr


def test_another_machine_or_front_end_is_refused(score: Run, model: Path, clips: list[Path]) -> None:
    assert "the network does not know mixer/id_00" in score(model, "mixer/id_00", clips[0]).stderr
    assert "export it anew with --front-end graph" in score(NATIVE, MACHINE, clips[0]).stderr
    assert score(model).returncode == 2
