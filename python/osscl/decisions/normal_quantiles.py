"""Quantiles of the normal distribution."""

from statistics import NormalDist

import numpy as np
import numpy.typing as npt


def normal_quantiles(p: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Value below which a standard normal one lies with probability p, [...], each in (0, 1)."""
    quantile = NormalDist().inv_cdf
    return np.fromiter(map(quantile, p.ravel().tolist()), np.float64, p.size).reshape(p.shape)
