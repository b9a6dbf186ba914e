"""What is said of a machine that is watched."""

from collections.abc import Mapping, Sequence

from osscl.decisions.blocks import BLOCKS
from osscl.decisions.thinning import Spacing
from osscl.monitoring.alarm_facts import AlarmFacts
from osscl.monitoring.options import SECONDS, AlarmBudget
from osscl.support.plurals import plural

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
    # a memory that holds a clip scores it lower than any new one
    enrolled = "" if is_higher or not has_memory else "leave out recordings that were enrolled; "
    return (
        f"clips of {machine} are no longer like its calibration, since about {since}: {', '.join(what)}; "
        f"{enrolled}look at the machine, and where it is well, tell the model of its new sound by {remedy}"
    )


def spacing_sentence(spacing: Spacing) -> str:
    """Say that clips are alike, and what that does.

    Parameters
    ----------
    spacing : Spacing
        How far apart clips are taken, more than 1.

    Returns
    -------
    str
        One sentence.
    """
    return (
        f"neighbouring clips are alike: one of {spacing.distance} is taken to tell drift (calibration: "
        f"{spacing.of_calibration}, table: {spacing.of_stream}), and false alarms can come more often than "
        "is stated for independent clips"
    )


def budget_sentence(facts: AlarmFacts, budget: AlarmBudget) -> str:
    """Say what false alarms that may be raised mean for single clips, and which n of m gets there.

    Parameters
    ----------
    facts : AlarmFacts
        What was chosen, with `every_s` and `asked`.
    budget : AlarmBudget
        What was asked for.

    Returns
    -------
    str
        One sentence.
    """
    assert facts.asked is not None
    assert facts.every_s is not None
    per_budget_time = facts.raised * SECONDS[budget.per] / facts.every_s
    return (
        f"{budget} at a clip every {facts.every_s:g} s is one alarm in {1 / facts.asked:,.0f} clips; "
        f"{facts.n_recordings} normal {plural(facts.n_recordings, 'recording')} can speak of "
        f"{100 * facts.smallest_rate:.3g} % of single "
        f"clips or more, and at the table's {100 * facts.false_alarm_rate:.3g} % an alarm from {facts.n} of "
        f"the last {facts.m} is raised {per_budget_time:.2g}/{budget.per} without a fault; however clips "
        f"depend on one another, it stands at {100 * facts.bound:.2g} % of them at most"
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
