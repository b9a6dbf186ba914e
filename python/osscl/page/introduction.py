"""What stands at the top of a page that is about more than a table."""

from typing import NamedTuple


class Introduction(NamedTuple):
    """What a page says first.

    Attributes
    ----------
    headline : str
        The answer in a sentence, in place of the table's.
    points : tuple of (str, str)
        Names and sentences.
    doubts : tuple of str
        Why to take care, a sentence each.
    commands : tuple of str
        What to run next.
    """

    headline: str
    points: tuple[tuple[str, str], ...]
    doubts: tuple[str, ...]
    commands: tuple[str, ...]
