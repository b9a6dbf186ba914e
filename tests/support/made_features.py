"""Made features of machines, and the memory's arithmetic once more, written from its definition."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from osscl.decisions import Background, pooled_background

Array = npt.NDArray[np.float64]
PARTS = {
    "level": (0, 32, 1.0),
    "modulation": (32, 128, 1.0),
    "flutter": (128, 328, 1.0),
    "event": (328, 360, 0.25),
}


def made_features(seed: int, n: int, *, n_recordings: int = 0, within: float = 0.4) -> Array:
    """Features of n clips; with recordings, clips of one lie `within` of it."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(7).normal(size=(360, 24))  # what all machines vary in
    centre = np.random.default_rng(8).normal(-40, 10, 360)

    def draw(count: int) -> Array:
        return np.asarray(rng.normal(size=(count, 24)) @ mixing.T / 5 + rng.normal(size=(count, 360)))

    if not n_recordings:
        return centre + draw(n)
    return centre + draw(n_recordings)[np.arange(n) % n_recordings] + within * draw(n)


def made_background() -> Background:
    """Of 6 machines, 12 clips each."""
    return pooled_background({f"fan/id_{i}": made_features(100 + i, 12) for i in range(6)}, "made", "0" * 64)


def plain_distance(normals: Array, prior: Array | None, row: Array, *, full: bool) -> float:
    """Distance of one row from normals of its block, by explicit inverse matrices."""
    n, d = normals.shape
    deviations = normals - np.mean(normals, axis=0)
    scatter = np.sum([np.outer(u, u) for u in deviations], axis=0)
    if not full:
        scatter = np.diag(np.diag(scatter))
    if prior is not None:
        p = prior if full else np.diag(prior)
        c = max(np.trace(scatter) / (n - 1) / np.trace(p), 1e-3)
        sigma = (scatter + 30 * c * p) / (n - 1 + 30)
    elif full:
        x = deviations * np.sqrt(n / (n - 1))
        s = x.T @ x / n
        mu = np.trace(s) / d
        d2 = np.sum((s - mu * np.eye(d)) ** 2)
        b2 = min(sum(np.sum((np.outer(u, u) - s) ** 2) for u in x) / n**2, d2)
        sigma = b2 / d2 * mu * np.eye(d) + (1 - b2 / d2) * s
    else:
        mean_variance = np.trace(scatter) / (n - 1) / d
        sigma = np.diag((np.diag(scatter) + 5 * mean_variance) / (n - 1 + 5))
    precision = np.linalg.inv(sigma)
    order = sorted(range(n), key=lambda i: ((row - normals[i]) @ precision @ (row - normals[i]), i))
    k = min(max(4, n // 4), n)
    away = row - np.mean(normals[order[:k]], axis=0)
    return float(np.sqrt(away @ precision @ away))


def plain_memory(
    normals: Array, groups: Sequence[Any], background: Background | None, clips: Array
) -> tuple[Array, Array]:
    """Leave-one-out scores of the normals, and scores of clips."""
    named = np.asarray(groups)
    left_out, scores = np.zeros(len(normals)), np.zeros(len(clips))
    for name, (start, stop, weight) in PARTS.items():
        t, y = normals[:, start:stop], clips[:, start:stop]
        prior = None if background is None else getattr(background, name)
        full = name == "level"
        left = np.array(
            [plain_distance(t[named != g], prior, row, full=full) for g, row in zip(named, t, strict=True)]
        )
        floor = 0.05 * max(left.mean(), 0.1 * np.sqrt(stop - start))
        spread = np.sqrt(np.var(left, ddof=1) + floor**2)
        left_out += weight * (left - left.mean()) / spread
        distances = np.array([plain_distance(t, prior, row, full=full) for row in y])
        scores += weight * (distances - left.mean()) / spread
    return left_out, scores
