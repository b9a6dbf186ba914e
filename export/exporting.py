"""The whole export: checkpoint -> graph -> parity gate -> model file."""

import os
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from osscl.bundle import graph_sha256, write_bundle
from osscl.config import HeadKind, ModelInputs
from osscl.errors import CheckpointError
from osscl.export.checkpoint import load_checkpoint
from osscl.export.parity import TOLERANCE, certify
from osscl.export.to_onnx import build_graph
from osscl.manifest import Checkpoint, Manifest, Producer, build_manifest
from osscl.signature import FrontEndPlace

_TOOLS = ("torch", "onnx", "onnxscript", "onnxruntime")


def export_onnx(
    checkpoint: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    classes: Sequence[str] | None = None,
    margin: float | None = None,
    head: HeadKind | None = None,
    inputs: ModelInputs | None = None,
    front_end: FrontEndPlace = "native",
    licence: str = "not stated",
    training_data: str | None = None,
) -> Manifest:
    """Export a checkpoint to one self-describing ONNX file.

    The file appears whole, and only if the graph computes what the checkpoint computes: on the golden
    clips, embedding and cosine agree within 2e-5, the score against every class within 5e-4.

    Parameters
    ----------
    checkpoint : path-like
        ``.safetensors`` file that `osscl train` wrote; or a ``.pth`` file in the published layout, where
        ``config.json`` beside it says margin, head and inputs.
    path : path-like
        Model file to write; an existing one is replaced.
    classes : sequence of str, optional
        Machine IDs in the order of the class weight; by default those of ``config.json``, or the 41
        published ones.
    margin, head, inputs : optional
        What ``config.json`` does not say.
    front_end : {"native", "graph"}
        Whether the caller computes the log-mel, or the graph does.
    licence, training_data : str
        Free text, kept in the file. What was trained on is by default what the checkpoint says of it.

    Returns
    -------
    Manifest
        What the file says of itself.

    Raises
    ------
    CheckpointError
        The checkpoint lacks something, or holds what its layout does not know.
    ParityError
        The graph computes something else than the checkpoint.
    OutputError
        The file cannot be written.
    """
    loaded = load_checkpoint(Path(checkpoint), classes=classes, margin=margin, head=head, inputs=inputs)
    graph = build_graph(loaded.model, front_end).SerializeToString(deterministic=True)
    certificate = certify(loaded.model, graph)
    manifest = build_manifest(
        producer=Producer(
            name="osscl", version=version("osscl"), tools={name: version(name) for name in _TOOLS}
        ),
        checkpoint=Checkpoint(sha256=loaded.sha256, layout=loaded.layout),
        model=loaded.config,
        where=front_end,
        graph_rewrites=(),
        graph_sha256=graph_sha256(graph),
        embedding=certificate.embedding,
        cosine=certificate.cosine,
        tolerance=TOLERANCE,
        measured=certificate.measured,
        licence=licence,
        training_data=training_data or loaded.training_data or "not stated",
    )
    write_bundle(path, graph, manifest)
    return manifest


def read_classes(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Read a list of machine IDs, one a line; empty lines do not count.

    Parameters
    ----------
    path : path-like
        UTF-8 text file.

    Returns
    -------
    tuple of str
        The names, in order.

    Raises
    ------
    CheckpointError
        The file cannot be read, or names nothing.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(f"--classes {path}: the list cannot be read: {error}") from error
    names = tuple(line.strip() for line in lines if line.strip())
    if not names:
        raise CheckpointError(f"--classes {path}: the list is empty; expected one machine ID a line")
    return names
