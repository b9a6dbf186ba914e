"""What reaches a terminal: names of files, machines and models are foreign text, and may hold commands."""

import re
from io import TextIOBase
from typing import TextIO

# all control characters but line end and tab; and those that reorder what is shown around them
_ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_UNDECODED = re.compile("[\udc80-\udcff]")


def harmless(text: str) -> str:
    r"""Spell a text so that a terminal shows it and does nothing else.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        The text with characters that act on a terminal as ``\u001b``, and undecoded bytes as ``\xNN``.
    """
    return _ACTING.sub(lambda character: f"\\u{ord(character[0]):04x}", without_bytes(text))


def without_bytes(text: str) -> str:
    r"""Spell bytes that were no UTF-8 as ``\xNN``, so that the text can be written.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        The text.
    """
    return _UNDECODED.sub(lambda byte: f"\\x{ord(byte[0]) - 0xDC00:02x}", text)


class SafeStream(TextIOBase):
    """Text on its way to a terminal.

    Parameters
    ----------
    stream : text file
        The terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write it, harmless."""
        self._stream.write(harmless(text))
        return len(text)

    def flush(self) -> None:
        """Send what is held back."""
        self._stream.flush()
