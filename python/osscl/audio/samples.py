"""Arrays of samples: which ones are accepted, and how int16 becomes full scale ±1."""

import hashlib
from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from osscl.errors import InputError, OssclError

Samples: TypeAlias = npt.NDArray[np.int16] | npt.NDArray[np.float32]
"""Samples at full scale: int16, or float32 within ±1 or a little above."""


class HasArray(Protocol):
    """What NumPy makes an array of: arrays, and tensors of other packages."""

    def __array__(self) -> npt.NDArray[Any]:
        """Give the array."""


Waveforms: TypeAlias = (
    HasArray | Sequence[HasArray] | list[float] | list[int] | list[list[float]] | list[list[int]]
)
"""Samples as callers hand them over; no texts and no bytes, which NumPy's own type of arrays takes too."""

INT16_FULL_SCALE = 32768.0
LEVEL_LIMIT = 8.0
"""Float samples beyond this magnitude are no full-scale-±1 sound but unscaled integers."""


def check_level(samples: npt.NDArray[np.float32], error: type[OssclError]) -> None:
    """Raise `error` unless all samples are finite and within ±8.

    Parameters
    ----------
    samples : ndarray of float32, any shape
        Samples at full scale ±1.
    error : type
        Class of the error to raise.
    """
    if not samples.size:
        return
    # the extremes are NaN where any sample is: two passes, no temporary array
    peak = max(-float(samples.min()), float(samples.max()))
    if peak <= LEVEL_LIMIT:
        return
    if not np.isfinite(samples).all():
        raise error("samples hold NaN or infinity; expected finite numbers within ±1")
    raise error(
        f"samples reach a magnitude of {peak:.6g}; expected full scale ±1 (at most {LEVEL_LIMIT:g}): "
        "divide integers stored as float by their full scale, 32768 for 16 bits"
    )


def to_waveform(samples: Samples) -> npt.NDArray[np.float32]:
    """Samples as float32 at full scale ±1; float32 passes unchanged."""
    if samples.dtype == np.int16:
        return np.multiply(samples, np.float32(1.0 / INT16_FULL_SCALE), dtype=np.float32)
    return samples.astype(np.float32, copy=False)


def stack_clips(clips: Sequence[Samples]) -> Samples:
    """Clips [n_samples] -> batch [B, n_samples]: int16 where all are, else float32 at full scale ±1."""
    if all(clip.dtype == np.int16 for clip in clips):
        return cast("Samples", np.stack(clips))
    return np.stack([to_waveform(clip) for clip in clips])


def clip_sha256(samples: Samples) -> str:
    """Hash of a clip's content: of its waveform as little-endian float32, so that the format has no say.

    Parameters
    ----------
    samples : ndarray of int16 or float32, [n_samples]
        Samples at full scale.

    Returns
    -------
    str
        SHA-256, lower-case hexadecimal digits.
    """
    return hashlib.sha256(to_waveform(samples).astype("<f4", copy=False).tobytes()).hexdigest()


def as_samples(waveforms: Waveforms, error: type[OssclError]) -> Samples:
    """Samples of an array that a caller handed over: int16 as they are, floats as float32, checked.

    Parameters
    ----------
    waveforms : array_like, [..., n_samples]
        int16, or float at full scale ±1, in any byte order; n_samples is at least 1.
    error : type
        Class of the error to raise for any other array.

    Returns
    -------
    ndarray of int16 or float32, [..., n_samples]
        C-contiguous, in the machine's byte order; the caller's own array where that is possible.
    """
    samples = _as_array(waveforms, error)
    is_int16 = samples.dtype.newbyteorder("=") == np.int16
    if not is_int16 and not np.issubdtype(samples.dtype, np.floating):
        raise error(f"waveforms has dtype {samples.dtype}; expected int16, or float at full scale ±1")
    if samples.ndim < 1:
        raise error("waveforms is a single number; expected an array [..., n_samples]")
    if samples.shape[-1] == 0:
        raise error(f"waveforms has shape {list(samples.shape)}; expected at least one sample in each")
    if is_int16:
        return np.ascontiguousarray(samples, dtype=np.int16)
    with np.errstate(over="ignore"):  # what overflows becomes infinite, which the check tells
        floats = np.ascontiguousarray(samples, dtype=np.float32)
    check_level(floats, error)
    return floats


def _as_array(waveforms: Waveforms, error: type[OssclError]) -> npt.NDArray[Any]:
    parts = waveforms if isinstance(waveforms, list | tuple) else [waveforms]
    if any(isinstance(part, np.ma.MaskedArray) for part in parts):  # an array made of them forgets the masks
        raise error(
            "waveforms is a masked array, and what is masked is no sound; expected a plain array: "
            "waveforms.filled(0) puts silence in its place"
        )
    try:
        return np.asarray(waveforms)
    except (TypeError, ValueError, RuntimeError) as reason:
        sentence = str(reason).partition(". ")[0]
        raise error(
            f"waveforms is no array: {sentence}; expected numbers, and as many in each row: [..., n_samples]"
        ) from reason


def output_array(out: npt.NDArray[np.float32] | None, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """The array that a caller gave for a result, checked, or a new one.

    Raises
    ------
    InputError
        If `out` has another type, shape or layout, or cannot be written.
    """
    if out is None:
        return np.empty(shape, np.float32)
    if out.shape != shape or out.dtype != np.float32 or not out.flags.c_contiguous or not out.flags.writeable:
        raise InputError(
            f"out is {out.dtype} {list(out.shape)}; "
            f"expected a writeable, C-contiguous float32 array {list(shape)}"
        )
    return out
