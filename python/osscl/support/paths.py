"""Spelling of file names in messages and tables, and whether something lies at a path."""

import os
import re
from pathlib import Path

_UNDECODABLE = re.compile("[\udc80-\udcff]")
_ESCAPE = re.compile(rb"\\x(5c|[89a-f][0-9a-f])")
_LOOKS_LIKE_ESCAPE = re.compile(r"\\(?=x(?:5c|[89a-f][0-9a-f]))")


def printable(path: str | os.PathLike[str]) -> str:
    r"""Spell a path so that it can be printed, no two paths alike.

    Parameters
    ----------
    path : str or path
        Any path.

    Returns
    -------
    str
        The path with each byte that is not UTF-8 as ``\xNN``. A backslash that would be read as the beginning
        of such an escape is one itself, ``\x5c``; all others stand for themselves.
    """
    spelled = _LOOKS_LIKE_ESCAPE.sub(r"\\x5c", os.fsdecode(path))
    spelled = _UNDECODABLE.sub(lambda byte: f"\\x{ord(byte[0]) - 0xDC00:02x}", spelled)
    return spelled.encode("utf-8", "backslashreplace").decode()


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
    return _ESCAPE.sub(lambda byte: bytes.fromhex(byte[1].decode()), content).decode(
        "utf-8", "surrogateescape"
    )


def is_there(path: str | os.PathLike[str]) -> bool:
    """Whether something lies at a path, be it only that it cannot be looked at; reading it tells why.

    Parameters
    ----------
    path : str or path
        The path; links are followed.

    Returns
    -------
    bool
        False where the system says that there is nothing, and nowhere else.
    """
    try:
        Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # a closed folder on the way, a link that turns in a circle
        return True
    return True
