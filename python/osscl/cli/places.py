"""Arguments that may be a URL where others are a path, and the refusal of URLs everywhere else."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from osscl.cli.completion import DEMO, MODEL_SUFFIX, models
from osscl.errors import ConfigError
from osscl.storage.urls import Place, hidden, place_of
from osscl.support.paths import printable
from osscl.support.urls import is_url

if TYPE_CHECKING:
    FileOrUrl: TypeAlias = Place
else:
    FileOrUrl = Path  # typer takes no union of types; what it is given is made by the parser


def place_named(text: str) -> Place:
    """Take a path or a URL from the command line; raises `typer.BadParameter`."""
    try:
        return place_of(text)
    except ConfigError as error:
        raise typer.BadParameter(str(error)) from None


ModelFile: TypeAlias = Annotated[
    FileOrUrl,
    typer.Argument(
        help="Model file that osscl enroll or export wrote, its URL, or demo.",
        metavar="MODEL",
        parser=place_named,
        autocompletion=models,
    ),
]
ResultTable: TypeAlias = Annotated[
    FileOrUrl | None,
    typer.Option(
        "--output",
        "-o",
        help="Table to write: .csv, .jsonl or .parquet; or its URL. Without it: CSV on stdout.",
        metavar="PATH",
        parser=place_named,
    ),
]


def check_urls(named: Iterable[str]) -> None:
    """Refuse URLs that hold a password or a signature; raises `typer.BadParameter`."""
    for text in filter(is_url, named):
        place_named(text)


def refuse_model_among(recordings: Iterable[str]) -> None:
    """Refuse a model file where recordings are named: its memories would be passed over.

    Parameters
    ----------
    recordings : iterable of str
        Folders and files of recordings, or their URLs.

    Raises
    ------
    typer.BadParameter
        One of them is a model file.
    """
    for text in recordings:
        if _is_model_file(text) and (is_url(text) or Path(text).is_file()):
            raise typer.BadParameter(
                f"{printable(text)} is a model file: name it first, before the recordings, and no second one"
            )


def path_here(text: str) -> Path:
    """The path that a text names; raises `typer.BadParameter` where that is a URL."""
    if is_url(text):
        raise typer.BadParameter(_refusal(text))
    return Path(text)


def refuse_urls(context: Any, words: Iterable[str]) -> None:
    """Refuse a URL where a command takes a path of this machine.

    Parameters
    ----------
    context : typer.Context
        Of a command, its parameters parsed.
    words : iterable of str
        The command line.

    Raises
    ------
    typer.BadParameter
        One of the paths was spelled as a URL, and would be taken for a folder of its scheme's name.
    """
    spelled = {word.partition("=")[2] if word.startswith("-") else word for word in words}
    urls = {Path(word): word for word in spelled if is_url(word)}
    for value in context.params.values():
        for path in value if isinstance(value, list | tuple) else [value]:
            if isinstance(path, Path) and path in urls:
                raise typer.BadParameter(_refusal(urls[path]), ctx=context)


def refuse_swapped(context: Any) -> None:
    """Refuse recordings where the model file belongs, and the model file behind them.

    Parameters
    ----------
    context : typer.Context
        Of a command, its parameters parsed.

    Raises
    ------
    typer.BadParameter
        Both are there, in the other order.
    """
    named = [each.name for each in context.command.params if each.param_type_name == "argument"]
    if len(named) < 2 or named[0] != "model":
        return
    model, others = (context.params.get(name) for name in named[:2])
    others = others if isinstance(others, list | tuple) else [others]
    swapped = next(filter(_is_model_file, others), None)
    if swapped is not None and not _is_model_file(model) and str(model) != DEMO and _is_there(model):
        raise typer.BadParameter(
            f"{printable(str(model))} is no model file and {printable(str(swapped))} looks like one: the two "
            "seem to be swapped; name the model file first",
            ctx=context,
        )


def _is_model_file(named: object) -> bool:
    return str(named).lower().endswith(MODEL_SUFFIX)


def _is_there(named: object) -> bool:
    try:
        return isinstance(named, str | Path) and Path(named).exists()
    except OSError:  # closed to us: whoever opens it says so
        return False


def _refusal(url: str) -> str:
    return (
        f"{printable(hidden(url))} is a URL, and a path on this machine is needed here: copy it to one "
        "first, or mount what it lies in"
    )
