"""``osscl bench``."""

import json
import signal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import soundfile

from osscl import synth
from osscl.bench import Benchmark
from support.console import osscl, osscl_each, started_osscl
from support.waiting import wait_until

QUICK = ("--clips", "4", "--seconds", "0.05")
STAGES = {"front_end", "decode", "network", "end_to_end", "latency"}


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight clips of four machines that the demonstration model knows, and two files that are no clip."""
    folder = tmp_path_factory.mktemp("recordings")
    for _ in synth.write_dataset(folder / "good", synth.DatasetPlan(4, normal=4, anomalous=4, seed=3)):
        pass
    (folder / "broken.wav").write_bytes(b"no sound")
    soundfile.write(folder / "broken_2.wav", np.zeros(8000, np.int16), 16_000)
    return folder


@pytest.fixture(scope="module")
def bf16_demo(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration model in bf16."""
    if find_spec("openvino") is None:
        pytest.skip("bf16 needs openvino, which is not installed")
    from osscl.export import export_onnx
    from osscl.model_file.bundle import read_bundle

    path = tmp_path_factory.mktemp("model") / "demo_bf16.onnx"
    export_onnx(read_bundle("demo").path, path, precision="bf16", gate=recordings / "good")
    return path


def test_bench_measures_every_stage(recordings: Path, tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    done = osscl("bench", "demo", recordings, *QUICK, "--threads", 2, "--json", "--output", file)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads(file.read_text())
    found = msgspec.json.decode(file.read_bytes(), type=Benchmark)
    assert (found.n_clips, found.n_unusable) == (4, 2)
    assert {line.stage for line in found.measurements} == STAGES
    assert (found.accuracy, found.copies, found.machine.gpu) == (None, None, None)
    peaks: dict[int | None, float] = {
        threads: max(
            each.best_gflop_per_s
            for each in found.multiply_add
            if (each.threads, each.precision) == (threads, "fp32")
        )
        for threads in (1, 2)
    }
    for line in found.measurements:
        assert line.clips_per_s * line.ms_per_clip == pytest.approx(1000.0)
        assert line.n_calls >= line.n_repetitions >= 1
        if line.p50_ms is not None:
            assert line.p95_ms is not None
            assert line.p99_ms is not None
            assert 0.0 < line.p50_ms <= line.p95_ms <= line.p99_ms
        gflop_per_s = line.clips_per_s * found.model.gflop_per_clip
        is_network = line.stage in ("network", "end_to_end")
        assert line.peak_share == (pytest.approx(gflop_per_s / peaks[line.threads]) if is_network else None)
        assert (line.copy_share, line.idle_share, line.memory) == (None, None, None)
    ways = [(line.stage, line.streams, line.threads) for line in found.measurements if line.streams]
    assert ways == [
        ("network", 1, 1),
        ("network", 2, 2),
        ("end_to_end", 2, 2),
        ("latency", 2, 2),
        ("latency", 1, 2),
    ]
    assert found.latency.load_s > 0.0
    assert found.latency.first_ms > 0.0
    assert {(product.threads, product.size) for product in found.matrix_product} == {
        (threads, size) for threads in (1, 2) for size in (512, 1024, 2048)
    }
    assert all(0.0 < each.gflop_per_s <= each.best_gflop_per_s for each in found.matrix_product)
    assert (found.other_cpus or 0.0) >= 0.0
    assert found.computed_by["backend"] == "onnxruntime"
    assert (found.model.path, found.model.gflop_per_clip) == ("demo", 4.5034)
    assert found.machine.versions.keys() >= {"python", "numpy", "osscl", "onnxruntime"}
    again = osscl("bench", "demo", recordings, *QUICK, "--output", file)
    assert again.returncode == 1
    assert again.stderr == f"error: {file} exists; name another file, or use --overwrite\n"


def test_bench_prints_a_table(model_file: Path) -> None:
    done = osscl("bench", model_file, *QUICK, "--threads", 2, "--streams", 1, "--batch-size", 2)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert any(line.split()[:6] == ["network", "with", "front", "end", "1", "×"] for line in lines)
    for part in ("end to end", "1 × 2", "of peak", "on 1 thread at size", "fp32, three_maps", "osscl synth"):
        assert part in done.stdout
    assert done.stderr == ""


BAD_INPUT: list[tuple[tuple[str, ...], int, str]] = [
    (("demo", "EMPTY"), 1, "no .wav, .flac, .w64 or .rf64 below EMPTY: it holds no file; name a folder"),
    (
        ("demo", "MP3"),
        1,
        "no .wav, .flac, .w64 or .rf64 below MP3: it holds 1 .mp3; convert them to WAV or FLAC",
    ),
    (("demo", "--accuracy", "--gate", "DANGLING"), 2, "DANGLING: it is a link to nowhere, and nothing is"),
    (("demo", "BROKEN"), 1, "the first of 2: "),
    (("demo", "NOWHERE"), 2, "there is no folder NOWHERE"),
    (("demo", "--seconds", "0"), 2, "--seconds is 0.0; expected a time above zero"),
    (("demo", "--clips", "0"), 2, "--clips is 0; expected at least 1 recording"),
    (("demo", "--threads", "2", "--streams", "3"), 2, "--streams is 3 for 2 threads"),
    (("demo", "--backend", "abacus"), 2, "--backend 'abacus' does not exist"),
    (("demo", "--device", "abacus"), 2, "--device 'abacus' does not exist; choose auto, cpu, cuda"),
    (("nowhere.onnx",), 1, "there is no model file nowhere.onnx"),
    (("demo", "--output", "NOWHERE/x.json"), 1, "there is no folder"),
    (("demo", "--output", "EMPTY"), 1, "is a folder; expected the name of a file"),
    (("demo", "--gate", "EMPTY"), 2, "add --accuracy"),
    (("demo", "--accuracy", "--gate", "NOWHERE"), 2, "there is no folder NOWHERE"),
    (("demo", "--accuracy"), 2, "which is the reference itself"),
]


def test_bad_input_is_one_sentence(recordings: Path, tmp_path: Path) -> None:
    (tmp_path / "EMPTY").mkdir()
    (tmp_path / "MP3").mkdir()
    (tmp_path / "MP3" / "x.mp3").touch()
    (tmp_path / "DANGLING").symlink_to("nowhere")
    (tmp_path / "BROKEN").mkdir()
    for file in recordings.glob("*.wav"):
        (tmp_path / "BROKEN" / file.name).write_bytes(file.read_bytes())
    results = osscl_each([("bench", *arguments) for arguments, _, _ in BAD_INPUT], cwd=tmp_path)
    for (arguments, code, message), done in zip(BAD_INPUT, results, strict=True):
        assert done.returncode == code, arguments
        assert message in " ".join(done.stderr.replace("│", " ").split())
        assert "Traceback" not in done.stderr
        assert done.stdout == ""


def test_without_a_gpu_nothing_is_measured_instead() -> None:
    pytest.importorskip("cuda.bindings", reason="needs cuda-bindings, which talks to the driver")
    done = osscl("bench", "demo", *QUICK, "--device", "cuda")
    if done.returncode == 0:
        pytest.skip("this machine has a GPU")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: device 'cuda' was asked for, but ")
    assert done.stderr.endswith("; or choose device 'cpu'\n")
    assert done.stderr.count("\n") == 1


def test_ctrl_c_ends_with_a_line() -> None:
    with started_osscl("bench", "demo", "--seconds", 600) as process:
        children = wait_until(lambda: _children(process.pid) or None, process)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=300)
    assert (process.returncode, output, errors) == (130, "", "interrupted: nothing is measured\n")
    # one that was being started just then ends by itself, with the pipe from which it reads
    wait_until(lambda: not any(Path(f"/proc/{child}").exists() for child in children))


def _children(pid: int) -> list[int]:
    """Processes that multiply matrices: the rounds begin with them."""
    listing = Path(f"/proc/{pid}/task/{pid}/children")
    if not listing.exists():
        pytest.skip("needs /proc to see child processes")
    return [int(child) for child in listing.read_text().split()]


def test_accuracy_of_bf16_is_measured_against_the_model_it_was_made_from(
    bf16_demo: Path, recordings: Path
) -> None:
    gate = ("--accuracy", "--gate", recordings / "good")
    unnamed = osscl("bench", bf16_demo, recordings, *QUICK, *gate)
    assert unnamed.returncode == 2
    assert unnamed.stderr.endswith("name the model that it was made from (--reference FP32_MODEL)\n")
    done = osscl("bench", bf16_demo, recordings, *QUICK, *gate, "--reference", "demo", "--json")
    accuracy = json.loads(done.stdout)["accuracy"]
    assert accuracy["reference"] == "demo"
    measured = accuracy["measured"]
    assert (measured["n_clips"], measured["n_machines"]) == (8, 4)
    assert 0.0 < measured["score_error"] < 2.0
    assert (done.returncode, accuracy["flaw"]) in ((0, None), (1, accuracy["flaw"]))
    assert done.stderr == ("" if accuracy["flaw"] is None else f"error: {accuracy['flaw']}\n")
    by_name = osscl("bench", bf16_demo, recordings, *QUICK, *gate, "--reference", "demo")
    for part in ("beside demo", "rank correlation", "score error", "no threshold is known"):
        assert part in " ".join(by_name.stdout.split())


def test_an_unsound_model_does_not_pass_the_gate(bf16_demo: Path, recordings: Path, tmp_path: Path) -> None:
    other = _with_negated_class_weights(tmp_path / "other.onnx")
    gate = ("--accuracy", "--gate", recordings / "good", "--reference", other)
    done = osscl("bench", bf16_demo, recordings, *QUICK, *gate)
    assert done.returncode == 1
    assert "NOT PASSED" in done.stdout
    assert done.stderr.startswith(
        "error: the reduced precision does not pass the accuracy gate on good: rank"
    )
    wrong = osscl("bench", bf16_demo, recordings, *QUICK, "--accuracy", "--reference", bf16_demo)
    assert wrong.returncode == 2
    assert "is bf16; expected the model in fp32" in wrong.stderr


def _with_negated_class_weights(path: Path) -> Path:
    """The demonstration model with its output ``cosine`` negated: it ranks clips otherwise."""
    import onnx
    from msgspec.structs import replace

    from osscl.model_file.bundle import graph_sha256, read_bundle, write_bundle

    demo = read_bundle("demo")
    graph: Any = onnx.ModelProto.FromString(demo.model)
    graph.ClearField("metadata_props")
    for node in graph.graph.node:
        node.output[:] = ["cosine_before" if name == "cosine" else name for name in node.output]
    graph.graph.node.append(onnx.helper.make_node("Neg", ["cosine_before"], ["cosine"]))
    content = graph.SerializeToString()
    write_bundle(path, content, replace(demo.manifest, graph_sha256=graph_sha256(content)))
    return path


def test_an_fp32_model_is_compared_between_backends(recordings: Path) -> None:
    pytest.importorskip("openvino")
    done = osscl(
        *("bench", "demo", recordings, *QUICK, "--backend", "openvino"),
        *("--accuracy", "--gate", recordings / "good", "--json"),
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["computed_by"]["backend"] == "openvino"
    assert found["accuracy"]["measured"]["score_error"] < 1e-3
