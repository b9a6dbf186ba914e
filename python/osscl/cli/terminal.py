"""Tables and progress on a terminal."""

from collections.abc import Iterable
from typing import Any

import rich.console
import rich.segment
import rich.table

from osscl.cli.harmless import harmless

_ANY_WIDTH = 1 << 20


class SafeConsole(rich.console.Console):
    """Rich's console, which alone may send commands to the terminal; text that it is given may not.

    No cell of a table is cut: where stdout is no terminal, or no column may be folded, the table is as wide
    as it needs to be.

    Parameters
    ----------
    **options
        As of `rich.console.Console`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, emoji=False, **options)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print, as the base class does; a table in a width of its own."""
        usual = self.width
        for each in objects:
            if isinstance(each, rich.table.Table) and not (self.is_terminal and _may_be_folded(each)):
                self.width = max(self.width, self._width_of(each))
        try:
            super().print(*objects, **options)
        finally:
            self.width = usual

    def _width_of(self, table: rich.table.Table) -> int:
        """Characters of its longest line, whatever the console's width."""
        return self.measure(table, options=self.options.update(max_width=_ANY_WIDTH)).maximum

    def render(
        self, renderable: rich.console.RenderableType, options: rich.console.ConsoleOptions | None = None
    ) -> Iterable[rich.segment.Segment]:
        """Make segments, as the base class does."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text == harmless(segment.text):
                yield segment
            else:
                yield rich.segment.Segment(harmless(segment.text), segment.style)


def _may_be_folded(table: rich.table.Table) -> bool:
    return not all(column.no_wrap for column in table.columns)
