"""A report of an evaluation as one CSV table."""

import io
from collections.abc import Iterator, Mapping

import msgspec

from osscl.evaluation.domain_figures import DomainFigures, Domains
from osscl.evaluation.domain_tables import total_of
from osscl.evaluation.figures import DecisionFigures, Evaluation, Figure, MachineFigures, Summary, TypeFigures
from osscl.evaluation.report_tables import Report
from osscl.support.csv_rows import CsvWriter


def to_csv(report: Report) -> str:
    """Spell the figures as one CSV table: a row a machine ID, a type, and the total; more of them by domain.

    Parameters
    ----------
    report : Report
        What to spell.

    Returns
    -------
    str
        As `osscl.support.csv_rows` writes it; figures in [0, 1], each with the ends of its interval; empty
        where undefined. Rows whose rule is empty are by each machine's own. Rows with a domain, "source",
        "target" or "both", are counted by the rules that the column `challenge` names.
    """
    names = ("auc", "pauc", *Summary.__struct_fields__, "false_alarm_rate", "detection_rate")
    columns = [f"{name}{end}" for name in names for end in ("", "_low", "_high")]
    header = ["level", "name", "n_normal", "n_anomalous", *columns, "worst_machine", "reason", "rule"]
    header += ["precision", "f1", "domain", "challenge"]
    text = io.StringIO()
    writer = CsvWriter(text)

    def write(cells: Mapping[str, str | float]) -> None:
        writer.write(cells.get(name, "") for name in header)

    writer.write(header)
    for rule, evaluation in (("", report.evaluation), *report.by_rule.items()):
        for row in _csv_rows(evaluation):
            write(row | {"rule": rule})
    for rule, domains in (("", report.domains), *report.domains_by_rule.items()):
        for row in _domain_rows(domains):
            write(row | {"rule": rule})
    if report.published is not None:
        for other in report.published.averages:
            areas: dict[str, str | float] = {
                "pooled_auc": other.auc,
                "pooled_pauc": other.pauc,
                "worst_auc": other.worst_auc,
            }
            write({"level": "published", "name": other.name, **areas})
    return text.getvalue()


def _csv_rows(evaluation: Evaluation) -> Iterator[dict[str, str]]:
    decisions = evaluation.decisions
    decided = {} if decisions is None else {each.machine: each for each in decisions.machines}
    for machine in evaluation.machines:
        row = {"level": "machine", "name": machine.machine, "reason": machine.reason or ""}
        rates = _rates(decided.get(machine.machine))
        yield row | _clips(machine) | _csv_cells({"auc": machine.auc, "pauc": machine.pauc, **rates})
    for of_type in evaluation.types:
        row = {"level": "type", "name": of_type.machine_type, "worst_machine": of_type.worst_machine or ""}
        yield row | _clips(of_type) | _csv_cells(msgspec.structs.asdict(of_type.figures))
    row = {"level": "total", "name": "total"}
    rates = _rates(None if decisions is None else decisions.total)
    yield row | _clips(evaluation) | _csv_cells(msgspec.structs.asdict(evaluation.total) | rates)


def _rates(decided: DecisionFigures | None) -> dict[str, Figure | None]:
    if decided is None:
        return {}
    return {
        "false_alarm_rate": decided.false_alarm_rate,
        "detection_rate": decided.detection_rate,
        "precision": decided.precision,
        "f1": decided.f1,
    }


def _domain_rows(domains: Domains | None) -> Iterator[dict[str, str]]:
    if domains is None:
        return
    rows = [("machine", each) for each in domains.sections] + [("type", each) for each in domains.types]
    for level, row in (*rows, ("total", total_of(domains))):
        common = {"level": level, "name": row.name, "challenge": domains.rules}
        for domain, of_domain in (("source", row.source), ("target", row.target)):
            figures = {
                "auc": of_domain.auc,
                "pauc": of_domain.pauc,
                "detection_rate": of_domain.recall,
                "precision": of_domain.precision,
                "f1": of_domain.f1,
            }
            yield common | {"domain": domain} | _clips(of_domain) | _csv_cells(figures)
        both = _csv_cells({"pauc": row.pauc, "harmonic_mean": row.harmonic_mean})
        yield common | {"domain": "both"} | both


def _clips(part: MachineFigures | TypeFigures | Evaluation | DomainFigures) -> dict[str, str]:
    return {"n_normal": str(part.n_normal), "n_anomalous": str(part.n_anomalous)}


def _csv_cells(figures: dict[str, Figure | None]) -> dict[str, str]:
    cells = {}
    for name, figure in figures.items():
        if figure is not None:
            values = (figure.value, figure.low, figure.high)
            for end, value in zip(("", "_low", "_high"), values, strict=True):
                cells[name + end] = "" if value is None else str(value)
    return cells
