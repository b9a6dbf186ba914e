"""Figures by domain, and the official ones of a year, as tables of text and sentences."""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from osscl.evaluation.challenge_rules import Told
from osscl.evaluation.domain_figures import DomainFigures, Domains, SectionFigures
from osscl.evaluation.figures import ENOUGH_CLIPS, Evaluation, Figure
from osscl.evaluation.grid import TOO_FEW, UNDEFINED, Grid, percent, with_interval
from osscl.machines.dcase import type_of
from osscl.metrics import MAX_FPR


class Challenge(msgspec.Struct, frozen=True):
    """Whose rules an evaluation is counted by.

    Attributes
    ----------
    name : str
        Such as "DCASE 2023", or "DCASE 2022 to 2025" where names leave it open which of these.
    told_by : str
        "--challenge" or "names".
    """

    name: str
    told_by: str

    @classmethod
    def of(cls, told: Told) -> "Challenge":
        """What was told, without the rules themselves."""
        return cls(told.name, told.by)


def domain_grids(domains: Domains) -> Iterator[Grid]:
    """Lay out figures by domain.

    Parameters
    ----------
    domains : Domains
        What to show.

    Yields
    ------
    Grid
        AUC and pAUC of each section, and in total; decisions, where there are any.
    """
    by_domain = _has_pauc_by_domain(domains)
    paucs = ["pAUC\nsource", "pAUC\ntarget"] if by_domain else ["pAUC"]
    header = ["section", "AUC\nsource", "AUC\ntarget", *paucs, "harmonic\nmean"]
    title = f"Each domain, as {domains.rules} counts, %"
    enough = {row.name: _has_many_clips(row) for row in domains.sections}
    of_several = all(enough.values())
    yield Grid(
        title,
        header,
        _groups(domains, lambda row: _areas(row, by_domain, enough.get(row.name, of_several))),
    )
    if any(_decided(row.source) or _decided(row.target) for row in domains.sections):
        names = ("precision", "recall", "F1")
        header = ["section", *(f"{name}\n{domain}" for name in names for domain in ("source", "target"))]
        title = f"Decisions in each domain, as {domains.rules} counts, %"
        yield Grid(title, header, _groups(domains, _decisions))


def domain_rules_grid(by_rule: Mapping[str, Domains]) -> Grid:
    """Lay out the totals by domain of several rules side by side.

    Parameters
    ----------
    by_rule : mapping of str to Domains
        The same clips by each rule.

    Returns
    -------
    Grid
        A line a rule.
    """
    first = next(iter(by_rule.values()))
    by_domain = _has_pauc_by_domain(first)
    paucs = ["pAUC\nsource", "pAUC\ntarget"] if by_domain else ["pAUC"]
    header = ["rule", "AUC\nsource", "AUC\ntarget", *paucs, "harmonic\nmean"]
    rows = [
        [name, *_areas(total_of(domains), by_domain, all(map(_has_many_clips, domains.sections)))]
        for name, domains in by_rule.items()
    ]
    return Grid(f"Each rule by domain, as {first.rules} counts, %", header, [rows])


def official_2020_grid(evaluation: Evaluation, challenge: Challenge) -> Grid:
    """Lay out the official figures of 2020, which has no domains.

    Parameters
    ----------
    evaluation : Evaluation
        Where they stand, as means over IDs.
    challenge : Challenge
        What they are called.

    Returns
    -------
    Grid
        A line a type.
    """
    rows = [
        [t.machine_type, str(t.n_machines), percent(t.figures.mean_auc), percent(t.figures.mean_pauc)]
        for t in evaluation.types
    ]
    title = f"{challenge.name}, official: ID means, %"
    return Grid(title, ["machine type", "IDs", "AUC", "pAUC"], [rows])


def domain_notes(domains: Domains, challenge: Challenge, max_fpr: float) -> Iterator[str]:
    """Say what figures by domain mean, and what is missing.

    Parameters
    ----------
    domains : Domains
        What is shown.
    challenge : Challenge
        Whose rules they are by.
    max_fpr : float
        Where pAUC ends.

    Yields
    ------
    str
        One sentence.
    """
    told = "" if challenge.told_by != "names" else "; the names tell these years, --challenge says another"
    if _has_pauc_by_domain(domains):
        yield f"each domain: AUC and pAUC of its own clips, as {domains.rules} counts{told}."
    else:
        yield (
            "each domain: AUC of its normal clips against the anomalous ones of both, pAUC of all clips of "
            f"the section, as {domains.rules} counts{told}."
        )
    official = "the official score" if not told else f"as {domains.rules} counts its official score"
    if max_fpr != MAX_FPR:
        official += " but for where pAUC ends"
    if domains.undefined:
        official = "no official score, as long as figures are missing"
    yield (
        "harmonic mean by domain: of the AUCs and pAUCs of the line; in the last line of all sections, "
        f"{official}. It is 0 where one of them is 0; the challenge's evaluators put 2.2e-16 in its place."
    )
    has_intervals = any(row.source.auc and row.source.auc.low is not None for row in domains.sections)
    if has_intervals and not all(map(_has_many_clips, domains.sections)):
        yield (
            f"{TOO_FEW}, by domain: an interval means nothing where a domain has fewer than {ENOUGH_CLIPS} "
            f"normal or {ENOUGH_CLIPS} anomalous clips of a section."
        )
    for reason in domains.undefined:
        yield f"{UNDEFINED} by domain, and left out of the means: {reason}."


def total_of(domains: Domains) -> SectionFigures:
    """Give the figures of all sections together as a row like those of each.

    Parameters
    ----------
    domains : Domains
        All figures.

    Returns
    -------
    SectionFigures
        Named "total".
    """
    return SectionFigures(
        name="total",
        source=domains.source,
        target=domains.target,
        pauc=domains.pauc,
        harmonic_mean=domains.harmonic_mean,
    )


def _groups(domains: Domains, cells: Callable[[SectionFigures], list[str]]) -> list[list[list[str]]]:
    groups: dict[str, list[list[str]]] = {}
    for section in domains.sections:
        groups.setdefault(type_of(section.name), []).append([section.name, *cells(section)])
    means = [["harmonic mean", *cells(total_of(domains))]]
    if len(domains.types) < len(domains.sections):
        means = [*([of_type.name, *cells(of_type)] for of_type in domains.types), *means]
    return [*groups.values(), means]


def _areas(row: SectionFigures, pauc_by_domain: bool, has_many_clips: bool) -> list[str]:
    paucs: list[Figure | None] = [row.source.pauc, row.target.pauc] if pauc_by_domain else [row.pauc]
    figures = (row.source.auc, row.target.auc, *paucs, row.harmonic_mean)
    return [with_interval(each, has_many_clips=has_many_clips) for each in figures]


def _has_many_clips(section: SectionFigures) -> bool:
    """Whether there are enough of each label in each domain for an interval to mean anything."""
    counts = ((each.n_normal, each.n_anomalous) for each in (section.source, section.target))
    return min(map(min, counts)) >= ENOUGH_CLIPS


def _decisions(row: SectionFigures) -> list[str]:
    pairs = (
        (row.source.precision, row.target.precision),
        (row.source.recall, row.target.recall),
        (row.source.f1, row.target.f1),
    )
    return [percent(figure) for pair in pairs for figure in pair]


def _decided(figures: DomainFigures) -> bool:
    return figures.f1 is not None


def _has_pauc_by_domain(domains: Domains) -> bool:
    return any(row.source.pauc or row.target.pauc for row in domains.sections)
