"""Help pages as typer makes them, but nothing on them is cut, and flags do not seem to take a value."""

from typing import Any

import rich.columns
import rich.table
import rich.text


class _FoldedTable(rich.table.Table):
    """A table whose words go on in the next line where a column is too narrow for them."""

    def add_row(self, *cells: Any, **options: Any) -> None:
        """Add a row; columns come with the first."""
        for cell in cells:
            for text in cell.renderables if isinstance(cell, rich.columns.Columns) else ():
                if isinstance(text, rich.text.Text):  # it goes before what its column says
                    text.overflow = "fold"
        super().add_row(*cells, **options)
        for column in self.columns:
            column.overflow = "fold"


def format_help(command: Any, context: Any, formatter: Any) -> None:
    """Write the help of a command.

    Parameters
    ----------
    command : typer.core.TyperCommand or TyperGroup
        The command.
    context : typer.Context
        Of its call.
    formatter : click.HelpFormatter
        What typer hands on.
    """
    import typer.rich_utils  # here: only helps need it

    typer.rich_utils.Table = _FoldedTable  # type: ignore[attr-defined]  # it has no setting for this
    for option in command.get_params(context):
        if getattr(option, "is_flag", False):
            option.display_type_rich = _nothing
    type(command).format_help(command, context, formatter)


def _nothing(ctx: Any) -> None:
    """What a flag takes."""
