"""What a report comes to, in words: what AUC means, which anomalies were missed, what to do next."""

from collections.abc import Iterator, Sequence

from osscl.evaluation.figures import Decisions, Evaluation, MachineFigures
from osscl.evaluation.missed import MissedClip
from osscl.evaluation.report_tables import Report
from osscl.support.listing import listed
from osscl.support.plurals import plural

_MAX_NAMED = 10


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
    yield f"next: {_next(evaluation, report.missed)}"


def _meaning(evaluation: Evaluation) -> str:
    mean = evaluation.total.mean_auc
    pairs = "pairs of an anomalous and a normal clip of one machine in which the anomalous one scores higher"
    here = "" if mean is None else f": here {100 * mean.value:.1f} of 100"
    worst = _worst(evaluation.machines)
    of_worst = "" if worst is None else f", {worst}"
    return f"AUC counts the {pairs}{here}{of_worst}; 50 is chance, 100 is perfect."


def _worst(machines: Sequence[MachineFigures]) -> str | None:
    """The machine whose anomalies are heard least, where there are several."""
    known = [(each.auc.value, each.machine) for each in machines if each.auc is not None]
    if len(known) < 2:
        return None
    value, machine = min(known)
    return f"fewest of {machine} ({100 * value:.1f})"


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


def _next(evaluation: Evaluation, missed: Sequence[MissedClip] | None) -> str:
    if few_clips(evaluation):
        return "evaluate more recordings: with so few clips chance decides the figures."
    if missed is None:
        return (
            "let the model decide: osscl enroll or osscl calibrate with normal recordings of these machines."
        )
    if missed:
        return "listen to what was missed: osscl report SCORES --output report.html shows and plays clips."
    return "score recordings of other days and machines in the same way, before the model is relied on."


def few_clips(evaluation: Evaluation) -> list[str]:
    """Name the machine IDs that have an AUC of so few clips that its interval means nothing.

    Parameters
    ----------
    evaluation : Evaluation
        All figures.

    Returns
    -------
    list of str
        Empty where all have enough.
    """
    return [each.machine for each in evaluation.machines if each.auc is not None and not each.has_many_clips]


def _names(missed: Sequence[MissedClip]) -> str:
    return listed([f"{each.machine} {each.name}" for each in missed], _MAX_NAMED)


def _clips(n: int, kind: str) -> str:
    return f"{n} {kind} {plural(n, 'clip')}"
