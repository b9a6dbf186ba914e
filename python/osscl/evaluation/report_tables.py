"""What a report of an evaluation says, as tables of text that a screen and Markdown share."""

from collections.abc import Collection, Iterator, Mapping

import msgspec

from osscl.evaluation.domain_figures import Domains
from osscl.evaluation.domain_tables import (
    Challenge,
    domain_grids,
    domain_rules_grid,
    official_2020_grid,
)
from osscl.evaluation.figures import DecisionFigures, Decisions, Evaluation, Summary
from osscl.evaluation.grid import Grid, interval_of, percent, with_interval
from osscl.evaluation.missed import MissedClip
from osscl.evaluation.published_figures import Published
from osscl.evaluation.published_tables import published_grids
from osscl.machines.dcase import type_of


class Unscored(msgspec.Struct, frozen=True):
    """A labelled clip that has no score, and is in no figure.

    Attributes
    ----------
    path : str
        The clip.
    status : str
        Why, in a word.
    reason : str or None
        Why, in a sentence.
    """

    path: str
    status: str
    reason: str | None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluation and what must be said beside it; its fields are those of the JSON document.

    Attributes
    ----------
    source : dict of str to str
        Where the scores and the labels come from.
    evaluation : Evaluation
        The figures, in [0, 1].
    unscored : list of Unscored
        Clips that are in no figure.
    published : Published or None
        What shall stand beside it.
    by_rule : dict of str to Evaluation
        The same clips scored by each rule, where that was asked; `evaluation` is by each machine's own.
    challenge : Challenge or None
        Whose rules the figures by domain are by; or "DCASE 2020", whose official figures are the means over
        IDs in `evaluation`. None where no year was asked for and names tell none.
    domains : Domains or None
        Figures by domain, and the official score from 2021 on; None where nothing tells domains.
    domains_by_rule : dict of str to Domains
        The same by each rule, where that was asked.
    missed : list of MissedClip or None
        Anomalous clips that were not flagged; None where nothing was decided.
    unheard : list of MissedClip
        Anomalous clips that score lower than half of the normal ones of their machine.
    """

    source: dict[str, str]
    evaluation: Evaluation
    unscored: list[Unscored]
    published: Published | None = None
    by_rule: dict[str, Evaluation] = msgspec.field(default_factory=dict)
    challenge: Challenge | None = None
    domains: Domains | None = None
    domains_by_rule: dict[str, Domains] = msgspec.field(default_factory=dict)
    missed: list[MissedClip] | None = None
    unheard: list[MissedClip] = msgspec.field(default_factory=list)


def grids_of(report: Report) -> Iterator[Grid]:
    """Lay out the tables.

    Parameters
    ----------
    report : Report
        What to show.

    Yields
    ------
    Grid
        Machine IDs, types with their total, domains, rules side by side, decisions, and what is published.
    """
    evaluation = report.evaluation
    yield _machines_grid(evaluation)
    yield _types_grid(evaluation)
    yield from _challenge_grids(report)
    if report.by_rule:
        yield rules_grid(report.by_rule)
    decided = report.by_rule or {"": evaluation}
    for rule, of_rule in decided.items():
        if of_rule.decisions is not None:
            of_what = f", rule {rule}" if rule else ""
            yield _decisions_grid(of_rule.decisions, of_what)
            yield _precision_grid(of_rule.decisions, of_what)
    if report.published is not None:
        yield from published_grids(evaluation, report.published)


def _challenge_grids(report: Report) -> Iterator[Grid]:
    challenge = report.challenge
    if report.domains is not None:
        yield from domain_grids(report.domains)
    elif challenge is not None and challenge.told_by != "names":
        yield official_2020_grid(report.evaluation, challenge)
    if report.domains_by_rule:
        yield domain_rules_grid(report.domains_by_rule)


def _machines_grid(evaluation: Evaluation) -> Grid:
    groups: dict[str, list[list[str]]] = {}
    for machine in evaluation.machines:
        row = [machine.machine, str(machine.n_normal), str(machine.n_anomalous)]
        for figure in (machine.auc, machine.pauc):
            interval_here = interval_of(figure, has_many_clips=machine.has_many_clips)
            row += [percent(figure), interval_here] if evaluation.n_resamples else [percent(figure)]
        groups.setdefault(type_of(machine.machine), []).append(row)
    interval = ["interval"] if evaluation.n_resamples else []
    header = ["machine ID", "normal", "anomalous", "AUC", *interval, "pAUC", *interval]
    return Grid("Each machine ID, %", header, list(groups.values()))


def _types_grid(evaluation: Evaluation) -> Grid:
    header = [
        "machine type",
        "IDs",
        "clips",
        "AUC\npooled",
        "pAUC\npooled",
        "AUC\nID mean",
        "pAUC\nID mean",
        "mAUC\nworst ID",
        "harmonic\nmean",
    ]
    few = {type_of(machine.machine) for machine in evaluation.machines if not machine.has_many_clips}
    types = [
        [
            of_type.machine_type,
            str(of_type.n_machines),
            str(of_type.n_normal + of_type.n_anomalous),
            *_summary_cells(of_type.figures, of_type.worst_machine, few=few & {of_type.machine_type}),
        ]
        for of_type in evaluation.types
    ]
    n_clips = evaluation.n_normal + evaluation.n_anomalous
    total = [
        "mean of types",
        str(len(evaluation.machines)),
        str(n_clips),
        *_summary_cells(evaluation.total, None, few=few),
    ]
    return Grid("Each machine type, %", header, [types, [total]])


def _summary_cells(summary: Summary, worst_machine: str | None, *, few: Collection[str]) -> list[str]:
    """Figures of a type, or of all, with intervals that mean something where no ID has `few` clips."""
    cells = []
    for name in Summary.__struct_fields__:
        figure = getattr(summary, name)
        cell = percent(figure)
        if name == "worst_auc" and worst_machine is not None:
            cell = f"{worst_machine.rpartition('/')[2]} {cell}"
        cells.append("\n".join(filter(None, [cell, interval_of(figure, has_many_clips=not few)])))
    return cells


def _worst_auc(evaluation: Evaluation) -> str:
    """AUC of the machine ID that has the lowest; not the mean over types of their worst."""
    found = [machine.auc for machine in evaluation.machines if machine.auc is not None]
    return percent(min(found, key=lambda figure: figure.value, default=None))


def rules_grid(by_rule: Mapping[str, Evaluation]) -> Grid:
    """Lay out the figures of several rules side by side.

    Parameters
    ----------
    by_rule : mapping of str to Evaluation
        The same clips by each rule.

    Returns
    -------
    Grid
        A line a machine ID, their mean, and the worst.
    """
    header = ["machine ID", *(f"{name}\n{rule}" for rule in by_rule for name in ("AUC", "pAUC"))]
    machines = {machine.machine: None for of_rule in by_rule.values() for machine in of_rule.machines}
    figures = [{machine.machine: machine for machine in of_rule.machines} for of_rule in by_rule.values()]
    rows = []
    for machine in machines:
        row = [machine]
        for of_rule in figures:
            found = of_rule.get(machine)
            row += ["no score"] * 2 if found is None else [percent(found.auc), percent(found.pauc)]
        rows.append(row)
    totals = [of_rule.total for of_rule in by_rule.values()]
    has_many_clips = all(each.has_many_clips for of_rule in by_rule.values() for each in of_rule.machines)
    mean = [
        with_interval(figure, has_many_clips=has_many_clips)
        for total in totals
        for figure in (total.mean_auc, total.mean_pauc)
    ]
    worst = [cell for of_rule in by_rule.values() for cell in (_worst_auc(of_rule), "")]
    return Grid("Each rule, %", header, [rows, [["ID mean", *mean], ["worst ID", *worst]]])


def _decisions_grid(decisions: Decisions, of_what: str = "") -> Grid:
    header = ["machine ID", "normal", "false alarms", "rate", "interval"]
    header += ["anomalous", "found", "rate", "interval"]
    return Grid(
        f"Decisions, rates in %{of_what}",
        header,
        [list(map(_decision_row, decisions.machines)), [_decision_row(decisions.total)]],
    )


def _decision_row(found: DecisionFigures) -> list[str]:
    cells = [found.machine]
    for n, count, rate in (
        (found.n_normal, found.n_false_alarms, found.false_alarm_rate),
        (found.n_anomalous, found.n_detected, found.detection_rate),
    ):
        cells += [str(n), str(count), "" if rate is None else f"{100 * rate.value:.2f}", interval_of(rate)]
    return cells


def _precision_grid(decisions: Decisions, of_what: str = "") -> Grid:
    rows = [
        [found.machine, *map(with_interval, (found.precision, found.detection_rate)), percent(found.f1)]
        for found in (*decisions.machines, decisions.total)
    ]
    header = ["machine ID", "precision", "recall", "F1"]
    return Grid(f"Decisions, precision and recall in %{of_what}", header, [rows[:-1], rows[-1:]])
