"""What is said of a machine that has changed."""

from collections.abc import Mapping, Sequence

from osscl.decisions.blocks import BLOCKS

_LEAST_Z = 0.5


def drift_sentence(
    machine: str,
    began: int,
    n_clips: int,
    time: str | None,
    is_higher: bool,
    block_z: Mapping[str, float],
    bands: Sequence[str],
    has_memory: bool,
) -> str:
    """Say what happened, since when, and what to do.

    Parameters
    ----------
    machine : str
        Its ID.
    began, n_clips : int
        Clip from which on it is so, counted from 0, of how many.
    time : str or None
        Its time, ISO 8601.
    is_higher : bool
        Whether clips since then score higher than the calibration.
    block_z : mapping of str to float
        Mean z of each block since then; may be empty.
    bands : sequence of str
        Where in frequency, in words; may be empty.
    has_memory : bool
        Whether the machine has a memory, which new normal clips can be added to.

    Returns
    -------
    str
        One sentence.
    """
    since = f"clip {began + 1} of {n_clips}" if time is None else _to_the_minute(time)
    what = [f"scores are {'higher' if is_higher else 'lower'}", *_blocks(block_z), *bands]
    remedy = "osscl enroll --add" if has_memory else "osscl calibrate"
    return (
        f"clips of {machine} are no longer like its calibration, since about {since}: {', '.join(what)}; look "
        f"at the machine, and where it is well, tell the model of its new sound by {remedy}"
    )


def _blocks(block_z: Mapping[str, float]) -> list[str]:
    """The block that weighs most since then, where one stands out."""
    if not block_z:
        return []
    name = max(block_z, key=lambda block: abs(BLOCKS[block].weight * block_z[block]))
    return [f"above all its {name} (z {block_z[name]:+.1f})"] if abs(block_z[name]) >= _LEAST_Z else []


def _to_the_minute(time: str) -> str:
    """ISO 8601 as people write it: without seconds, its time zone kept."""
    day, _, clock = time.partition("T")
    if not clock:
        return day
    zone_at = next((at for at, char in enumerate(clock) if char in "Z+-"), len(clock))
    return f"{day} {clock[:5]}{clock[zone_at:]}"
