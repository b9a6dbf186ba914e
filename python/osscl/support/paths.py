"""Spelling of file names in messages and tables."""

import os
import re

_UNDECODABLE = re.compile("[\udc80-\udcff]")


def printable(path: str | os.PathLike[str]) -> str:
    r"""Spell a path so that it can be printed: bytes that are not UTF-8 become ``\xNN``."""
    spelled = _UNDECODABLE.sub(lambda byte: f"\\x{ord(byte[0]) - 0xDC00:02x}", os.fsdecode(path))
    return spelled.encode("utf-8", "backslashreplace").decode()
