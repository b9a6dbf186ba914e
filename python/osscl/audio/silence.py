"""Dead channels: recordings in which nothing is heard, whatever their level."""

from osscl.audio.samples import INT16_FULL_SCALE, Samples


def silence_of(samples: Samples) -> str | None:
    """Say what stands in the place of sound, if nothing else does.

    A channel is dead if all samples are one value, or two that the last of 16 bits tells apart: what
    a converter gives that has no microphone, or a broken one.

    Parameters
    ----------
    samples : ndarray of int16 or float32, [n_samples]
        Samples at full scale, at least one, as they were recorded.

    Returns
    -------
    str or None
        A clause like "all samples are zero"; None where there is sound.
    """
    low, high = samples.min(), samples.max()
    last_bit = 1.0 if samples.dtype.kind == "i" else 1.0 / INT16_FULL_SCALE
    if float(high) - float(low) > last_bit or not ((samples == low) | (samples == high)).all():
        return None
    if low != high:
        return f"all samples are {low:.9g} or {high:.9g}"
    return "all samples are zero" if low == 0 else f"all samples are {low:.9g}"
