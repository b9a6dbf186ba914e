"""Tables: no cell is cut where nobody's terminal is narrow, nor where no column may be folded."""

import io
from pathlib import Path

import rich.table

from osscl.cli.terminal import SafeConsole
from support.console import osscl_each

MACHINE = f"{'a_long_name_of_a_machine_type_' * 3}/id_00"


def printed(table: rich.table.Table, *, on_terminal: bool) -> str:
    text = io.StringIO()
    console = SafeConsole(file=text, width=40, force_terminal=on_terminal, color_system=None)
    console.print(table)
    assert console.width == 40
    return text.getvalue()


def test_cells_are_whole_where_stdout_is_no_terminal() -> None:
    table = rich.table.Table("machine", "interval", "what it is")
    table.add_row(MACHINE, "47.4–100", "words " * 20)
    assert "47.4–100" in printed(table, on_terminal=False)
    assert ("words " * 20).strip() in printed(table, on_terminal=False)
    assert max(map(len, printed(table, on_terminal=True).splitlines())) == 40  # folded for its reader


def test_what_may_not_be_folded_is_whole_on_a_terminal_too() -> None:
    table = rich.table.Table()
    for name in ("machine", "interval"):
        table.add_column(name, no_wrap=True)
    table.add_row(MACHINE, "47.4–100")
    assert MACHINE in printed(table, on_terminal=True)


def test_intervals_of_an_evaluation_are_whole_in_a_pipe(tmp_path: Path) -> None:
    lines = [
        f"{MACHINE.partition('/')[0]}/test/{word}_id_00_{number}.wav,{MACHINE},ok,{number}"
        for word, numbers in (("normal", (0, 2, 3)), ("anomaly", (1, 4, 5)))
        for number in numbers
    ]
    (tmp_path / "scores.csv").write_text("\n".join(["path,machine,status,score", *lines, ""]))
    (ended,) = osscl_each([("evaluate", "scores.csv")], cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert MACHINE in ended.stdout
    assert "…" not in ended.stdout
