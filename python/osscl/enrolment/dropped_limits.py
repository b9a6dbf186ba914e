"""Detection limits that hold no longer, because what they were measured with is another one now."""

from collections.abc import Collection, Iterator

from osscl.model_file.decisions import Rule
from osscl.model_file.limits import MachineLimits


def without_limits(
    limits: Collection[MachineLimits], stale: Collection[tuple[str, Rule]]
) -> tuple[MachineLimits, ...]:
    """Leave out limits.

    Parameters
    ----------
    limits : collection of MachineLimits
        What a model file holds.
    stale : collection of (str, str)
        Machines and rules whose limits hold no longer.

    Returns
    -------
    tuple of MachineLimits
        The others.
    """
    return tuple(each for each in limits if (each.machine, each.rule) not in stale)


def dropped_limits(limits: Collection[MachineLimits], stale: Collection[tuple[str, Rule]]) -> Iterator[str]:
    """Say which limits are left out.

    Parameters
    ----------
    limits : collection of MachineLimits
        What a model file holds.
    stale : collection of (str, str)
        Machines and rules whose limits hold no longer.

    Yields
    ------
    str
        One sentence each.
    """
    for each in limits:
        if (each.machine, each.rule) in stale:
            what = "memory" if each.rule == "memory" else "memory or calibration"
            yield (
                f"{each.machine}: its detection limits by the rule {each.rule} were measured with its "
                f"earlier {what} and are left out; run osscl sensitivity --store again"
            )
