"""Ledoit and Wolf's covariance: a sample's own, drawn towards a multiple of the identity."""

import numpy as np

from osscl.decisions.blocks import Rows


def ledoit_wolf(rows: Rows) -> Rows:
    """Estimate the covariance of centred rows with the least expected squared error.

    Parameters
    ----------
    rows : ndarray of float64, [n, d]
        Centred by whoever calls, n > 0.

    Returns
    -------
    ndarray of float64, [d, d]
        (1 - w) S + w (trace S / d) I, where S = rows' rows / n and w in [0, 1] is estimated from the rows.

    References
    ----------
    Ledoit, Wolf: "A well-conditioned estimator for large-dimensional covariance matrices", Journal of
    Multivariate Analysis 88 (2004), section 3.3.
    """
    n, d = rows.shape
    sample = rows.T @ rows / n  # [d, d]
    mean_variance = np.trace(sample) / d
    identity = np.eye(d)
    spread = ((sample - mean_variance * identity) ** 2).sum() / d
    error = (((rows**2).sum(1) ** 2).sum() / n - (sample**2).sum()) / n / d
    weight = min(max(error, 0.0), spread) / spread if spread > 0 else 1.0
    shrunk: Rows = (1 - weight) * sample + weight * mean_variance * identity
    return shrunk
