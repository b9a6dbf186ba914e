"""Ranks of scores among those that came before them."""

import numpy as np
import numpy.typing as npt


def earlier_and_greater(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Count for each value the earlier ones that are greater.

    Parameters
    ----------
    values : ndarray of float64, [..., N]
        In their order; finite.

    Returns
    -------
    ndarray of int64, [..., N]
        How many of the values before it, in the same row, are strictly greater.

    Notes
    -----
    A merge sort, all blocks of one size at once: log2(N) sorts of N numbers, so that a million values take
    seconds.
    """
    n = values.shape[-1]
    falling = _falling_places(values)
    place = np.arange(n)
    found = np.zeros(values.shape, np.int64)
    size = 1
    while size < n:
        block = place // (2 * size)
        is_left = place // size % 2 == 0
        # within a block by falling value; of equal ones the right half first, so that none counts as greater
        order = np.argsort((block * n + falling) * 2 + is_left, axis=-1)
        left_so_far = np.cumsum(is_left[order], axis=-1)  # [..., N], blocks before are full
        counted = np.empty(values.shape, np.int64)
        np.put_along_axis(counted, order, left_so_far, axis=-1)
        found += np.where(is_left, 0, counted - block * size)
        size *= 2
    return found


def _falling_places(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Place of each value among the different ones of its row, 0 for the greatest."""
    order = np.argsort(-values, axis=-1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=-1)
    is_new = np.ones(values.shape, np.int64)
    is_new[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    places = np.empty(values.shape, np.int64)
    np.put_along_axis(places, order, np.cumsum(is_new, axis=-1) - 1, axis=-1)
    return places
