"""What a model is compared with: its own graph where that is fp32, else the model that it was made from."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from osscl.bench.accuracy_gate import AccuracyRequest, prepare_comparison
from osscl.config import ModelConfig
from osscl.errors import ConfigError
from osscl.model_file.bundle import in_memory_bundle, write_bundle
from osscl.model_file.manifest import Checkpoint
from support.model_files import CLASSES, tiny_graph, tiny_manifest

GRAPH = tiny_graph().SerializeToString()
FP32 = in_memory_bundle(GRAPH, tiny_manifest(GRAPH))


def test_bf16_of_schema_2_is_compared_with_its_own_graph() -> None:
    old = in_memory_bundle(GRAPH, replace(FP32.manifest, precision="bf16", schema_version=2))
    comparison = prepare_comparison(AccuracyRequest(), old, "openvino", "cpu")
    assert comparison.reference == "the model's own graph in fp32"
    assert comparison.fp32.manifest.network.precision == "fp32"
    assert comparison.fp32.model == old.model
    assert comparison.measured is old


@pytest.mark.parametrize("precision", ["fp16", "bf16", "int8"])
def test_a_graph_in_reduced_precision_needs_a_reference(precision: Any, tmp_path: Path) -> None:
    reduced = in_memory_bundle(GRAPH, replace(FP32.manifest, precision=precision))
    with pytest.raises(ConfigError, match=rf"the model is {precision}, .* \(--reference FP32_MODEL\)"):
        prepare_comparison(AccuracyRequest(), reduced, "openvino", "cpu")
    write_bundle(tmp_path / "fp32.onnx", GRAPH, FP32.manifest)
    comparison = prepare_comparison(
        AccuracyRequest(reference=tmp_path / "fp32.onnx"), reduced, "openvino", "cpu"
    )
    assert comparison.fp32.manifest.network.precision == "fp32"
    assert comparison.reference == str(tmp_path / "fp32.onnx")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": ModelConfig(classes=CLASSES, margin=0.3)}, "has other machines or another shape"),
        ({"checkpoint": Checkpoint(sha256="0" * 64, layout="published")}, "was made from another checkpoint"),
    ],
)
def test_another_model_is_no_reference(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    write_bundle(tmp_path / "other.onnx", GRAPH, tiny_manifest(GRAPH, **changes))
    with pytest.raises(ConfigError, match=f"{message}.*; expected the model that it was made from"):
        prepare_comparison(AccuracyRequest(reference=tmp_path / "other.onnx"), FP32, "openvino", "cpu")
