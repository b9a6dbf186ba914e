"""Spelling of file names, and of what strangers named, in messages and tables."""

import os
import re

_LONGEST = 60
_UNDECODABLE = re.compile("[\udc80-\udcff]")
_ESCAPE = re.compile(rb"\\x(0a|5c|[89a-f][0-9a-f])")
_LOOKS_LIKE_ESCAPE = re.compile(r"\\(?=x(?:0a|5c|[89a-f][0-9a-f]))")


def printable(path: str | os.PathLike[str]) -> str:
    r"""Spell a path so that it can be printed, no two paths alike.

    Parameters
    ----------
    path : str or path
        Any path.

    Returns
    -------
    str
        The path in one line: a line feed is ``\x0a``, each byte that is not UTF-8 ``\xNN``. A backslash that
        would be read as the beginning of such an escape is one itself, ``\x5c``; all others stand for
        themselves.
    """
    spelled = _LOOKS_LIKE_ESCAPE.sub(r"\\x5c", _with_utf_8_decoded(os.fsdecode(path)))
    spelled = spelled.replace("\n", r"\x0a")
    spelled = _UNDECODABLE.sub(lambda byte: f"\\x{ord(byte[0]) - 0xDC00:02x}", spelled)
    return spelled.encode("utf-8", "backslashreplace").decode()


def brief(thing: object) -> str:
    """Spell what a stranger named so that it fits into a sentence: short, in one line."""
    text = "".join(char if char.isprintable() else "?" for char in str(thing))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def path_of(spelled: str) -> str:
    r"""Undo `printable`.

    Parameters
    ----------
    spelled : str
        A path as `printable` spells it, or as it is: undecoded bytes may stand in it.

    Returns
    -------
    str
        The path.
    """
    content = spelled.encode("utf-8", "surrogateescape")
    return os.fsdecode(_ESCAPE.sub(lambda byte: bytes.fromhex(byte[1].decode()), content))


def _with_utf_8_decoded(path: str) -> str:
    """Read names as UTF-8, which they are also where the locale says ASCII."""
    if not _UNDECODABLE.search(path):
        return path
    try:
        return path.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a pair of surrogates, which stands for no byte
        return path
