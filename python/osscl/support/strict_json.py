"""JSON that must say everything and each thing once: no default and no second value slips in unseen."""

import json
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
        Fields at the top that a document of this age does not have yet, and may not.

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
    expected = msgspec.to_builtins(structure)
    for name in later:
        if name in stated:
            raise ValueError(f"Field is newer than the document - at `$.{name}`")
        del expected[name]
    for flaw in _flaws(stated, expected, "$"):
        raise ValueError(flaw)
    return structure


_REPEATED = object()


def _mark_repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a dict of the members of a JSON object, with a mark for the value of a key that stands twice."""
    members: dict[str, Any] = {}
    for key, value in pairs:
        members[key] = _REPEATED if key in members else value
    return members


def _flaws(stated: Any, read: Any, path: str) -> Iterator[str]:
    """Find the fields that stand twice, or that were read without standing in the document."""
    if stated is _REPEATED:
        yield f"Field stands twice - at `{path}`"
    elif isinstance(read, dict):
        for key, value in read.items():
            if key in stated:
                yield from _flaws(stated[key], value, f"{path}.{key}")
            else:
                yield f"Field is missing - at `{path}.{key}`"
    elif isinstance(read, list | tuple):
        for index, (stated_item, item) in enumerate(zip(stated, read, strict=True)):
            yield from _flaws(stated_item, item, f"{path}[{index}]")
