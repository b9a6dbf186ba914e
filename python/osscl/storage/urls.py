"""URLs of recordings, models and outputs: how they are spelled, and which give away too much."""

import os
import re
from pathlib import Path
from typing import TypeAlias
from urllib.parse import parse_qsl

from osscl.errors import ConfigError
from osscl.support.paths import printable
from osscl.support.urls import is_url

_PASSWORD = re.compile(r"://[^/@\s]*:[^/@\s]*@")
_SECRET_WORDS = (
    "sig",
    "token",
    "secret",
    "password",
    "credential",
    "accesskey",
    "access_key",
    "api_key",
    "apikey",
)


class Url(os.PathLike[str]):
    """A place that is reached by a URL; it has the members of a path that outputs and model files need.

    Parameters
    ----------
    text : str
        The URL as the user gave it.

    Raises
    ------
    ConfigError
        A password or a signature stands in it, and would stand in tables, journals and lists of processes.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        check_url(text)
        self._text = text

    def __fspath__(self) -> str:
        return self._text

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"Url({self._text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Url) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    @property
    def name(self) -> str:
        """What stands behind the last slash."""
        return self._text.rpartition("/")[2]

    @property
    def suffix(self) -> str:
        """The ending of the name, with its dot."""
        return os.path.splitext(self.name)[1]  # noqa: PTH122 - no path

    def with_name(self, name: str) -> "Url":
        """The place of another name beside it."""
        return Url(f"{self._text.rpartition('/')[0]}/{name}")

    def absolute(self) -> "Url":
        """Itself: a URL depends on no working folder."""
        return self


Place: TypeAlias = Path | Url
"""Where a file is: on this machine, or behind a URL."""


def place_of(named: str | os.PathLike[str]) -> Place:
    """Make a path or a URL of what the user named; raises `ConfigError` as `Url` does."""
    if isinstance(named, Path | Url):
        return named
    text = os.fsdecode(named)
    return Url(text) if is_url(text) else Path(text)


def check_url(text: str) -> None:
    """Refuse a URL that holds what nobody should read; it is spelled without it.

    Parameters
    ----------
    text : str
        A URL.

    Raises
    ------
    ConfigError
        A password stands before the host, or a signature or key behind a question mark.
    """
    if _PASSWORD.search(text):
        raise ConfigError(_refusal(_PASSWORD.sub("://", text), "a password"))
    for part in text.split("::"):
        plain, _, query = part.partition("?")
        if not plain.lower().startswith(("http://", "https://")):  # a key may hold a question mark
            continue
        for name, _ in parse_qsl(query, keep_blank_values=True):
            if any(word in name.lower().replace("-", "_") for word in _SECRET_WORDS):
                raise ConfigError(_refusal(f"{plain}?...", "a signature or key"))


def hidden(url: str) -> str:
    """Spell a URL so that nothing secret in it is told: all of it, or its scheme alone."""
    try:
        check_url(url)
    except ConfigError:
        return f"{url.partition('://')[0]}://..."
    return url


def _refusal(spelled: str, what: str) -> str:
    return (
        f"{printable(spelled)} was given with {what} in it, which would stand in tables and lists of "
        "processes: leave it out, and put credentials where the store's own tools look for them "
        "(environment, ~/.aws, the machine's role)"
    )
