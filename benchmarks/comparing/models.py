"""The graphs that are compared: as PyTorch exports it, and ours with all exact rewrites."""

from dataclasses import dataclass
from pathlib import Path

import onnx
from msgspec.structs import replace

from osscl.export import export_onnx
from osscl.export.half import in_half
from osscl.model_file.bundle import graph_sha256, read_bundle, write_bundle
from osscl.model_file.manifest import Accuracy


@dataclass(frozen=True)
class Models:
    """Model files of one checkpoint.

    Attributes
    ----------
    plain, ours : Path
        In fp32, without rewrites and with all of them.
    bf16 : Path
        Ours, in bf16.
    """

    plain: Path
    ours: Path
    bf16: Path


def export_all(checkpoint: Path, folder: Path) -> Models:
    """Export a checkpoint in all ways."""
    models = Models(folder / "plain.onnx", folder / "ours.onnx", folder / "bf16.onnx")
    export_onnx(checkpoint, models.plain, rewrites=())
    export_onnx(checkpoint, models.ours)
    _write_bf16(models)
    return models


def _write_bf16(models: Models) -> None:
    """The same network in bf16, without the accuracy gate: what it costs is part of the comparison."""
    ours = read_bundle(models.ours)
    unknown = Accuracy(
        clips="not measured",
        backend="none",
        n_clips=1,
        n_machines=1,
        score_error=0.0,
        rank_correlation=0.0,
        auc_fp32=None,
        auc=None,
        decision_flips=None,
    )
    network = onnx.ModelProto.FromString(ours.model)
    network.ClearField("metadata_props")
    graph = in_half(network, "bf16").SerializeToString(deterministic=True)
    changes = {"precision": "bf16", "graph_sha256": graph_sha256(graph), "accuracy": unknown}
    write_bundle(models.bf16, graph, replace(ours.manifest, **changes))
