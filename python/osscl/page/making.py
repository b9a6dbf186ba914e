"""A table of scores made into a page."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from osscl.errors import ConfigError
from osscl.page.contents import Contents
from osscl.page.gathering import BY_DEFAULT, PageOptions, gather
from osscl.page.pictures import load_pillow
from osscl.page.rendering import load_jinja2, render
from osscl.support.atomic import write_atomically
from osscl.support.outputs import cannot_be_written, check_output
from osscl.support.paths import printable

SUFFIXES = (".html", ".htm")


def make_page(
    table: Path,
    output: Path,
    options: PageOptions = BY_DEFAULT,
    *,
    overwrite: bool = False,
    inputs: Iterable[str | os.PathLike[str] | None] = (),
    on_total: Callable[[int], object] = lambda _: None,
    on_clip: Callable[[], object] = lambda: None,
) -> Contents:
    """Write a page about a table of scores.

    Parameters
    ----------
    table : Path
        Table that ``osscl score`` wrote, or any with the same columns.
    output : Path
        File to write, .html; it appears whole or not at all.
    options : PageOptions
        What else is at hand.
    overwrite : bool
        Replace what is at `output`.
    inputs : iterable of path-like or None
        What is read beside the table, which is never replaced.
    on_total : callable
        Takes how many clips are shown with picture and sound.
    on_clip : callable
        Called after each of them.

    Returns
    -------
    Contents
        What the page says.

    Raises
    ------
    ConfigError
        `output` ends in something else.
    OutputError
        It is there already, cannot be written, or is read.
    EvaluationError
        The table cannot be read, or the model file did not give its scores.
    ModelFileError
        The model file cannot be read.
    MissingExtraError
        jinja2 or pillow is not installed.
    """
    if output.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"{printable(output)}: a page ends in .html; it is '{output.suffix}'")
    check_output(output, overwrite=overwrite, inputs=[table, *inputs])
    check_packages()
    contents = gather(table, output.absolute().parent, options, on_total, on_clip)
    try:
        write_atomically(output, [render(contents).encode("utf-8", "backslashreplace")])
    except OSError as error:
        raise cannot_be_written(output, error) from error
    return contents


def check_packages() -> None:
    """Make sure that a page can be written, before anything is gathered for it.

    Raises
    ------
    MissingExtraError
        jinja2 or pillow is not installed.
    """
    load_jinja2()
    load_pillow()
