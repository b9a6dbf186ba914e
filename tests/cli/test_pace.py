"""Progress tells rate and time left from the first step on, also of a run that goes on where it was."""

import io

import pytest

from osscl.cli import console
from osscl.cli.console import WorkProgress
from osscl.cli.pace import UNKNOWN, mean_speed, rate, time_left
from osscl.cli.progress_lines import EVERY_S, ProgressLines
from osscl.cli.terminal import SafeConsole


def test_what_is_not_known_yet_is_not_made_up() -> None:
    assert mean_speed(0, 4.0) is mean_speed(2, None) is mean_speed(2, 0.0) is None
    assert mean_speed(2, 4.0) == 0.5
    assert (rate(None, "clips"), rate(0.5, "clips"), rate(12.34, "clips")) == (
        "",
        "0.5 clips/s",
        "12.3 clips/s",
    )
    assert time_left(None, 0.5) == time_left(3, None) == UNKNOWN
    assert (time_left(45, 0.5), time_left(0, 0.5), time_left(-1, 0.5)) == ("0:01:30", "0:00:00", "0:00:00")


@pytest.mark.parametrize("first", [1, 90])
def test_the_first_step_has_a_rate(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    terminal = SafeConsole(file=shown, force_terminal=True, width=200, color_system=None)
    monkeypatch.setattr(console, "stderr", terminal)
    with WorkProgress("clips", 100) as progress:
        assert "clips/s" not in shown.getvalue()
        progress.show(first)
        task = progress._bar.tasks[0]
        assert task.speed is None  # rich knows none yet
        assert task.fields["rate"].endswith(" clips/s")
        assert task.fields["left"] != UNKNOWN
        assert progress._n_before == first - 1
    assert "clips/s" in shown.getvalue()


def test_where_nobody_sees_a_bar_a_line_tells_stage_rate_and_time_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(console, "stderr", SafeConsole(file=io.StringIO(), force_terminal=False))
    now, said = 0.0, list[str]()
    with console.StagedProgress() as progress:
        progress._lines = ProgressLines(said.append, lambda: now)
        progress.begin("detection limits")
        progress.set_total(480)
        progress.advance()
        assert not said  # a short run says nothing on its way
        now = EVERY_S
        for _ in range(3):
            progress.advance()
    (line,) = said
    assert line.startswith("2 of 480 steps (detection limits), "), line
    assert " steps/s, left " in line
    assert UNKNOWN not in line


def test_a_run_that_nobody_is_to_hear_of_says_no_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "is_quiet", lambda: True)
    assert WorkProgress("clips", 1)._lines is None
