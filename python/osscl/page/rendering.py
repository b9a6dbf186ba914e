"""What a page says, written as one HTML file that asks nobody for anything."""

import base64
import math
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from osscl.evaluation.figures import Figure
from osscl.page.contents import Contents
from osscl.page.evidence import SPECTRUM_FRAME, frequency_ticks
from osscl.page.standing import FEW_RECORDINGS, STATES
from osscl.support.failed_import import needing
from osscl.support.installed import version_of

_FOLDER = files("osscl.page") / "templates"
_BLOCK_NAMES = {
    "level": "level",
    "modulation": "slow modulation",
    "flutter": "flutter",
    "event": "single events",
}
_LONG_BAR_Z = 100.0


def render(contents: Contents) -> str:
    """Write a page.

    Parameters
    ----------
    contents : Contents
        What it says.

    Returns
    -------
    str
        The file. Every name in it is escaped, and its own policy allows it neither requests nor scripts but
        the one that it holds.

    Raises
    ------
    MissingExtraError
        jinja2 is not installed.
    """
    return filled(
        "page.html",
        page=contents,
        states=STATES,
        few=FEW_RECORDINGS,
        block_names=_BLOCK_NAMES,
        spectrum_frame=SPECTRUM_FRAME,
        frequency_ticks=frequency_ticks(),
    )


def filled(name: str, folder: Traversable = _FOLDER, **values: Any) -> str:
    """Fill a template that has the looks of this room's pages.

    Parameters
    ----------
    name : str
        Its file.
    folder : Traversable
        Where it lies; what it includes may lie here as well.
    **values : object
        What it takes, beside style and script.

    Returns
    -------
    str
        The file, with every name in it escaped.

    Raises
    ------
    MissingExtraError
        jinja2 is not installed.
    """
    jinja2 = load_jinja2()
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda part: _template(part, folder)),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "px": lambda value: f"{value:.1f}",
        "sig": _significant,
        "figure": _figure,
        "bar_length": _bar_length,
        "capitalize_first": lambda text: text[:1].upper() + text[1:],
    }
    style, script = (_template(part, folder) for part in ("style.css", "script.js"))
    # jinja2 strips no more than this: the hashes are of what stands between the tags, to the byte
    page: str = environment.get_template(name).render(
        style=_as_it_is(jinja2, style),
        script=_as_it_is(jinja2, script),
        style_hash=_hash(style),
        script_hash=_hash(script),
        version=version_of("osscl"),
        **values,
    )
    return page


def _template(name: str, folder: Traversable) -> str:
    own = folder / name
    return (own if own.is_file() else _FOLDER / name).read_text(encoding="utf-8")


def load_jinja2() -> Any:
    """Load what fills the templates; raises MissingExtraError where it is not installed."""
    with needing("the page", "report"):
        import jinja2
    return jinja2


def _as_it_is(jinja2: Any, own: str) -> Any:
    """A text of ours, which is no name of a stranger."""
    return jinja2.utils.markupsafe.Markup(own)


def _hash(text: str) -> str:
    return base64.b64encode(sha256(text.encode()).digest()).decode()


def _significant(value: float, digits: int = 4) -> str:
    return f"{value:.{digits}g}" if abs(value) < 10**digits else f"{value:,.0f}"


def _figure(figure: Figure | None) -> str:
    if figure is None:
        return "not known"
    told = f"{100 * figure.value:.1f} %"
    return (
        told
        if figure.low is None or figure.high is None
        else f"{told} ({100 * figure.low:.1f} to {100 * figure.high:.1f})"
    )


def _bar_length(z: float) -> float:
    """Length of a bar, from 0 to 100: logarithmic, since what is loud is a hundred spreads away."""
    return 100 * min(1.0, math.log1p(max(z, 0.0)) / math.log1p(_LONG_BAR_Z))
