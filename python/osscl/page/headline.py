"""The answer of a page in a sentence, and whether to believe it in another."""

from collections.abc import Sequence

from osscl.page.contents import MachinePart
from osscl.page.scored import Scored
from osscl.support.listing import listed

_MAX_NAMED = 3


def headline_of(parts: Sequence[MachinePart], scored: Scored) -> str:
    """Say in one sentence what there is to do.

    Parameters
    ----------
    parts : sequence of MachinePart
        All machines.
    scored : Scored
        The table.

    Returns
    -------
    str
        Such as "pump/id_02 needs attention: 14 of 50 clips flagged".
    """
    if not scored.records:
        return "The table is empty: no file was scored."
    if not parts:
        return f"None of {_files(len(scored.records))} has a score."
    urgent = [part for part in parts if part.standing.state == "attention"]
    if len(urgent) == 1:
        return f"{urgent[0].scores.name} needs attention: {urgent[0].standing.summary}."
    if urgent:
        return f"{len(urgent)} of {len(parts)} machines need attention: {listed([part.scores.name for part in urgent], _MAX_NAMED)}."
    if not scored.n_decided:
        return "Nothing was decided: these are scores without a threshold."
    if scored.n_flagged:
        one = scored.n_flagged == 1
        return (
            f"No machine stands out: {scored.n_flagged} of {scored.n_decided:,} clips "
            f"{'is' if one else 'are'} flagged, no more than chance explains."
        )
    return f"All quiet: none of {scored.n_decided:,} clips is flagged."


def trust_of(parts: Sequence[MachinePart]) -> str:
    """Say in one sentence whether to believe it.

    Parameters
    ----------
    parts : sequence of MachinePart
        All machines.

    Returns
    -------
    str
        The worst of what is to be said of any of them.
    """
    by_trust = {level: [part for part in parts if part.standing.trust == level] for level in ("none", "limited", "good")}
    if not parts:
        return "There is nothing to trust or to doubt."
    for level, begin in (("none", "Nothing to trust yet"), ("limited", "Trust it with care")):
        doubted = by_trust[level]
        if doubted:
            reasons = dict.fromkeys(doubt for part in doubted for doubt in part.standing.doubts)
            of_whom = "" if len(doubted) == len(parts) else f" for {listed([part.scores.name for part in doubted], _MAX_NAMED)}"
            return f"{begin}{of_whom}: {listed(list(reasons), 2)}."
    fewest = min(parts, key=lambda part: part.standing.n_normal).standing
    if len(parts) == 1:
        return f"You can trust it: the machine was {fewest.rests_on}."
    return f"You can trust it: every machine was {fewest.rests_on}."


def _files(n: int) -> str:
    return f"{n:,} {'file' if n == 1 else 'files'}"
