"""What a report comes to, in words: what AUC means, which anomalies were missed, what to do next."""

from collections.abc import Iterator, Sequence

from osscl.evaluation.figures import Decisions, Evaluation
from osscl.evaluation.missed import MissedClip
from osscl.evaluation.report_tables import Report
from osscl.support.listing import listed
from osscl.support.plurals import plural

_MAX_NAMED = 10
_NO_BETTER_THAN_CHANCE = 0.55
"""Mean AUC below which scores are called no better than chance, and nothing is to be decided by them."""


def words_of(report: Report) -> Iterator[str]:
    """Say what a report comes to, to somebody who does not read tables.

    Parameters
    ----------
    report : Report
        What is shown.

    Yields
    ------
    str
        One sentence.
    """
    evaluation = report.evaluation
    yield _meaning(evaluation)
    decisions = evaluation.decisions
    if report.missed is not None and decisions is not None:
        yield _found(decisions, report.missed)
    else:
        yield _undecided(evaluation, report.unheard)
    yield f"next: {', and '.join(_next(evaluation, report.missed))}."


def _meaning(evaluation: Evaluation) -> str:
    mean = evaluation.total.mean_auc
    pairs = "pairs of an anomalous and a normal clip of one machine in which the anomalous one scores higher"
    here = "" if mean is None else f": here {100 * mean.value:.1f} of 100"
    known = [(each.auc.value, each.machine) for each in evaluation.machines if each.auc is not None]
    if mean is not None and min(known)[0] < mean.value:
        here += f", fewest of {min(known)[1]} ({100 * min(known)[0]:.1f})"
    return f"AUC counts the {pairs}{here}; 50 is chance, 100 is perfect."


def _found(decisions: Decisions, missed: Sequence[MissedClip]) -> str:
    total = decisions.total
    anomalous, normal = _clips(total.n_anomalous, "anomalous"), _clips(total.n_normal, "normal")
    alarms = f"{total.n_false_alarms} of {normal} flagged by mistake"
    if not total.n_anomalous:
        return f"no anomalous clip was decided; {alarms}."
    if not missed:
        return f"none of {anomalous} missed; {alarms}."
    return f"missed: {len(missed)} of {anomalous} ({_names(missed)}); {alarms}."


def _undecided(evaluation: Evaluation, unheard: Sequence[MissedClip]) -> str:
    of_all = _clips(evaluation.n_anomalous, "anomalous")
    names = f" ({_names(unheard)})" if unheard else ""
    return (
        "nothing was decided, so no clip was found or missed; by score alone "
        f"{len(unheard)} of {of_all} lie below half of the normal clips of their machine{names}."
    )


def _next(evaluation: Evaluation, missed: Sequence[MissedClip] | None) -> Iterator[str]:
    mean = evaluation.total.mean_auc
    if mean is not None and mean.value < _NO_BETTER_THAN_CHANCE:
        yield (
            "decide nothing by these scores, which are no better than chance: ask another rule (--rule), "
            "enroll normal recordings of these machines (osscl enroll), or train longer"
        )
    elif missed is None:
        yield "let the model decide (osscl enroll or calibrate with normal recordings of these machines)"
    elif missed:
        yield "listen to what was missed (osscl report SCORES --output report.html shows and plays clips)"
    if not all(machine.has_many_clips for machine in evaluation.machines):
        yield "evaluate more recordings, since with so few clips chance decides the figures"
    elif missed is not None and not missed:
        yield "evaluate recordings of other days in the same way, before the model is relied on"


def _names(missed: Sequence[MissedClip]) -> str:
    return listed([f"{each.name} of {each.machine}" for each in missed], _MAX_NAMED)


def _clips(n: int, kind: str) -> str:
    return f"{n} {kind} {plural(n, 'clip')}"
