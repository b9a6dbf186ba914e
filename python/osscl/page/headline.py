"""The answer of a page in a sentence, and whether to believe it in another."""

from collections.abc import Sequence

from osscl.page.contents import MachinePart
from osscl.page.scored import Scored
from osscl.support.listing import listed
from osscl.support.plurals import counted, verb

_MAX_NAMED, _MAX_SINCE = 3, 2


def headline_of(parts: Sequence[MachinePart], scored: Scored, since: str | None = None) -> str:
    """Say in one sentence what there is to do.

    Parameters
    ----------
    parts : sequence of MachinePart
        All machines.
    scored : Scored
        The table; its machines with those clips alone that count.
    since : str or None
        From when on they count; None where all do.

    Returns
    -------
    str
        Such as "pump/id_02 needs attention."
    """
    if not scored.records:
        return "The table is empty: no file was scored."
    if not parts:
        return f"None of {_files(len(scored.records))} has a score."
    urgent = [part for part in parts if part.standing.state == "attention"]
    if len(urgent) == 1:
        begun = urgent[0].standing.since
        return f"{urgent[0].scores.name} needs attention{f': {begun}' if begun else ''}."
    if urgent:
        # the rows say of each since when; of many the headline would be a paragraph
        spelled = [_with_since(part) if len(urgent) <= _MAX_SINCE else part.scores.name for part in urgent]
        named = listed(spelled, _MAX_NAMED)
        return f"{len(urgent)} of {counted(len(parts), 'machine')} need attention: {named}."
    answer = _answer(parts, scored)
    return answer if since is None else f"Since {since}: {answer}"


def _with_since(part: MachinePart) -> str:
    since = part.standing.since
    return f"{part.scores.name} ({since})" if since else part.scores.name


def _answer(parts: Sequence[MachinePart], scored: Scored) -> str:
    """What is to be said where no machine needs attention."""
    if not scored.n_scored:
        return "No clip has a score."
    if not scored.n_decided:
        return "Nothing was decided: these are scores without a threshold."
    if scored.n_flagged:
        is_or_are = verb(scored.n_flagged, "is", "are")
        flagged = f"{scored.n_flagged:,} of {_clips(scored.n_decided)} {is_or_are} flagged"
        if any(part.counted.n_flagged and not part.standing.n_normal for part in parts):
            return f"{flagged}; whether chance explains that is not known."
        if any(part.counted.n_flagged and part.standing.is_of_windows for part in parts):
            return (
                f"{flagged}; whether chance explains that cannot be told of windows, which come together: "
                "osscl monitor --alarm decides of several."
            )
        return f"No machine stands out: {flagged}, no more than chance explains."
    return f"All quiet: none of {_clips(scored.n_decided)} is flagged."


def why_of(parts: Sequence[MachinePart]) -> str | None:
    """Say why a machine needs attention, where one alone does.

    Parameters
    ----------
    parts : sequence of MachinePart
        All machines.

    Returns
    -------
    str or None
        Its summary; of several, each has its own in the list.
    """
    urgent = [part for part in parts if part.standing.state == "attention"]
    return f"{urgent[0].standing.summary}." if len(urgent) == 1 else None


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
    by_trust = {
        level: [part for part in parts if part.standing.trust == level]
        for level in ("none", "limited", "good")
    }
    if not parts:
        return "There is nothing to trust or to doubt."
    for level, begin in (("none", "Nothing to trust yet"), ("limited", "Trust it with care")):
        doubted = by_trust[level]
        if doubted:
            reasons = dict.fromkeys(doubt for part in doubted for doubt in part.standing.doubts)
            of_whom = (
                ""
                if len(doubted) == len(parts)
                else f" for {listed([part.scores.name for part in doubted], _MAX_NAMED)}"
            )
            return f"{begin}{of_whom}: {listed(list(reasons), 2)}."
    fewest = min(parts, key=lambda part: part.standing.n_normal).standing
    if len(parts) == 1:
        return f"You can trust it: the machine was {fewest.rests_on}."
    return f"You can trust it: every machine was {fewest.rests_on}."


def _clips(n: int) -> str:
    return f"{n:,} {'clip' if n == 1 else 'clips'}"


def _files(n: int) -> str:
    return f"{n:,} {'file' if n == 1 else 'files'}"
