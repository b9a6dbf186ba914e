"""The table of a rerun, as Markdown and as JSON, from the reports of its seeds."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from rerunning.published import PublishedRow, published

COLUMNS_2020 = {
    "AUC": "pooled_auc",
    "pAUC": "pooled_pauc",
    "mAUC": "worst_auc",
    "AUC, ID mean": "mean_auc",
    "pAUC, ID mean": "mean_pauc",
}
COLUMNS_2021 = {
    "AUC source": "source.auc",
    "AUC target": "target.auc",
    "pAUC source": "source.pauc",
    "pAUC target": "target.pauc",
    "official": "harmonic_mean",
}
COLUMNS_SINCE_2022 = {
    "AUC source": "source.auc",
    "AUC target": "target.auc",
    "pAUC": "pauc",
    "official": "harmonic_mean",
}
"""Name of a column, and where its figure stands in a row of the report of osscl evaluate."""

TOTAL = "mean of types"


def columns_of(year: int) -> dict[str, str]:
    """Which figures the challenge of a year gives."""
    return COLUMNS_2020 if year == 2020 else COLUMNS_2021 if year == 2021 else COLUMNS_SINCE_2022


def table_of(year: int, reports: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Mean and spread over seeds of every figure, per type and in total.

    Parameters
    ----------
    year : int
        Of the challenge.
    reports : sequence of mapping
        What ``osscl evaluate --output`` wrote, one a seed.
    settings : mapping
        What was run.

    Returns
    -------
    dict
        As it is written; figures in per cent, null where they are undefined.
    """
    columns = columns_of(year)
    of_seeds = [_rows(year, report) for report in reports]
    return {
        "schema": "osscl.rerun/1",
        "year": year,
        "settings": dict(settings),
        "columns": list(columns),
        "rows": {
            name: {
                column: _over_seeds([rows[name] for rows in of_seeds], where)
                for column, where in columns.items()
            }
            for name in of_seeds[0]
        },
        "published": [row._asdict() for row in published(year)],
        "unscored": [len(report["unscored"]) for report in reports],
    }


def _rows(year: int, report: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Figures of each machine type, then those of all."""
    if year == 2020:
        evaluation = report["evaluation"]
        types = {each["machine_type"]: each["figures"] for each in evaluation["types"]}
        return {**types, TOTAL: evaluation["total"]}
    domains = report["domains"]
    return {**{each["name"]: each for each in domains["types"]}, TOTAL: domains}


def _over_seeds(rows: Sequence[Mapping[str, Any]], where: str) -> dict[str, float | None]:
    figures = [_figure(row, where) for row in rows]
    if None in figures:
        return {"mean": None, "spread": None}
    values = [100 * figure for figure in figures if figure is not None]
    spread = statistics.stdev(values) if len(values) > 1 else None
    return {"mean": statistics.fmean(values), "spread": spread}


def _figure(row: Mapping[str, Any], where: str) -> float | None:
    found: Any = row
    for name in where.split("."):
        found = None if found is None else found[name]
    return None if found is None else float(found["value"])


def to_markdown(table: Mapping[str, Any]) -> str:
    """Spell the table for people, with published figures below ours."""
    columns = table["columns"]
    settings = table["settings"]
    of_what = "made-up recordings: a rehearsal" if settings["rehearsal"] else "development test set"
    lines = [f"# DCASE {table['year']}, {of_what}, %", ""]
    lines += [_line(["machine type", *columns]), _line(["---", *["---:"] * len(columns)])]
    lines += [
        _line([name, *(_cell(figures[column]) for column in columns)])
        for name, figures in table["rows"].items()
    ]
    rows = [PublishedRow(**row) for row in table["published"]]
    for row in rows:
        cells = (f"{row.figures[name]:.2f}" if name in row.figures else "" for name in columns)
        lines.append(_line([row.name, *cells]))
    seeds = ", ".join(map(str, settings["seeds"]))
    lines += ["", f"- seeds: {seeds}; ± is the standard deviation between them"]
    lines += [f"- recipe: {settings['config'] or 'as published'} {' '.join(settings['training'])}".rstrip()]
    sources: dict[str, list[str]] = {}
    for row in rows:
        sources.setdefault(row.source, []).append(row.name)
    lines += [f"- {'; '.join(names)}: {source}" for source, names in sources.items()]
    if not rows:
        lines += ["- no published figures are kept here"]
    if any(table["unscored"]):
        lines += [f"- clips without a score, by seed: {', '.join(map(str, table['unscored']))}"]
    return "\n".join([*lines, ""])


def _cell(figure: Mapping[str, float | None]) -> str:
    if figure["mean"] is None:
        return "-"
    spread = "" if figure["spread"] is None else f" ± {figure['spread']:.2f}"
    return f"{figure['mean']:.2f}{spread}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
