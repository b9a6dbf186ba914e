"""Tables of what there is, within the pages themselves: commands, names of public modules, keys of a recipe.

The built pages say all of it; a reader of the source sees these. ``python docs/name_tables.py`` writes them
anew.
"""

import inspect
import re
import sys
from importlib import import_module
from pathlib import Path

from osscl.cli.program import COMMANDS, command, osscl_export

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS))

from recipe_reference import recipe_reference  # noqa: E402 - it lies beside

PAGES = ("commands.md", "api.md", "training.md")
"""Pages with tables."""
TABLE = re.compile(r"(<!-- names of (\S+) -->\n).*?(<!-- end of names -->)", re.DOTALL)
"""A table with its marks: what it is of, and where it ends."""


def with_tables(page: str) -> str:
    """Fill in the tables of a page.

    Parameters
    ----------
    page : str
        Markdown with marks.

    Returns
    -------
    str
        The same, each table as it is to be.
    """
    return TABLE.sub(lambda found: f"{found[1]}\n{_table(found[2])}\n\n{found[3]}", page)


def _table(of: str) -> str:
    return recipe_reference() if of == "recipe" else _of_names(_rows(of))


def _of_names(rows: dict[str, str]) -> str:
    return "\n".join(
        ["| | |", "|---|---|", *(f"| `{name}` | {_text(what)} |" for name, what in rows.items())]
    )


def _rows(of: str) -> dict[str, str]:
    """Names and first sentences."""
    return _commands() if of == "commands" else _names(of)


def _commands() -> dict[str, str]:
    made = {f"osscl {name}": command(name) for name in COMMANDS} | {"osscl-export": osscl_export()}
    return {name: each.help or each.callback.__doc__ for name, each in made.items()}


def _names(module: str) -> dict[str, str]:
    loaded = import_module(module)
    own = [name for name, each in vars(loaded).items() if getattr(each, "__module__", "") == module]
    found = {
        name: getattr(loaded, name) for name in sorted(getattr(loaded, "__all__", own)) if name[0] != "_"
    }
    return {
        name: inspect.getdoc(each) or ""
        for name, each in found.items()
        if inspect.isclass(each) or inspect.isfunction(each)
    }


def _text(docstring: str) -> str:
    """The first paragraph as Markdown of one line."""
    first = " ".join(docstring.strip().split("\n\n")[0].split())
    return re.sub(r"`+", "`", first).replace("|", "\\|")


if __name__ == "__main__":
    for path in (DOCS / page for page in PAGES):
        path.write_text(with_tables(path.read_text(encoding="utf-8")), encoding="utf-8")
