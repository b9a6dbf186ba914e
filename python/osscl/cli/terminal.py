"""Tables and progress on a terminal."""

from collections.abc import Iterable
from typing import Any

import rich.console
import rich.segment

from osscl.cli.harmless import harmless


class SafeConsole(rich.console.Console):
    """Rich's console, which alone may send commands to the terminal; text that it is given may not.

    Parameters
    ----------
    **options
        As of `rich.console.Console`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, emoji=False, **options)

    def render(
        self, renderable: rich.console.RenderableType, options: rich.console.ConsoleOptions | None = None
    ) -> Iterable[rich.segment.Segment]:
        """Make segments, as the base class does."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text == harmless(segment.text):
                yield segment
            else:
                yield rich.segment.Segment(harmless(segment.text), segment.style)
