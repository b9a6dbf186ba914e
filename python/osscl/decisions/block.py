"""One block of a memory: fitted to normal clips, it gives the distance of others from them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osscl.decisions.blocks import Rows
from osscl.decisions.ledoit_wolf import ledoit_wolf

PRIOR_CLIPS = 30.0
"""How many clips the background counts for beside a machine's own."""
OWN_PRIOR_CLIPS = 5.0
"""The same of a machine's own mean variance, where there is no background."""
MIN_SCALE = 1e-3
"""Smallest scale of the background: clips that hardly differ make no distance endless."""
MIN_NEIGHBOURS = 4
CLIPS_A_NEIGHBOUR = 4


@dataclass(frozen=True, eq=False)
class BlockFit:
    """What one block knows of normal clips.

    Attributes
    ----------
    whitening : ndarray of float64, [d, d] or [d]
        Inverse Cholesky factor of the covariance, or inverse standard deviations.
    whitened : ndarray of float64, [n, d]
        The normal clips, whitened.
    n_neighbours : int
        How many of the nearest make the local mean.
    """

    whitening: Rows
    whitened: Rows
    n_neighbours: int

    def distances(self, rows: Rows) -> npt.NDArray[np.float64]:
        """Whitened distance of clips, [m, d], from the mean of their nearest normal clips, [m]."""
        found = np.empty(len(rows))
        for i, row in enumerate(rows):  # one at a time: a matrix product's digits depend on its size
            to_mean = self.to_normal(row)
            found[i] = np.sqrt(to_mean @ to_mean)
        return found

    def to_normal(self, row: Rows) -> Rows:
        """Whitened way of a clip, [d], to the mean of its nearest normal clips, [d]."""
        away = self.whitened - whiten(self.whitening, row)  # [n, d]
        nearest = np.argsort(np.einsum("nd,nd->n", away, away), kind="stable")[: self.n_neighbours]
        way: Rows = away[nearest].mean(0)
        return way


def fit_block(rows: Rows, prior: Rows | None, *, full: bool, min_variance: float) -> BlockFit:
    """Fit a block to normal clips.

    Parameters
    ----------
    rows : ndarray of float64, [n, d]
        The block of n >= 2 normal clips.
    prior : ndarray of float64, [d, d] or [d], or None
        The background's covariance of this block; None where there is no background.
    full : bool
        Whether the covariance is a whole matrix.
    min_variance : float
        Smallest mean variance without a background, see `osscl.decisions.space.Space`.

    Returns
    -------
    BlockFit
        Fitted.
    """
    n = len(rows)
    centred = rows - rows.mean(0)
    if prior is None:
        covariance = _own_covariance(centred, full=full, min_variance=min_variance)
    else:
        covariance = _shrunk_covariance(centred, prior)
    whitening = np.linalg.inv(np.linalg.cholesky(covariance)) if full else 1 / np.sqrt(covariance)
    n_neighbours = min(max(MIN_NEIGHBOURS, n // CLIPS_A_NEIGHBOUR), n)
    return BlockFit(whitening, whiten(whitening, rows), n_neighbours)


def left_out_distances(
    rows: Rows, groups: npt.NDArray[np.intp], prior: Rows | None, *, full: bool, min_variance: float
) -> npt.NDArray[np.float64]:
    """Distance of each normal clip from those of other groups, everything fitted to them alone.

    Parameters
    ----------
    rows : ndarray of float64, [n, d]
        The block of the normal clips.
    groups : ndarray of int, [n]
        Group of each clip, counted from 0; two clips or more remain without any of them.
    prior, full, min_variance
        As `fit_block` takes them.

    Returns
    -------
    ndarray of float64, [n]
        Distances.
    """
    found = np.empty(len(rows))
    for group in range(groups.max() + 1):
        left_out = groups == group
        others = fit_block(rows[~left_out], prior, full=full, min_variance=min_variance)
        found[left_out] = others.distances(rows[left_out])
    return found


def whiten(whitening: Rows, rows: Rows) -> Rows:
    """Give numbers [n, d] or [d] variance 1, and no correlation where the covariance is whole."""
    whitened: Rows = rows @ whitening.T if whitening.ndim == 2 else rows * whitening
    return whitened


def _shrunk_covariance(centred: Rows, prior: Rows) -> Rows:
    """The clips' own covariance, and the background's scaled to their spread, weighed by clips."""
    degrees = len(centred) - 1
    variances = np.einsum("nd,nd->d", centred, centred)  # times degrees
    trace = np.trace(prior) if prior.ndim == 2 else prior.sum()
    scale = max(variances.sum() / degrees / trace, MIN_SCALE)
    own = centred.T @ centred if prior.ndim == 2 else variances
    shrunk: Rows = (own + PRIOR_CLIPS * scale * prior) / (degrees + PRIOR_CLIPS)
    return shrunk


def _own_covariance(centred: Rows, *, full: bool, min_variance: float) -> Rows:
    """What can be said without a background: shrunk towards the mean variance."""
    n, d = centred.shape
    degrees = n - 1
    variances = np.einsum("nd,nd->d", centred, centred)  # times degrees
    mean_variance = variances.sum() / degrees / d
    if full:
        shrunk = ledoit_wolf(centred * np.sqrt(n / degrees))
        lifted: Rows = shrunk + max(min_variance - mean_variance, 0.0) * np.eye(d)
        return lifted
    towards = max(mean_variance, min_variance)
    own: Rows = (variances + OWN_PRIOR_CLIPS * towards) / (degrees + OWN_PRIOR_CLIPS)
    return own
