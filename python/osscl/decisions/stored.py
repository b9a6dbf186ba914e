"""Numbers of clips as a model file keeps them: a mean in float32, and deviations from it in float16."""

from typing import NamedTuple

import numpy as np

from osscl.decisions.blocks import N_FEATURES, Rows
from osscl.errors import DecisionError

MEAN_TYPE = np.dtype("<f4")
DEVIATION_TYPE = np.dtype("<f2")


class StoredArrays(NamedTuple):
    """Numbers of n clips, rounded: 360 features, or 128 of an embedding.

    Attributes
    ----------
    mean : bytes
        As many little-endian float32 as a clip has numbers.
    deviations : bytes
        n times as many little-endian float16, one clip after another.
    """

    mean: bytes
    deviations: bytes


def store(rows: Rows) -> StoredArrays:
    """Round numbers [n, size]; float16 of a deviation moves a distance by 2e-4, of a feature itself by 1 %.

    Raises
    ------
    DecisionError
        A feature lies further than 65504 dB from the mean: none of a recording does.
    """
    mean = rows.mean(0).astype(MEAN_TYPE)
    with np.errstate(over="ignore"):  # said below
        deviations = (rows - mean.astype(np.float64)).astype(DEVIATION_TYPE)
    bad = np.flatnonzero(~np.isfinite(deviations).all(1))
    if bad.size:
        raise DecisionError(
            f"row {bad[0]} of features lies further than 65504 dB from the others; compute its features again"
        )
    return StoredArrays(mean.tobytes(), deviations.tobytes())


def restore(stored: StoredArrays, size: int = N_FEATURES) -> Rows:
    """Numbers [n, size] in float64, exactly what was rounded.

    Raises
    ------
    DecisionError
        The bytes are no such arrays.
    """
    row = size * DEVIATION_TYPE.itemsize
    if len(stored.mean) != size * MEAN_TYPE.itemsize or len(stored.deviations) % row:
        raise DecisionError(
            f"a stored memory has {len(stored.mean)} and {len(stored.deviations)} bytes; expected "
            f"{size * MEAN_TYPE.itemsize} and a multiple of {row}: it is damaged, enroll again"
        )
    mean = np.frombuffer(stored.mean, MEAN_TYPE).astype(np.float64)
    deviations = np.frombuffer(stored.deviations, DEVIATION_TYPE).astype(np.float64).reshape(-1, size)
    rows: Rows = mean + deviations
    if not np.isfinite(rows).all():
        raise DecisionError("a stored memory holds numbers that are not finite: it is damaged, enroll again")
    return rows
