"""What an export starts from: a checkpoint, or a model file in fp32 that was exported before."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from osscl.backends import Outputs
from osscl.config import HeadKind, ModelConfig, ModelInputs
from osscl.errors import CheckpointError, ConfigError
from osscl.export.checkpoint import load_checkpoint
from osscl.export.front_end_inserted import with_front_end
from osscl.export.parity import golden_outputs
from osscl.export.to_onnx import build_graph
from osscl.model_file.bundle import DEMO, Bundle, read_bundle
from osscl.model_file.decisions import StoredDecisions
from osscl.model_file.manifest import Checkpoint
from osscl.model_file.signature import FrontEndPlace
from osscl.model_file.verdict import Verdict

MODEL_SUFFIX = ".onnx"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Source:
    """A graph in fp32, and what is known of it.

    Attributes
    ----------
    graph : onnx.ModelProto
        The network.
    rewrites : tuple of str
        Rewrites that were done on it already.
    model : ModelConfig
        Classes, shape of the network, margin and scale.
    where : {"native", "graph"}
        Where the log-mel is computed.
    checkpoint : Checkpoint
        Where the weights come from.
    golden : Outputs
        What the checkpoint itself gives for the golden clips.
    licence, training_data : str or None
        What it says of itself.
    class_machines : tuple of str or None
        Machine of each class, where machines have several.
    decisions : StoredDecisions or None
        What it holds to decide by.
    verdict : Verdict or None
        What held-out clips of its training say of it.
    """

    graph: onnx.ModelProto
    rewrites: tuple[str, ...]
    model: ModelConfig
    where: FrontEndPlace
    checkpoint: Checkpoint
    golden: Outputs
    licence: str | None
    training_data: str | None
    class_machines: tuple[str, ...] | None
    decisions: StoredDecisions | None
    verdict: Verdict | None


def read_source(
    path: Path,
    *,
    classes: Sequence[str] | None,
    margin: float | None,
    head: HeadKind | None,
    inputs: ModelInputs | None,
    front_end: FrontEndPlace | None,
) -> Source:
    """Read what shall be exported, as `export_onnx` says.

    Raises
    ------
    CheckpointError
        A checkpoint lacks something; or a model file is not in fp32, or computes the log-mel itself where the
        caller shall.
    ConfigError
        An option says what a model file states itself.
    ModelFileError
        The model file cannot be used.
    """
    options: dict[str, object] = {"classes": classes, "margin": margin, "head": head, "inputs": inputs}
    if path.suffix == MODEL_SUFFIX or str(path) == DEMO:
        return _from_model_file(read_bundle(path), options, front_end)
    loaded = load_checkpoint(path, classes=classes, margin=margin, head=head, inputs=inputs)
    where = front_end or "native"
    return Source(
        graph=build_graph(loaded.model, where),
        rewrites=(),
        model=loaded.config,
        where=where,
        checkpoint=Checkpoint(sha256=loaded.sha256, layout=loaded.layout),
        golden=golden_outputs(loaded.model),
        licence=None,
        training_data=loaded.training_data,
        class_machines=loaded.class_machines,
        decisions=loaded.decisions,
        verdict=loaded.verdict,
    )


def _from_model_file(bundle: Bundle, options: dict[str, object], front_end: FrontEndPlace | None) -> Source:
    manifest = bundle.manifest
    given = [f"--{name}" for name, value in options.items() if value is not None]
    if given:
        raise ConfigError(f"{bundle.path}: a model file states this itself: drop {', '.join(given)}")
    if manifest.network.precision != "fp32":
        raise CheckpointError(
            f"{bundle.path}: the model is {manifest.network.precision}; expected a model in fp32, "
            "or a checkpoint"
        )
    where = manifest.front_end.where
    if (where, front_end) == ("graph", "native"):
        raise CheckpointError(
            f"{bundle.path}: the model computes the log-mel itself, and nothing takes it out of a graph "
            "again: export its checkpoint, or a model file with the front end native, instead"
        )
    graph = onnx.ModelProto.FromString(bundle.model)
    graph.ClearField("metadata_props")
    if (where, front_end) == ("native", "graph"):
        graph = with_front_end(graph, manifest.network.model)
    return Source(
        graph=graph,
        rewrites=manifest.graph_rewrites,
        model=manifest.network.model,
        where=front_end or where,
        checkpoint=manifest.network.checkpoint,
        golden=Outputs(
            np.array(manifest.network.parity.embedding, np.float32),
            np.array(manifest.network.parity.cosine, np.float32),
        ),
        licence=manifest.licence,
        training_data=manifest.training_data,
        class_machines=manifest.class_machines,
        decisions=manifest.decisions,
        verdict=manifest.verdict,
    )
