"""What a reduced precision costs, and the gate that refuses one that costs too much."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import soundfile
from msgspec.structs import replace

from osscl.backends import ComputeOptions, open_backend
from osscl.demo import __file__ as demo_module
from osscl.errors import (
    AccuracyError,
    BackendError,
    ConfigError,
    EvaluationError,
    MissingExtraError,
    OutputError,
)
from osscl.evaluation import accuracy as gate_module
from osscl.evaluation.accuracy import check_accuracy, gate_clips, measure_accuracy
from osscl.evaluation.gate_limits import GateLimits
from osscl.export import export_onnx
from osscl.export.half import in_half
from osscl.model_file.bundle import Bundle, in_memory_bundle, read_bundle
from osscl.model_file.golden import golden_clips
from osscl.model_file.manifest import Accuracy
from osscl.synth import DatasetPlan, write_dataset
from osscl.training.judging import judge
from support.console import osscl
from support.packages import hide

DEMO_FILE = Path(demo_module).with_name("models") / "demo.onnx"


@pytest.fixture(scope="module")
def computes_bf16() -> None:
    openvino = pytest.importorskip("openvino", reason="OpenVINO is not installed")
    if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("this processor has no bf16 instructions that OpenVINO uses")


@pytest.fixture(scope="module")
def fp32() -> Bundle:
    return read_bundle("demo")


@pytest.fixture(scope="module")
def bf16(fp32: Bundle) -> Bundle:
    network = onnx.ModelProto.FromString(fp32.model)
    network.ClearField("metadata_props")
    graph = in_half(network, "bf16").SerializeToString()
    return in_memory_bundle(graph, replace(fp32.manifest, precision="bf16", schema_version=3))


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two normal and two anomalous clips of each of twelve machines."""
    folder = tmp_path_factory.mktemp("gate") / "synthetic"
    for _ in write_dataset(folder, DatasetPlan(machines=12, normal=24, anomalous=24, seed=3)):
        pass
    return folder


def strangers(folder: Path) -> Path:
    """Clips of a machine that the demonstration model does not know."""
    for number, clip in enumerate(golden_clips(2)):
        path = folder / "fan" / "test" / f"normal_id_00_{number:08}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, clip, 16_000)
    return folder


def test_fp32_costs_nothing_beside_itself(fp32: Bundle, clips: Path) -> None:
    seen: list[str] = []
    accuracy = measure_accuracy(
        fp32, fp32, clips, "a few clips", on_record=lambda record: seen.append(record.path)
    )
    assert (accuracy.score_error, accuracy.rank_correlation) == (0.0, 1.0)
    assert (accuracy.clips, accuracy.n_clips, accuracy.n_machines) == ("a few clips", 48, 12)
    assert accuracy.auc == accuracy.auc_fp32
    assert accuracy.auc is not None
    assert accuracy.auc > 0.7
    assert accuracy.backend.startswith("onnxruntime ")
    assert accuracy.decision_flips is None  # there is no threshold to decide by
    assert len(seen) == 96
    check_accuracy(accuracy)


@pytest.mark.usefixtures("computes_bf16")
def test_bf16_costs_a_little_and_is_computed_by_openvino(fp32: Bundle, bf16: Bundle, clips: Path) -> None:
    accuracy = measure_accuracy(fp32, bf16, clips, "a few clips", on_record=lambda _: None)
    assert accuracy.backend.startswith("openvino ")
    assert 1e-3 < accuracy.score_error < 1.0
    assert 0.99 < accuracy.rank_correlation < 1.0
    assert accuracy.auc == pytest.approx(accuracy.auc_fp32, abs=0.05)


def test_a_named_backend_computes_the_reduced_precision(fp32: Bundle, bf16: Bundle, clips: Path) -> None:
    seen: list[object] = []
    with pytest.raises(BackendError, match="the model is bf16, which onnxruntime does not compute"):
        measure_accuracy(fp32, bf16, clips, "x", backend="onnxruntime", on_record=seen.append)
    assert seen == []  # it says so before it scores a thousand clips in fp32
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    accuracy = measure_accuracy(fp32, fp32, clips, "x", backend="openvino", on_record=lambda _: None)
    assert accuracy.backend.startswith("openvino ")
    assert accuracy.score_error <= 5e-4


def test_clips_without_labels_give_no_auc(fp32: Bundle, tmp_path: Path) -> None:
    for number, clip in enumerate(golden_clips(3)):
        path = tmp_path / "blower" / f"clip_id_0{number}_{number}.wav"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, clip, 16_000)
    accuracy = measure_accuracy(fp32, fp32, tmp_path, "unlabelled", on_record=lambda _: None)
    assert (accuracy.auc, accuracy.auc_fp32) == (None, None)
    assert accuracy.n_machines == 3
    check_accuracy(accuracy)


def test_clips_of_unknown_machines_are_no_gate(fp32: Bundle, tmp_path: Path) -> None:
    folder = strangers(tmp_path)
    with pytest.raises(EvaluationError, match=r"the model can score 0 of its clips, .*--gate CLIPS"):
        measure_accuracy(fp32, fp32, folder, "strangers", on_record=lambda _: None)


MEASURED = Accuracy(
    clips="some clips",
    backend="openvino 2026.0",
    n_clips=100,
    n_machines=4,
    score_error=0.1,
    rank_correlation=0.9995,
    auc_fp32=0.9,
    auc=0.9,
    decision_flips=None,
)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"rank_correlation": 0.999},
        {"rank_correlation": 1.0, "score_error": 99.0},
        {"auc": 0.9019},
        {"auc": 0.8981},
        {"auc": None, "auc_fp32": None},
    ],
)
def test_what_lies_within_the_bounds_passes(changes: dict[str, float | None]) -> None:
    check_accuracy(replace(MEASURED, **changes))


def test_that_a_network_learned_nothing_is_named_where_its_order_changes() -> None:
    changed = replace(MEASURED, rank_correlation=0.7)
    with pytest.raises(AccuracyError, match=r"its scores hardly differ, .*since the network learned"):
        check_accuracy(changed, verdict=judge(10, 120, [10] * 12))
    with pytest.raises(AccuracyError) as learned:
        check_accuracy(changed, verdict=judge(120, 120, [10] * 12))
    assert "hardly differ" not in str(learned.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rank_correlation": 0.99899}, r"rank correlation 0\.99899 \(at least 0\.999\); use fp32$"),
        ({"rank_correlation": -1.0}, r"rank correlation -1\.00000"),
        ({"rank_correlation": float("nan")}, "rank correlation nan"),
        ({"auc": 0.9021}, r"gate on some clips: AUC 0\.9021 instead of 0\.9000 \(at most 0\.002 apart\)"),
        ({"auc": 0.8979}, r"AUC 0\.8979 instead of 0\.9000"),
        ({"auc": 0.5, "rank_correlation": 0.1}, r"rank correlation .*; AUC 0\.5000 instead"),
    ],
)
def test_what_lies_outside_is_refused(changes: dict[str, float | None], message: str) -> None:
    with pytest.raises(AccuracyError, match=message):
        check_accuracy(replace(MEASURED, **changes))


def test_the_gate_set_is_made_for_the_measurement_and_goes_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # the real one has 1000 clips, which take minutes
    monkeypatch.setattr(gate_module, "GATE_PLAN", DatasetPlan(machines=2, normal=2, anomalous=2, seed=7))
    made: list[None] = []
    with gate_clips(None, lambda: made.append(None)) as (folder, name):
        assert name == "osscl synth --machines 2 --normal 2 --anomalous 2 --seed 7"
        assert len(list(folder.rglob("*.wav"))) == len(made) == 4
    assert not folder.exists()


def test_a_gate_folder_is_named_without_the_way_there(tmp_path: Path) -> None:
    (tmp_path / "dcase2020").mkdir()
    with gate_clips(tmp_path / "dcase2020" / ".", lambda: None) as (folder, name):
        assert name == "dcase2020"
        assert folder.samefile(tmp_path / "dcase2020")


OF_48_CLIPS = GateLimits(min_rank_correlation=0.99, max_auc_change=0.1)
"""Bounds that 48 clips hold: with so few, one swapped pair weighs more than among a thousand."""


@pytest.mark.usefixtures("computes_bf16")
def test_an_export_in_bf16_tells_what_it_costs(fp32: Bundle, clips: Path, tmp_path: Path) -> None:
    steps: list[None] = []
    said: list[str] = []
    path = tmp_path / "bf16.onnx"
    export_onnx(
        DEMO_FILE,
        path,
        precision="bf16",
        gate=clips,
        limits=OF_48_CLIPS,
        on_step=lambda: steps.append(None),
        on_warning=said.append,
    )
    assert said == []
    bundle = read_bundle(path)
    manifest = bundle.manifest
    assert manifest.network.precision == "bf16"
    assert manifest.accuracy is not None
    assert manifest.accuracy.clips == "synthetic"
    assert manifest.accuracy.n_clips == 48
    assert len(steps) == 96
    assert str(tmp_path).encode() not in bundle.model
    assert manifest.network.parity.measured.cosine <= 2e-5  # of the graph in fp32
    assert manifest.network.parity.cosine == fp32.manifest.network.parity.cosine
    with closing(open_backend(bundle, ComputeOptions("auto", None, threads=1))) as opened:
        assert opened.facts["backend"] == "openvino"
    shown = " ".join(osscl("inspect", path).stdout.split())
    assert "precision bf16" in shown
    assert "on 48 clips of 12 machines (synthetic): rank correlation 0.99" in shown
    document = json.loads(osscl("inspect", path, "--json").stdout)
    assert document["manifest"]["accuracy"]["n_machines"] == 12


@pytest.mark.usefixtures("computes_bf16")
def test_a_model_that_fails_the_gate_is_not_written(clips: Path, tmp_path: Path) -> None:
    limits = GateLimits(min_rank_correlation=1.0)
    with pytest.raises(AccuracyError, match=r"on synthetic: rank correlation 0\.99.*; it takes 7 and 7 of"):
        export_onnx(DEMO_FILE, tmp_path / "bf16.onnx", precision="bf16", gate=clips, limits=limits)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("computes_bf16")
def test_the_console_says_why_and_fails(tmp_path: Path) -> None:
    """Louder and quieter copies of one clip, which bf16 cannot tell apart, let the real gate fail."""
    clip = np.asarray(golden_clips(1)[0], np.float64)
    for number in range(12):
        path = tmp_path / "clips" / "blower" / f"normal_id_00_{number:08}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.rint(clip * (1 - 1e-3 * number)).astype(np.int16), 16_000)
    output = tmp_path / "bf16.onnx"
    before = "warning: the accuracy gate has few clips, and chance may fail it: with 12 in all, "
    result = osscl("export", DEMO_FILE, "-o", output, "--precision", "bf16", "--gate", tmp_path / "clips")
    assert result.returncode == 1
    assert result.stderr.splitlines()[1].startswith(before)
    assert "error: the reduced precision does not pass the accuracy gate on clips" in result.stderr
    assert "it takes 23: name more clips, or use fp32" in result.stderr
    assert result.stdout == ""
    assert not output.exists()
    folder = strangers(tmp_path / "strangers")
    result = osscl("export", DEMO_FILE, "-o", output, "--precision", "bf16", "--gate", folder)
    assert result.returncode == 1
    assert "--gate CLIPS" in result.stderr
    assert not output.exists()


def test_a_gate_folder_that_does_not_exist_is_no_gate(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--gate is .*nowhere; it must be a folder of recordings"):
        export_onnx(DEMO_FILE, tmp_path / "x.onnx", precision="bf16", gate=tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precision": "fp8"}, "precision is fp8; it must be one of: fp32, fp16, bf16, int8"),
        ({"precision": "int8"}, "int8 needs recordings to set its ranges by"),
        ({"precision": "fp16", "calibration": "clips"}, "--calibration is for int8; the precision is fp16"),
        ({"precision": "bf16", "calibration": "clips"}, "--calibration is for int8; the precision is bf16"),
        ({"precision": "fp32", "limits": GateLimits()}, "--max-auc-change are for reduced precision"),
        ({"precision": "fp32", "gate": "clips"}, "--gate is for reduced precision; the precision is fp32"),
        ({"precision": "int8", "calibration": "nowhere"}, "--calibration is .*nowhere; it must be a folder"),
    ],
)
def test_options_that_do_not_fit_the_precision_are_refused(
    options: dict[str, Any], message: str, clips: Path, tmp_path: Path
) -> None:
    folders = {"clips": clips, "nowhere": tmp_path / "nowhere"}
    given = {name: folders.get(str(value), value) for name, value in options.items()}
    with pytest.raises(ConfigError, match=message):
        export_onnx(DEMO_FILE, tmp_path / "x.onnx", **given)
    assert list(tmp_path.iterdir()) == []


def test_a_place_without_a_folder_is_refused_before_the_gate(clips: Path, tmp_path: Path) -> None:
    steps: list[int] = []
    with pytest.raises(OutputError, match=r"there is no folder .*nowhere"):
        export_onnx(
            DEMO_FILE,
            tmp_path / "nowhere" / "x.onnx",
            precision="bf16",
            gate=clips,
            on_step=lambda: steps.append(1),
        )
    assert not steps


def test_a_package_that_the_gate_needs_is_missed_before_anything_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide(monkeypatch, "openvino")
    steps: list[int] = []
    sentence = r'needs the package openvino, which is not installed: pip install "osscl\[openvino\]"'
    with pytest.raises(MissingExtraError, match=sentence):  # and not that there is no such checkpoint
        export_onnx(
            tmp_path / "no.pth", tmp_path / "x.onnx", precision="bf16", on_step=lambda: steps.append(1)
        )
    assert not steps
