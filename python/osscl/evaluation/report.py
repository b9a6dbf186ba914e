"""A report drawn on a screen, or written as Markdown, CSV or JSON."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
import rich.box
import rich.console
import rich.markup
import rich.table

from osscl.errors import ConfigError
from osscl.evaluation.grid import Grid
from osscl.evaluation.report_csv import to_csv
from osscl.evaluation.report_notes import notes_of
from osscl.evaluation.report_tables import Report, grids_of
from osscl.evaluation.report_words import words_of
from osscl.support.atomic import write_atomically
from osscl.support.outputs import cannot_be_written, check_output
from osscl.support.paths import printable


def print_report(report: Report, console: rich.console.Console) -> None:
    """Draw the tables.

    Parameters
    ----------
    report : Report
        What to show.
    console : rich.console.Console
        Where.
    """
    for sentence in words_of(report):
        console.print(rich.markup.escape(sentence), soft_wrap=False)
    console.print()
    print_grids(grids_of(report), notes_of(report), console)


def print_grids(grids: Iterable[Grid], notes: Iterable[str], console: rich.console.Console) -> None:
    """Draw tables, and sentences below them.

    Parameters
    ----------
    grids : iterable of Grid
        The tables.
    notes : iterable of str
        The sentences.
    console : rich.console.Console
        Where.
    """
    for grid in grids:
        table = rich.table.Table(
            title=rich.markup.escape(grid.title),
            title_justify="left",
            title_style="bold",
            box=rich.box.SIMPLE_HEAD,
            show_edge=False,
            pad_edge=False,
        )
        for column, name in enumerate(grid.header):
            table.add_column(name, justify="right" if column else "left", no_wrap=True)
        apart = max(map(len, grid.groups)) > 1
        for rows in grid.groups:
            for row in rows:
                table.add_row(*map(_dim_second_line, row))
            if apart:
                table.add_section()
        console.print(table)
        console.print()
    for note in notes:
        console.print(rich.markup.escape(note), soft_wrap=False)


def to_markdown(report: Report) -> str:
    """Spell the report as a Markdown document.

    Parameters
    ----------
    report : Report
        What to spell.

    Returns
    -------
    str
        The document.
    """
    lines = ["# Evaluation", ""]
    lines += [f"- {name}: {value}" for name, value in report.source.items()]
    lines += ["", *(f"{sentence}\n" for sentence in words_of(report))]
    for grid in grids_of(report):
        lines += ["", f"## {grid.title}", "", _markdown_row(grid.header)]
        lines.append(_markdown_row(["---", *["---:"] * (len(grid.header) - 1)]))
        lines += [_markdown_row(row) for rows in grid.groups for row in rows]
    return "\n".join([*lines, "", *(f"- {note}" for note in notes_of(report)), ""])


def to_json(report: Report) -> str:
    """Spell the report as a JSON document, its fields those of `Report`.

    Parameters
    ----------
    report : Report
        What to spell.

    Returns
    -------
    str
        The document, indented.
    """
    return msgspec.json.format(msgspec.json.encode(report)).decode() + "\n"


FORMATS: dict[str, Callable[[Report], str]] = {".md": to_markdown, ".csv": to_csv, ".json": to_json}
"""What writes a file, by its ending."""


def check_report(
    path: Path, *, overwrite: bool, inputs: Iterable[str | os.PathLike[str] | None] = ()
) -> None:
    """Refuse a place for a report before hours go into it.

    Parameters
    ----------
    path : Path
        File to write; its ending is one of `FORMATS`.
    overwrite : bool
        Whether it may be there already.
    inputs : iterable of path-like or None
        What is read, which is never replaced.

    Raises
    ------
    ConfigError
        The ending names no format.
    OutputError
        It is there already, its folder is not, or it is read.
    """
    if path.suffix.lower() not in FORMATS:
        raise ConfigError(
            f"{printable(path)}: no report ends in '{path.suffix}'; choose one of: {', '.join(FORMATS)}"
        )
    check_output(path, overwrite=overwrite, inputs=inputs)


def write_report(report: Report, path: Path) -> None:
    """Write a report whole or not at all.

    Parameters
    ----------
    report : Report
        What to write.
    path : Path
        File whose ending is one of `FORMATS`; it is replaced where it is there.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    text = FORMATS[path.suffix.lower()](report)
    try:
        write_atomically(path, [text.encode()])
    except OSError as error:
        raise cannot_be_written(path, error) from error


def _dim_second_line(cell: str) -> str:
    first, newline, second = rich.markup.escape(cell).partition("\n")
    return f"{first}\n[dim]{second}[/dim]" if newline else first


def _markdown_row(cells: list[str]) -> str:
    spelled = []
    for cell in cells:
        first, _, second = cell.replace("|", "\\|").partition("\n")
        is_interval = "–" in second
        spelled.append(f"{first} ({second})" if is_interval else " ".join(filter(None, [first, second])))
    return f"| {' | '.join(spelled)} |"
