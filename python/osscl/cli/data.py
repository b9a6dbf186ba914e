"""``osscl data``: public data sets, and the commands that fetch them; nothing is downloaded here."""

from typing import Annotated, Any

import rich.table
import typer

from osscl.cli.console import as_json, wide_console
from osscl.cli.messages import emit
from osscl.errors import ConfigError
from osscl.machines.sets import MISSING, PUBLIC_SETS, PublicSet, public_set

EXAMPLES = """[bold]Examples[/bold]\n
  osscl data\n
  osscl data dcase2023\n
  osscl data mimii --json | jq -r '.fetch[], .unpack[]'\n
\n
Exit code: 0 shown, 2 wrong usage.
"""


def data(
    name: Annotated[
        str | None,
        typer.Argument(help="Name of a set, such as dcase2023; without it all are listed.", metavar="[SET]"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout instead of a table.")] = False,
) -> None:
    """Show public data sets of machine sound: what they are, licences, and the commands to fetch them."""
    if name is None:
        if json:
            emit(as_json({"sets": [_document(each) for each in PUBLIC_SETS]}))
        else:
            _list()
        return
    try:
        shown = public_set(name)
    except ConfigError as error:
        raise typer.BadParameter(str(error)) from error
    if json:
        emit(as_json(_document(shown)))
    else:
        _show(shown)


def _list() -> None:
    table = rich.table.Table("set", "what", "download", "licence", box=None, pad_edge=False)
    for each in PUBLIC_SETS:
        table.add_row(each.name, each.what, each.parts[0].size or MISSING, each.licence or MISSING)
    wide_console().print(table)


def _show(shown: PublicSet) -> None:
    """Facts, then commands: each on a line of its own, however long, to be copied."""
    facts = {
        "set": f"{shown.title}: {shown.what}",
        **{part.name: f"{part.address}, {part.size or f'size: {MISSING}'}" for part in shown.parts},
        "licence": shown.licence or MISSING,
        **({} if shown.labels is None else {"labels of the evaluation set": shown.labels}),
        **({} if shown.options is None else {"osscl needs": shown.options}),
    }
    width = max(map(len, facts))
    for name, value in facts.items():  # never folded: addresses are copied, too
        emit(f"{name:<{width}}  {value}")
    emit("")
    for command in (*shown.fetching(), *shown.unpacking()):
        emit(command)


def _document(shown: PublicSet) -> dict[str, Any]:
    """A set as JSON; what is not known is null."""
    return {
        "name": shown.name,
        "title": shown.title,
        "what": shown.what,
        "licence": shown.licence,
        "parts": [
            {
                "name": part.name,
                "zenodo_record": part.record,
                "address": part.address,
                "size": part.size,
                "folder": f"{shown.name}/{part.folder}".rstrip("/"),
            }
            for part in shown.parts
        ],
        "labels": shown.labels,
        "options": shown.options,
        "fetch": shown.fetching(),
        "unpack": shown.unpacking(),
    }
