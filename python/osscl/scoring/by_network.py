"""What the network says of clips: how far each is from its class, or its embedding from normal ones."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from osscl.backends import Outputs
from osscl.config import ModelConfig
from osscl.scoring.judge import Judge
from osscl.scoring.rule import machine_score


def scores_by_network(
    judges: Sequence[Judge], outputs: Outputs, model: ModelConfig
) -> npt.NDArray[np.float64]:
    """Score clips by what the network gave for them.

    Parameters
    ----------
    judges : sequence of Judge, [B]
        What judges each clip.
    outputs : Outputs
        Embeddings [B, 128] and cosines [B, K].
    model : ModelConfig
        Margin and scale of the score.

    Returns
    -------
    ndarray of float64, [B]
        By the rule embedding the score of the machine's memory of embeddings; else the smallest of the
        anomaly scores of the machine's classes, nats. NaN where the network gave no numbers.
    """
    scores = np.empty(len(judges))
    at = np.array([place for place, judge in enumerate(judges) if judge.embeddings is None], np.intp)
    if at.size:
        claimed = [judges[place].labels for place in at]
        scores[at] = machine_score(outputs.cosine[at], claimed, margin=model.margin, scale=model.scale)
    places_of: dict[str, list[int]] = {}
    for place, judge in enumerate(judges):
        if judge.embeddings is not None:
            places_of.setdefault(judge.machine, []).append(place)
    for places in places_of.values():
        scores[places] = _by_embedding(judges[places[0]], outputs.embedding[places])
    return scores


def _by_embedding(judge: Judge, embeddings: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Scores of clips of one machine by their embeddings [B, 128], [B]."""
    assert judge.embeddings is not None
    scores = np.full(len(embeddings), np.nan)
    is_good = np.isfinite(embeddings).all(1) & (embeddings != 0).any(1)
    scores[is_good] = judge.embeddings.scores_of(embeddings[is_good])
    return scores
