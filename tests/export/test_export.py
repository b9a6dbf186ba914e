"""The exported graph against the checkpoint, and the gate between them."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import soundfile
import torch

import osscl
from osscl.audio.samples import to_waveform
from osscl.backends import Outputs
from osscl.errors import OutputError, ParityError
from osscl.export import export_onnx, parity
from osscl.export.checkpoint import load_checkpoint
from osscl.export.front_end_graph import LogMel
from osscl.export.to_onnx import build_graph
from osscl.frontend import log_mel
from osscl.model_file.bundle import read_bundle
from osscl.model_file.golden import golden_clips
from osscl.model_file.manifest import ParityErrors
from support.checkpoints import random_state, write_checkpoint
from support.reference import Reference
from support.reference_log_mel import reference_log_mel
from support.signals import signals


def run(graph: bytes, feeds: dict[str, Any]) -> list[Any]:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    outputs: list[Any] = session.run(
        ["embedding", "cosine"], {i.name: feeds[i.name] for i in session.get_inputs()}
    )
    return outputs


@pytest.mark.parametrize("front_end", ["native", "graph"])
@pytest.mark.parametrize(
    ("inputs", "head"),
    [("three_maps", "basic"), ("three_maps", "none"), ("log_mel", "leaky_relu"), ("log_mel", "basic")],
)
def test_graphs_equal_the_network_at_any_batch_size(
    tmp_path: Path, inputs: Any, head: Any, front_end: Any
) -> None:
    path = write_checkpoint(tmp_path / "x.pth", random_state(inputs=inputs, head=head), {})
    model = load_checkpoint(path, margin=0.4, head=head, inputs=inputs).model
    graph = build_graph(model, front_end)
    waveform = to_waveform(golden_clips(5))
    feeds = {"waveform": waveform, "log_mel": log_mel(waveform)}
    with torch.inference_mode():
        expected = model(*(torch.from_numpy(feeds[name]) for name in model.input_names))
    for size in (1, 5):
        outputs = run(graph.SerializeToString(), {name: feed[:size] for name, feed in feeds.items()})
        for got, wanted in zip(outputs, expected, strict=True):
            assert np.abs(got - wanted[:size].numpy()).max() <= 2e-5
    names = [tensor.name for tensor in graph.graph.input]
    native_names = ["waveform", "log_mel"] if inputs == "three_maps" else ["log_mel"]
    assert names == (["waveform"] if front_end == "graph" else native_names)


def front_end_session() -> onnxruntime.InferenceSession:
    program = torch.onnx.export(
        LogMel().eval(),
        (torch.zeros(2, 160_000),),
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        opset_version=18,
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    return onnxruntime.InferenceSession(
        program.model_proto.SerializeToString(), providers=["CPUExecutionProvider"]
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_the_front_end_in_the_graph_holds_the_bounds(reference: Reference) -> None:
    waveforms = dict(signals())
    for path in reference.clips:
        samples, _ = soundfile.read(path, dtype="float32")
        waveforms[str(path)] = samples[:160_000]
    assert len(waveforms) == len(reference.clips) + len(signals())
    session = front_end_session()
    for name, waveform in waveforms.items():
        expected, _ = reference_log_mel(waveform)
        got = session.run(None, {session.get_inputs()[0].name: waveform[None]})[0][0]
        error = np.abs(got - expected)
        assert np.isfinite(got).all(), name
        assert got.min() >= -100.0, name
        assert error[expected >= expected.max() - 70.0].max() <= 1e-3, name
        assert error[expected >= expected.max() - 90.0].max() <= 1e-2, name


def test_the_file_is_a_plain_onnx_model_without_traces_of_the_machine(model_file: Path) -> None:
    onnx.checker.check_model(str(model_file), full_check=True)
    content = model_file.read_bytes()
    assert b"/site-packages" not in content
    assert b"export/to_onnx.py" not in content
    assert str(Path.home()).encode() not in content


def test_two_exports_give_the_same_bytes(checkpoint: Path, model_file: Path, tmp_path: Path) -> None:
    program = "import sys; from osscl.export import export_onnx; export_onnx(sys.argv[1], sys.argv[2])"
    path = tmp_path / "again.onnx"
    subprocess.run([sys.executable, "-W", "ignore", "-c", program, checkpoint, path], check=True, timeout=300)
    assert path.read_bytes() == model_file.read_bytes()


def test_the_manifest_certifies_what_was_measured(model_file: Path) -> None:
    bundle = read_bundle(model_file)
    certificate = bundle.manifest.network.parity
    clips = golden_clips(certificate.count)
    feeds = {"waveform": to_waveform(clips), "log_mel": log_mel(clips)}
    embedding, cosine = run(bundle.model, feeds)
    assert np.abs(embedding - np.array(certificate.embedding)).max() <= certificate.tolerance.embedding
    assert np.abs(cosine - np.array(certificate.cosine)).max() <= certificate.tolerance.cosine
    assert certificate.tolerance == ParityErrors(embedding=2e-5, cosine=2e-5, score=5e-4)


def test_nothing_is_written_above_the_tolerance(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = parity._run_graph

    def slightly_off(graph: bytes, feeds: parity.Feeds) -> Outputs:
        got = real(graph, feeds)
        return Outputs(got.embedding, got.cosine + np.float32(3e-5))

    monkeypatch.setattr(parity, "_run_graph", slightly_off)
    with pytest.raises(ParityError, match=r"cosine 3\.\S+ \(allowed 2e-05\)"):
        export_onnx(checkpoint, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_is_no_number_is_refused(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        parity, "_run_graph", lambda *_: Outputs(np.full((4, 128), np.nan), np.full((4, 41), np.nan))
    )
    loaded = load_checkpoint(checkpoint)
    with pytest.raises(ParityError, match="embedding nan"):
        parity.certify(b"", parity.golden_outputs(loaded.model), loaded.config)


def test_a_place_that_cannot_be_written_is_named(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="nowhere"):
        export_onnx(checkpoint, tmp_path / "nowhere" / "model.onnx")


def test_a_model_with_its_front_end_gives_the_reference_scores(reference: Reference, tmp_path: Path) -> None:
    export_onnx(reference.checkpoint, tmp_path / "graph.onnx", front_end="graph")
    waveforms = np.stack([osscl.read_audio(path) for path in reference.clips])
    with osscl.load(tmp_path / "graph.onnx") as detector:
        scores = detector.score(waveforms, reference.machines)
    assert np.abs(scores.score - reference.outputs["score"]).max() <= 5e-4
