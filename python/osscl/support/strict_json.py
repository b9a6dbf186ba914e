"""JSON that must say everything and each thing once: no default and no second value slips in unseen."""

import json
import re
from collections.abc import Collection, Iterator
from typing import Any, TypeVar

import msgspec

_Document = TypeVar("_Document", bound=msgspec.Struct)


def decode_strictly(document: bytes, kind: type[_Document], later: Collection[str] = ()) -> _Document:
    """Read a JSON document in which each field of a structure stands exactly once.

    Parameters
    ----------
    document : bytes
        JSON, UTF-8.
    kind : type of msgspec.Struct
        The structure it must hold. Whether it may hold more is up to the structure.
    later : collection of str
        JSON paths, without numbers, of fields that a document of this age does not have yet, and may not:
        ``$.list[].name``.

    Returns
    -------
    msgspec.Struct
        The structure.

    Raises
    ------
    ValueError
        The document is not JSON, or a field is missing, repeated or of a wrong type; the message names its
        JSON path, or the byte where the document stops being JSON.
    """
    try:
        structure = msgspec.json.decode(document, type=kind)
        stated = json.loads(document, object_pairs_hook=_mark_repeated)
    except msgspec.MsgspecError as error:  # a ValueError only in newer versions of msgspec
        raise ValueError(str(error)) from None
    except RecursionError:
        raise ValueError("JSON is nested too deeply") from None
    for flaw in _flaws(stated, msgspec.to_builtins(structure), "$", later):
        raise ValueError(flaw)
    return structure


_REPEATED = object()
_NUMBER = re.compile(r"\[\d+\]")


def _mark_repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a dict of the members of a JSON object, with a mark for the value of a key that stands twice."""
    members: dict[str, Any] = {}
    for key, value in pairs:
        members[key] = _REPEATED if key in members else value
    return members


def _flaws(stated: Any, read: Any, path: str, later: Collection[str]) -> Iterator[str]:
    """Find the fields that stand twice, that stand too early, or that were read without standing there."""
    if stated is _REPEATED:
        yield f"Field stands twice - at `{path}`"
    elif isinstance(read, dict):
        for key, value in read.items():
            place = f"{path}.{key}"
            is_later = _NUMBER.sub("[]", place) in later
            if key in stated:
                if is_later:
                    yield f"Field is newer than the document - at `{place}`"
                yield from _flaws(stated[key], value, place, later)
            elif not is_later:
                yield f"Field is missing - at `{place}`"
    elif isinstance(read, list | tuple):
        for index, (stated_item, item) in enumerate(zip(stated, read, strict=True)):
            yield from _flaws(stated_item, item, f"{path}[{index}]", later)
