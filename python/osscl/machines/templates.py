"""Templates of paths, ``{machine}_{time}.wav``: text, and fields that stand for a part of one name."""

from collections.abc import Iterator
from string import Formatter
from typing import NamedTuple

from osscl.audio.time_in_name import is_time
from osscl.support.plurals import counted

TIME = "time"
"""The field that stands for a date and time alone, and not for any text."""


class TemplateError(Exception):
    """What is wrong with a template."""


class _Name(NamedTuple):
    """One name of a path: ``before`` its first field, and each field with the text that follows it."""

    before: str
    fields: tuple[tuple[str, str], ...]


class Template:
    """A template of paths.

    Fields stand for one character or more of one name, ``{time}`` for a date and time as
    `osscl.audio.time_in_name` reads it. No field takes the ending of a file, which may be left out, and which
    may be in capitals, as recorders write it.
    ``{{`` and ``}}`` are braces.

    Parameters
    ----------
    text : str
        The template, with slashes between names.

    Attributes
    ----------
    fields : tuple of str
        Names of its fields, in order.

    Raises
    ------
    TemplateError
        No path can fit it, or it cannot be told where one field ends and the next begins.
    """

    def __init__(self, text: str) -> None:
        self._names = tuple(_names(_parsed(text)))
        self.fields = tuple(field for name in self._names for field, _ in name.fields)
        if twice := [field for field in self.fields if self.fields.count(field) > 1]:
            raise TemplateError(f"{{{twice[0]}}} stands in it twice; give each field a name of its own")
        if any(_is_no_name(name) for name in self._names):
            raise TemplateError(
                "no path fits it: paths begin below the folder that is named, without / or . before them"
            )

    def readings(self, path: str) -> dict[str, set[str]] | None:
        """Read the fields in a path.

        Parameters
        ----------
        path : str
            With slashes between names.

        Returns
        -------
        dict of str to set of str, or None
            All that each field may stand for, more than one text where the path fits in several ways; None
            where it does not fit.
        """
        *folders, file = path.split("/")
        if len(folders) + 1 != len(self._names):
            return None
        readings: dict[str, set[str]] = {}
        for name, text in zip(self._names, folders, strict=False):
            found = _readings(name, text)
            if found is None:
                return None
            readings |= found
        of_file = _of_file(self._names[-1], file)
        return None if of_file is None else readings | of_file

    def misfit(self, path: str) -> str:
        """Say what of a path does not fit.

        Parameters
        ----------
        path : str
            One that has no readings.

        Returns
        -------
        str
            A clause, as far as can be told.
        """
        *folders, file = path.split("/")
        n_folders = len(self._names) - 1
        if len(folders) != n_folders:
            return (
                f"it lies in {counted(len(folders), 'folder')} below the one that was named, and the pattern "
                f"has {n_folders or 'none'}"
            )
        for number, (name, text) in enumerate(zip(self._names, folders, strict=False), start=1):
            if _readings(name, text) is None:
                return f"its folder {number} of {n_folders}: {_misfit(name, text)}"
        return f"its name: {_misfit(self._names[-1], file, is_file=True)}"


def _misfit(name: _Name, text: str, *, is_file: bool = False) -> str:
    """Why a name does not fit: one clause for all with the same fault, so that they are told together."""
    untimed = _Name(
        name.before, tuple(("" if field == TIME else field, behind) for field, behind in name.fields)
    )
    if untimed != name and (_of_file if is_file else _readings)(untimed, text) is not None:
        return (
            f"what stands in the place of {{{TIME}}} is no date and time; {{{TIME}}} stands for such a one "
            "alone, as 2026-01-05T04-00"
        )
    if not name.fields:
        return f"it is not {name.before}"
    if not text.startswith(name.before):
        return f"it does not begin with {name.before}"
    *between, last = (behind for _, behind in name.fields)
    if lacking := next((each for each in between if each not in text), ""):
        return f"{lacking} stands nowhere in it"
    if is_file and not _with_ending_of(text, last).endswith(last):
        return f"it does not end in {last}"
    return "its parts do not stand where the pattern has them"


def _parsed(text: str) -> list[tuple[str, str | None]]:
    """Texts, each with the field behind it."""
    try:
        parts = [(literal, field, kind, way) for literal, field, kind, way in Formatter().parse(text)]
    except ValueError:
        raise TemplateError("a brace stands alone in it; {{ and }} are braces of a name") from None
    for _, field, kind, way in parts:
        if field is not None and (not field.isidentifier() or kind or way):
            raise TemplateError(f"{{{field}}} is no field; expected a name of letters, such as {{line}}")
    return [(literal, field) for literal, field, _, _ in parts]


def _names(parts: list[tuple[str, str | None]]) -> Iterator[_Name]:
    """The names between the slashes of a template."""
    texts, fields = [""], list[str]()  # fields stand between the texts
    for literal, field in parts:
        first, *others = literal.split("/")
        texts[-1] += first
        for text in others:
            yield _name(texts, fields)
            texts, fields = [text], []
        if field is not None:
            fields.append(field)
            texts.append("")
    yield _name(texts, fields)


def _name(texts: list[str], fields: list[str]) -> _Name:
    for field, behind, following in zip(fields, texts[1:], fields[1:], strict=False):
        if not behind:
            raise TemplateError(
                f"nothing stands between {{{field}}} and {{{following}}}, so that nobody can tell where "
                "one ends"
            )
    return _Name(texts[0], tuple(zip(fields, texts[1:], strict=True)))


def _is_no_name(name: _Name) -> bool:
    return not name.fields and name.before in ("", ".", "..")


def _of_file(name: _Name, file: str) -> dict[str, set[str]] | None:
    """What the fields stand for in a file's name, with its ending or without."""
    file = _with_ending_of(file, name.fields[-1][1] if name.fields else name.before)
    stem, dot, _ = file.rpartition(".")
    if not dot or not stem:
        return _readings(name, file)
    found = [each for each in (_readings(name, file, len(stem)), _readings(name, stem)) if each is not None]
    if not found:
        return None
    return {field: set().union(*(each[field] for each in found)) for field in found[0]}


def _with_ending_of(file: str, text: str) -> str:
    """A file's name with its ending as a template spells it, where they differ in capitals alone."""
    stem, dot, ending = file.rpartition(".")
    _, in_text, wanted = text.rpartition(".")
    return f"{stem}.{wanted}" if dot and in_text and ending.lower() == wanted.lower() else file


def _readings(name: _Name, text: str, dot: int = -1) -> dict[str, set[str]] | None:
    """All that each field of a name may stand for in a text; no field holds the character at ``dot``."""
    if not name.fields:
        return {} if text == name.before else None
    if not text.startswith(name.before):
        return None
    starts = {len(name.before)}
    spans: list[list[tuple[int, int]]] = []  # of each field, as far as what stands before it fits
    for number, (field, behind) in enumerate(name.fields, start=1):
        is_last = number == len(name.fields)
        ends = _places(behind, text, is_last=is_last)
        spans.append([
            (start, end)
            for start in starts
            for end in ends
            if start < end and not start <= dot < end and (field != TIME or is_time(text[start:end]))
        ])  # fmt: skip
        starts = {end + len(behind) for _, end in spans[-1]}
    readings: dict[str, set[str]] = {}
    goes_on = {len(text)}  # where what follows a field may begin, as far as it fits
    for (field, behind), of_field in zip(reversed(name.fields), reversed(spans), strict=True):
        fitting = [(start, end) for start, end in of_field if end + len(behind) in goes_on]
        if not fitting:
            return None
        readings[field] = {text[start:end] for start, end in fitting}
        goes_on = {start for start, _ in fitting}
    return readings


def _places(behind: str, text: str, *, is_last: bool) -> list[int]:
    """Where a field may end that this text follows."""
    if is_last:
        return [len(text) - len(behind)] if text.endswith(behind) else []
    return [place for place in range(len(text)) if text.startswith(behind, place)]
