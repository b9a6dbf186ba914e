"""Rows of a table of labels that are globs: ``press3_*.wav``, ``north/**/*.wav``."""

import fnmatch
import os
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from osscl.support.links import as_walked, real_path
from osscl.support.paths import path_of
from osscl.support.spelling import composed, with_slashes
from osscl.support.urls import is_url

_MAGIC = re.compile(r"[*?[]")
_ANY_FOLDERS = "**"

Fits: TypeAlias = Callable[[Sequence[str]], bool]
"""Takes the absolute paths of a file, as it was walked to and links followed; says whether one fits."""

_Part: TypeAlias = Callable[[str], object] | None
"""Tells whether one name of a path fits; None stands for any number of folders."""


def is_glob(spelled: str) -> bool:
    """Whether a row may be meant as a glob: it holds one of ``* ? [``."""
    return _MAGIC.search(spelled) is not None


class _Form(NamedTuple):
    """A glob in one spelling: folders, with a slash behind, and the names from the first magic one on."""

    folders: frozenset[str]
    parts: tuple[_Part, ...]

    def fits(self, path: str) -> bool:
        return any(
            path.startswith(folder) and _fit(self.parts, path[len(folder) :].split("/"))
            for folder in self.folders
        )


def path_glob(spelled: str, base: str) -> Fits:
    r"""Read a glob of paths.

    ``*`` and ``?`` stand for any characters, or one, of one name, ``[ab]`` for one of these, ``**`` for any
    number of folders. Letters and accents fit however a system spells them; ``\`` may separate names.

    Parameters
    ----------
    spelled : str
        The glob: absolute, a URL, or counted from `base`.
    base : str
        Folder of the table.

    Returns
    -------
    callable
        Takes a file's absolute paths, accents composed; says whether one of them fits.
    """
    forms = [_form(path_of(text), base) for text in (spelled, with_slashes(spelled)) if text]
    return lambda paths: any(form.fits(path) for form in forms for path in paths)


def name_glob(spelled: str) -> Fits:
    """Read a glob of file names, which fits in every folder."""
    part = _fitting(path_of(spelled))
    return lambda paths: bool(part(paths[0].rpartition("/")[2]))


def _form(path: str, base: str) -> _Form:
    whole = path if is_url(path) else as_walked(os.path.join(base, path))  # noqa: PTH118 - Path drops a final /
    names = whole.split("/")
    first = next((at for at, name in enumerate(names) if is_glob(name)), len(names) - 1)
    folder = "/".join(names[:first])
    folders = frozenset(f"{composed(each)}/" for each in (folder, real_path(folder) if folder else ""))
    return _Form(folders, tuple(map(_part, names[first:])))


def _part(name: str) -> _Part:
    return None if name == _ANY_FOLDERS else _fitting(name)


def _fitting(name: str) -> Callable[[str], object]:
    literal = composed(name)
    pattern = re.compile(fnmatch.translate(literal))
    return lambda text: text == literal or pattern.match(text)


def _fit(parts: Sequence[_Part], names: Sequence[str]) -> bool:
    """Whether names fit, each ``**`` taking as few folders as it can."""
    part = name = 0
    back_to: tuple[int, int] | None = None  # behind the last **, and the first name that it has not taken
    while name < len(names):
        if part < len(parts) and (fits := parts[part]) is None:
            part += 1
            back_to = part, name
        elif part < len(parts) and fits is not None and fits(names[name]):
            part, name = part + 1, name + 1
        elif back_to is not None:
            part, name = back_to[0], back_to[1] + 1
            back_to = part, name
        else:
            return False
    return all(each is None for each in parts[part:])
