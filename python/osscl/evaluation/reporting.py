"""From labelled scores to a report: figures by machine ID and by domain, and by each rule."""

from collections.abc import Mapping
from typing import NamedTuple

from msgspec.structs import replace

from osscl.evaluation.by_domain import evaluate_by_domain
from osscl.evaluation.challenge_rules import Told
from osscl.evaluation.domain_figures import Domains
from osscl.evaluation.domain_tables import Challenge
from osscl.evaluation.evaluating import evaluate
from osscl.evaluation.figures import Evaluation
from osscl.evaluation.labelled import Labelled
from osscl.evaluation.missed import missed_of, unheard_of
from osscl.evaluation.published_figures import PAPERS_TEST_SET, Published
from osscl.evaluation.report_tables import Report, Unscored
from osscl.support.paths import printable


class Counting(NamedTuple):
    """How clips are counted.

    Attributes
    ----------
    told : Told or None
        Whose rules give the figures by domain; None for no such figures.
    max_fpr : float
        Where pAUC ends.
    n_resamples, seed : int
        Of the intervals.
    """

    told: Told | None
    max_fpr: float
    n_resamples: int
    seed: int

    def by_id(self, labelled: Labelled) -> Evaluation:
        """Figures of machine IDs and types."""
        return evaluate(labelled.scores, max_fpr=self.max_fpr, n_resamples=self.n_resamples, seed=self.seed)

    def by_domain(self, labelled: Labelled) -> Domains | None:
        """Figures of sections by domain; None where there are none."""
        if self.told is None:
            return None
        return evaluate_by_domain(
            labelled.scores,
            self.told.rules,
            self.told.name,
            max_fpr=self.max_fpr,
            n_resamples=self.n_resamples,
            seed=self.seed,
        )


def report_on(
    labelled: Labelled,
    by_rule: Mapping[str, Labelled],
    counting: Counting,
    source: dict[str, str],
    published: Published | None,
) -> Report:
    """Compute all that a report says.

    Parameters
    ----------
    labelled : Labelled
        The clips.
    by_rule : mapping of str to Labelled
        The same clips by each rule; empty where that was not asked.
    counting : Counting
        How they are counted.
    source : dict of str to str
        Where scores and labels come from.
    published : Published or None
        What shall stand beside it.

    Returns
    -------
    Report
        All of it.

    Raises
    ------
    EvaluationError
        There are no clips, or a score is not finite.
    """
    evaluation = counting.by_id(labelled)
    if published is not None:
        published = replace(published, differences=list(PAPERS_TEST_SET.differences(evaluation)))
    of_domains = {name: counting.by_domain(of_rule) for name, of_rule in by_rule.items()}
    return Report(
        source=source,
        evaluation=evaluation,
        by_rule={name: counting.by_id(of_rule) for name, of_rule in by_rule.items()},
        unscored=[Unscored(printable(r.path), r.status, r.reason) for r in labelled.unscored],
        published=published,
        challenge=None if counting.told is None else Challenge.of(counting.told),
        domains=counting.by_domain(labelled),
        missed=missed_of(labelled.scores),
        unheard=unheard_of(labelled.scores),
        domains_by_rule={name: found for name, found in of_domains.items() if found is not None},
    )
