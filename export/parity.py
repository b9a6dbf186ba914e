"""The parity gate: an exported graph must compute what its checkpoint computes, on the golden clips."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnxruntime
import torch

from osscl.errors import ParityError
from osscl.frontend import log_mel
from osscl.golden import golden_clips
from osscl.manifest import ParityErrors
from osscl.model import OSSCL
from osscl.samples import to_waveform
from osscl.scoring import anomaly_score

N_GOLDEN_CLIPS = 4
TOLERANCE = ParityErrors(embedding=2e-5, cosine=2e-5, score=5e-4)


@dataclass(frozen=True, slots=True, eq=False)
class Certificate:
    """What the checkpoint gives for the golden clips, and how far the graph is from it.

    Attributes
    ----------
    embedding, cosine : ndarray of float32, [clips, 128] and [clips, K]
        The checkpoint's outputs.
    measured : ParityErrors
        Largest absolute differences.
    """

    embedding: npt.NDArray[np.float32]
    cosine: npt.NDArray[np.float32]
    measured: ParityErrors


def certify(model: OSSCL, graph: bytes) -> Certificate:
    """Run checkpoint and graph on the golden clips and compare.

    Parameters
    ----------
    model : OSSCL
        The checkpoint's network, in eval mode.
    graph : bytes
        A serialised ONNX model with the inputs waveform, log_mel, or both.

    Returns
    -------
    Certificate
        The comparison.

    Raises
    ------
    ParityError
        An error lies above its tolerance, or is no number.
    """
    clips = golden_clips(N_GOLDEN_CLIPS)
    feeds = {"waveform": to_waveform(clips), "log_mel": log_mel(clips)}  # [clips, 160000], [clips, 128, 313]
    embedding, cosine = _run_checkpoint(model, feeds)
    graph_embedding, graph_cosine = _run_graph(graph, feeds)
    measured = ParityErrors(
        embedding=_largest_difference(embedding, graph_embedding),
        cosine=_largest_difference(cosine, graph_cosine),
        score=max(
            _largest_difference(_scores(model, cosine, label), _scores(model, graph_cosine, label))
            for label in range(cosine.shape[1])
        ),
    )
    _check(measured)
    return Certificate(embedding, cosine, measured)


Feeds = dict[str, npt.NDArray[np.float32]]
Pair = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]


def _run_checkpoint(model: OSSCL, feeds: Feeds) -> Pair:
    with torch.inference_mode():
        embedding, cosine = model(*(torch.from_numpy(feeds[name]) for name in model.input_names))
    return embedding.numpy(), cosine.numpy()


def _run_graph(graph: bytes, feeds: Feeds) -> Pair:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    names = [tensor.name for tensor in session.get_inputs()]
    embedding, cosine = session.run(["embedding", "cosine"], {name: feeds[name] for name in names})
    return embedding, cosine


def _scores(model: OSSCL, cosine: npt.NDArray[np.float32], label: int) -> npt.NDArray[np.float64]:
    labels = np.full(len(cosine), label)
    return anomaly_score(cosine, labels, margin=model.config.margin, scale=model.config.scale)


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
