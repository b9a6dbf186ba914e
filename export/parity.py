"""The parity gate: an exported graph must compute what its checkpoint computes, on the golden clips."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch

from osscl.audio.samples import to_waveform
from osscl.backends import Outputs
from osscl.config import ModelConfig
from osscl.errors import ParityError
from osscl.frontend import log_mel
from osscl.model import OSSCL
from osscl.model_file.golden import golden_clips
from osscl.model_file.manifest import ParityErrors
from osscl.scoring.rule import anomaly_score
from osscl.support.telemetry import import_quietly

N_GOLDEN_CLIPS = 4
TOLERANCE = ParityErrors(embedding=2e-5, cosine=2e-5, score=5e-4)

Feeds: TypeAlias = dict[str, npt.NDArray[np.float32]]


def golden_outputs(model: OSSCL) -> Outputs:
    """What a checkpoint's network gives for the golden clips.

    Parameters
    ----------
    model : OSSCL
        In eval mode.

    Returns
    -------
    Outputs
        Of the first `N_GOLDEN_CLIPS` clips.
    """
    feeds = _feeds(N_GOLDEN_CLIPS)
    with torch.inference_mode():
        embedding, cosine = model(*(torch.from_numpy(feeds[name]) for name in model.input_names))
    return Outputs(embedding.numpy(), cosine.numpy())


def certify(graph: bytes, expected: Outputs, model: ModelConfig) -> ParityErrors:
    """Run a graph on the golden clips and compare it with its checkpoint.

    Parameters
    ----------
    graph : bytes
        A serialised ONNX model with the inputs waveform, log_mel, or both.
    expected : Outputs
        What the checkpoint gives for the first golden clips.
    model : ModelConfig
        Margin and scale of the score.

    Returns
    -------
    ParityErrors
        Largest absolute differences.

    Raises
    ------
    ParityError
        An error lies above its tolerance, or is no number.
    """
    got = _run_graph(graph, _feeds(len(expected.embedding)))
    measured = ParityErrors(
        embedding=_largest_difference(expected.embedding, got.embedding),
        cosine=_largest_difference(expected.cosine, got.cosine),
        score=max(
            _largest_difference(_scores(model, expected.cosine, label), _scores(model, got.cosine, label))
            for label in range(len(model.classes))
        ),
    )
    _check(measured)
    return measured


def _feeds(n_clips: int) -> Feeds:
    clips = golden_clips(n_clips)
    return {"waveform": to_waveform(clips), "log_mel": log_mel(clips)}  # [clips, 160000], [clips, 128, 313]


def _run_graph(graph: bytes, feeds: Feeds) -> Outputs:
    onnxruntime: Any = import_quietly("onnxruntime")
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    names = [tensor.name for tensor in session.get_inputs()]
    embedding, cosine = session.run(["embedding", "cosine"], {name: feeds[name] for name in names})
    return Outputs(embedding, cosine)


def _scores(model: ModelConfig, cosine: npt.NDArray[np.float32], label: int) -> npt.NDArray[np.float64]:
    labels = np.full(len(cosine), label)
    return anomaly_score(cosine, labels, margin=model.margin, scale=model.scale)


def _largest_difference(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating]) -> float:
    return float(np.abs(a.astype(np.float64) - b).max())


def _check(measured: ParityErrors) -> None:
    missed = [
        f"{name} {getattr(measured, name):.3g} (allowed {getattr(TOLERANCE, name):.0e})"
        for name in ("embedding", "cosine", "score")
        if not getattr(measured, name) <= getattr(TOLERANCE, name)
    ]
    if missed:
        raise ParityError(
            f"the exported graph differs from the checkpoint on the golden clips: {', '.join(missed)}; "
            "nothing was written: try other versions of torch and onnxruntime, and report it"
        )
