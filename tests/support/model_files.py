"""A tiny exported model made from a real ONNX graph: inputs and outputs of a model, but no network."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from osscl.config import ModelConfig
from osscl.model_file.bundle import (
    MANIFEST_KEY,
    MANIFEST_SHA256_KEY,
    Bundle,
    graph_sha256,
    in_memory_bundle,
)
from osscl.model_file.manifest import Checkpoint, Manifest, ParityErrors, Producer, build_manifest
from osscl.model_file.manifest_json import encode_manifest
from osscl.model_file.protobuf import length_delimited

CLASSES = ("fan/id_00", "pump/id_02", "valve/id_06")
GOLDEN_COUNT = 2


def tiny_graph() -> onnx.ModelProto:
    """Embedding = normalise(first 128 samples + mean log-mel), cosine = embedding times constant weights."""
    weights = _unit_rows(len(CLASSES), seed=1).T  # [128, K]
    nodes = [
        helper.make_node("Slice", ["waveform", "start", "end", "axis"], ["beginning"]),
        helper.make_node("ReduceMean", ["log_mel", "last"], ["mean"], keepdims=0),
        helper.make_node("Add", ["beginning", "mean"], ["sum"]),
        helper.make_node("LpNormalization", ["sum"], ["embedding"], axis=1, p=2),
        helper.make_node("MatMul", ["embedding", "weights"], ["cosine"]),
    ]
    constants = [
        numpy_helper.from_array(weights, "weights"),
        *(
            numpy_helper.from_array(np.array([value], dtype=np.int64), name)
            for name, value in (("start", 0), ("end", 128), ("axis", 1), ("last", 2))
        ),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info("waveform", TensorProto.FLOAT, ["batch", 160_000]),
            helper.make_tensor_value_info("log_mel", TensorProto.FLOAT, ["batch", 128, 313]),
        ],
        [
            helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", 128]),
            helper.make_tensor_value_info("cosine", TensorProto.FLOAT, ["batch", len(CLASSES)]),
        ],
        constants,
    )
    return helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 18)])


def tiny_manifest(graph: bytes, /, **changes: Any) -> Manifest:
    """Manifest of the tiny model, with changes to what `build_manifest` is given."""
    description: dict[str, Any] = {
        "producer": Producer(name="osscl", version="0.1.0", tools={"onnx": onnx.__version__}),
        "checkpoint": Checkpoint(sha256="0123456789abcdef" * 4, layout="published"),
        "model": ModelConfig(classes=CLASSES),
        "where": "native",
        "graph_rewrites": ["conv1d_as_conv2d"],
        "graph_sha256": graph_sha256(graph),
        "embedding": _unit_rows(GOLDEN_COUNT, seed=2),
        "cosine": np.linspace(-1, 1, 2 * len(CLASSES), dtype=np.float32).reshape(GOLDEN_COUNT, -1),
        "tolerance": ParityErrors(embedding=2e-5, cosine=2e-5, score=5e-4),
        "measured": ParityErrors(embedding=1e-6, cosine=0.0, score=3e-5),
        "licence": "Apache-2.0",
        "training_data": "none: a test file",
    }
    return build_manifest(**description | changes)


def tiny_bundle() -> Bundle:
    """The tiny model, read."""
    graph = tiny_graph().SerializeToString()
    return in_memory_bundle(graph, tiny_manifest(graph))


def write_unchecked(path: Path, graph: bytes, manifest: Manifest) -> None:
    """Write a model file with right hashes, whatever its graph is: one that `write_bundle` would refuse."""
    document = encode_manifest(manifest)
    entries = {MANIFEST_KEY: document, MANIFEST_SHA256_KEY: sha256(document).hexdigest().encode()}
    metadata = (
        length_delimited(14, length_delimited(1, key) + length_delimited(2, value))
        for key, value in entries.items()
    )
    path.write_bytes(graph + b"".join(metadata))


def _unit_rows(n_rows: int, seed: int) -> npt.NDArray[np.float32]:
    rows = np.random.default_rng(seed).standard_normal((n_rows, 128))
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / norms, dtype=np.float32)
