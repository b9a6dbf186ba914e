"""How a machine stands, and how far that is to be trusted, in words for a stranger."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from osscl.decisions import rate_interval, smallest_rate
from osscl.decisions.alarm_rates import chance_of_flagged
from osscl.page.scored import MachineScores
from osscl.scoring.judge import Judge
from osscl.scoring.record import WINDOW, Record
from osscl.support.listing import and_more, first_of
from osscl.support.plurals import are, counted

State: TypeAlias = Literal["attention", "chance", "quiet", "unknown"]
Trust: TypeAlias = Literal["good", "limited", "none"]

UNLIKELY = 0.01
"""More flagged clips than that likely by chance alone mean that a machine needs attention."""
FEW_RECORDINGS = 20
_MANY_DOUBTS = 0.1
STATES: dict[State, str] = {
    "attention": "Needs attention",
    "chance": "Some flagged",
    "quiet": "Quiet",
    "unknown": "Not decided",
}
"""What each state is called, the most urgent first."""
AMONG_THEMSELVES = "As expected"
"""What "Some flagged" is called of normal recordings that judge one another."""


@dataclass(frozen=True)
class Standing:
    """What is to be said of a machine at a glance.

    Attributes
    ----------
    state : {"attention", "chance", "quiet", "unknown"}
        More flagged than chance explains, no more than that (or it cannot be told), none, or nothing decided.
    summary : str
        Such as "12 of 40 clips flagged; 2 are expected by chance".
    trust : {"good", "limited", "none"}
        Whether to believe it.
    rests_on : str
        What the decisions rest on, a clause.
    doubts : tuple of str
        Why not to believe them, a clause each.
    n_normal : int
        Normal recordings that decide.
    is_of_windows : bool
        Whether its clips are windows of long recordings, of which chance cannot be told.
    since : str or None
        Since when it is so: "alarm since ...", "alarm over since ..."; None where neither alarm nor drift is.
    called : str
        What its state is called; empty where that is as in `STATES`.
    """

    state: State
    summary: str
    trust: Trust
    rests_on: str
    doubts: tuple[str, ...]
    n_normal: int = 0
    is_of_windows: bool = False
    since: str | None = None
    called: str = ""

    @property
    def reason_at_a_glance(self) -> str:
        """What speaks for its trust in a line: the first doubts, or what the decisions rest on."""
        first, n_left = first_of(self.doubts, 1)
        return "; ".join(first) + and_more(n_left) if first else self.rests_on

    @property
    def urgency(self) -> int:
        """Place in a list, 0 first."""
        return list(STATES).index(self.state)


def standing_of(
    scores: MachineScores,
    records: Sequence[Record],
    judge: Judge | str | None,
    warned: Sequence[str] = (),
    over: Sequence[str] = (),
    since: str | None = None,
    *,
    is_of_themselves: bool = False,
) -> Standing:
    """Say how a machine stands.

    Parameters
    ----------
    scores : MachineScores
        Its scored clips.
    records : sequence of Record
        All lines of the machine, those without a score too.
    judge : Judge, str or None
        What decided, or why nothing can be said of that; None where no model file is at hand.
    warned : sequence of str
        Why it needs attention, beside its flagged clips: drift, or an alarm that stands.
    over : sequence of str
        What is to be said besides, and is over.
    since : str or None
        Since when it is so, for the headline.
    is_of_themselves : bool
        Whether the clips are the normal recordings, judged by one another: then the highest are always
        flagged.

    Returns
    -------
    Standing
        State, trust and their reasons.
    """
    n, n_flagged = scores.n_decided, scores.n_flagged
    doubts = (*_doubts_of_decisions(judge), *_doubts_of_clips(records))
    if not n:
        why = judge.undecided if isinstance(judge, Judge) else judge
        none_known = "the machine has no memory and no calibration (osscl enroll makes one)"
        why = why or (none_known if judge is None else "the lines of the table hold no decision")
        scored = f"{_clips(len(scores.lines))} scored, none decided"
        state: State = "attention" if warned else "unknown"
        summary = "; ".join([scored, *warned, *over])
        return Standing(
            state, summary, "none", "nothing", (f"nothing was decided: {why}", *doubts), since=since
        )
    n_normal = judge.n_recordings if isinstance(judge, Judge) else 0
    rests_on = _rests_on(judge, n_normal)
    summary = f"{n_flagged} of {_clips(n)} flagged" if n_flagged else f"none of {_clips(n)} flagged"
    if is_of_themselves and n_flagged:
        summary += (
            f": of {counted(n, 'recording')} judged by one another the highest always are, at this rate"
        )
    elif isinstance(judge, Judge) and n_flagged:
        summary += f"; {_expected(judge.rate * n)} expected by chance"
    is_of_windows = any(record.scope == WINDOW for record in records)
    # windows of one recording are alike: they are flagged together, and n of them are not n clips
    is_beyond = not is_of_windows and n_flagged > 0 and _chance(judge, n, n_flagged) < UNLIKELY
    state = "attention" if is_beyond or warned else "chance" if n_flagged else "quiet"
    trust: Trust = "limited" if doubts else "good"
    summary = "; ".join([summary, *warned, *over])
    called = AMONG_THEMSELVES if is_of_themselves and state == "chance" else ""
    return Standing(state, summary, trust, rests_on, doubts, n_normal, is_of_windows, since, called)


def standing_without_clips(
    since: object, warned: Sequence[str], over: Sequence[str], clause: str | None
) -> Standing:
    """Say how a machine stands of which no clip counts.

    Parameters
    ----------
    since : object
        From when on clips count, as it is spelled.
    warned, over : sequence of str
        As for `standing_of`.
    clause : str or None
        As `since` there.

    Returns
    -------
    Standing
        Not decided, unless an alarm or drift stands.
    """
    none = f"no clip with a score since {since}"
    state: State = "attention" if warned else "unknown"
    return Standing(state, "; ".join([none, *warned, *over]), "none", "nothing", (none,), since=clause)


def _chance(judge: Judge | str | None, n: int, n_flagged: int) -> float:
    """Chance of so many flagged of n normal clips, or more: beta-binomial, as one calibration decides all."""
    if not isinstance(judge, Judge) or not judge.n_recordings:
        return 1.0
    n_normal = judge.n_recordings
    # a table may have been decided at a rate that these recordings cannot speak of
    return chance_of_flagged(n_flagged, n, max(judge.rate, smallest_rate(n_normal)), n_normal)


def _rests_on(judge: Judge | str | None, n_normal: int) -> str:
    if not isinstance(judge, Judge):
        return "compared with recordings that are not known here"
    return (
        f"compared with {counted(n_normal, 'normal recording')}, and {100 * judge.rate:.3g} % of normal "
        f"clips are "
        "flagged by chance"
    )


def _doubts_of_decisions(judge: Judge | str | None) -> Iterator[str]:
    if isinstance(judge, str):
        yield f"what decided it is not known: {judge}"
    elif judge is None:
        yield "the model file is not at hand, so what the decisions rest on is not known"
    elif judge.n_recordings:
        n_normal = judge.n_recordings
        found = rate_interval(n_normal, judge.rate)
        if n_normal < FEW_RECORDINGS and found is not None:
            yield (
                f"{are(n_normal, 'normal recording')} few: the false-alarm rate may really be "
                f"{100 * found.low:.2g} to {100 * found.high:.2g} %"
            )
        if judge.caveat:
            yield judge.caveat


def _doubts_of_clips(records: Sequence[Record]) -> Iterator[str]:
    scored = [record for record in records if record.score is not None]
    doubtful = [record for record in scored if record.quality]
    if len(doubtful) > _MANY_DOUBTS * len(scored):
        yield f"{_clips(len(doubtful))} of doubtful recording quality"
    silent = sum(record.status == "silent" for record in scored)
    if silent:
        yield f"{_clips(silent)} silent: a dead microphone?"
    failed = len(records) - len(scored)
    if failed:
        # no number of each machine: the headline says it once for all of them
        nouns = "windows" if any(record.scope == WINDOW for record in records) else "files"
        yield f"{nouns} without a score"
    undecided = sum(record.is_anomaly is None for record in scored)
    if 0 < undecided < len(scored):
        yield f"{_clips(undecided)} not decided"


def _expected(count: float) -> str:
    return "less than 1" if count < 1 else f"{count:.0f}"


def _clips(n: int) -> str:
    return f"{n:,} {'clip' if n == 1 else 'clips'}"
