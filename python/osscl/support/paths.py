"""Spelling of file names, and of what strangers named, in messages and tables."""

import os
import re

_LONGEST = 60
_UNDECODABLE = re.compile("[\udc80-\udcff]")


def printable(path: str | os.PathLike[str]) -> str:
    r"""Spell a path so that it can be printed: bytes that are not UTF-8 become ``\xNN``."""
    spelled = _UNDECODABLE.sub(lambda byte: f"\\x{ord(byte[0]) - 0xDC00:02x}", os.fsdecode(path))
    return spelled.encode("utf-8", "backslashreplace").decode()


def brief(thing: object) -> str:
    """Spell what a stranger named so that it fits into a sentence: short, in one line."""
    text = "".join(char if char.isprintable() else "?" for char in str(thing))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
