"""What stands below the tables of a report: what their figures mean, and what is missing."""

from collections.abc import Iterator

from osscl.evaluation.domain_tables import domain_notes
from osscl.evaluation.figures import ENOUGH_CLIPS
from osscl.evaluation.grid import TOO_FEW, UNDEFINED
from osscl.evaluation.report_tables import Report
from osscl.support.listing import listed
from osscl.support.plurals import plural

_MAX_NAMED = 10


def notes_of(report: Report) -> Iterator[str]:
    """Say what the figures mean, and what is missing.

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
    yield "pooled: all clips of a type in one list (the paper's figure)."
    yield "ID mean: plain mean over the IDs of a type (the official figure of DCASE 2020)."
    yield "mAUC: the AUC of the worst ID of a type."
    yield (
        "harmonic mean: of the AUCs and pAUCs of all IDs of a type together; in the last line, of the IDs of "
        "all types."
    )
    yield (
        f"pAUC: up to a false-positive rate of {evaluation.max_fpr:g}, standardised: 50 is chance, "
        "100 perfect."
    )
    if evaluation.n_resamples:
        yield (
            f"interval: {100 * evaluation.confidence:g} % bootstrap, {evaluation.n_resamples} resamples of "
            f"the normal and of the anomalous clips of each ID, seed {evaluation.seed}."
        )
        n_few = sum(not machine.has_many_clips for machine in evaluation.machines)
        if n_few:
            yield (
                f"{TOO_FEW}: an interval means nothing where a machine ID has fewer than {ENOUGH_CLIPS} "
                f"normal or {ENOUGH_CLIPS} anomalous clips, as {n_few} of {len(evaluation.machines)} here; "
                "JSON and CSV have it all the same."
            )
    if evaluation.decisions is not None:
        yield (
            f"decisions: intervals are Wilson's, {100 * evaluation.decisions.confidence:g} %, and take the "
            "clips as independent."
        )
        yield "precision: share of anomalous clips among those flagged. F1: its harmonic mean with recall."
    if report.domains is not None and report.challenge is not None:
        yield from domain_notes(report.domains, report.challenge, evaluation.max_fpr)
    if report.published is not None:
        yield f"published: {report.published.source}."
        if not any(each.machine_type in report.published.pooled_auc for each in evaluation.types):
            has = listed(sorted(report.published.pooled_auc), _MAX_NAMED)
            yield f"no published figure is of these machine types, and none is shown: there are {has}."
        if report.published.differences:
            yield (
                "these clips are not the paper's test set, so that no difference says anything of the model: "
                f"{'; '.join(report.published.differences)}."
            )
    for reason in evaluation.undefined:
        yield f"{UNDEFINED}, and left out of the means: {reason}."
    if report.unscored:
        n_unscored = len(report.unscored)
        names = listed([f"{each.path}: {each.reason or each.status}" for each in report.unscored], _MAX_NAMED)
        yield f"without a score, and in no figure: {n_unscored} {plural(n_unscored, 'clip')} ({names})."
