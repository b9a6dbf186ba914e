"""The page of a training: what it draws, what it says, and that it asks nobody for anything."""

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from osscl.errors import OutputError
from osscl.training.confusion_picture import MAX_SHOWN, matrix
from osscl.training.curves import FRAME, learning_curves
from osscl.training.run_files import PAGE_FILE, PICTURE_FILE
from osscl.training.training_page import write_training_page
from support.made_up_training import made_up_reports, made_up_training

CLASSES = ("fan/id_00", "fan/id_02", "pump/id_00")
CONFUSION = ((9, 1, 0), (0, 10, 0), (4, 0, 6))


def ends(path: str) -> list[tuple[float, float]]:
    """First and last point of an SVG path."""
    points = re.findall(r"([\d.]+) ([\d.]+)", path)
    return [(float(x), float(y)) for x, y in (points[0], points[-1])]


def test_curves_stand_where_their_values_are() -> None:
    loss, accuracy, rate = learning_curves(made_up_reports(epochs=3, steps=4), chance=0.25)
    (first, last), (held_first, held_last) = (ends(curve.path) for curve in accuracy.curves)
    f = FRAME
    assert first == pytest.approx((f.left + f.width / 12, f.bottom - f.height * 0.8 / 12), abs=0.06)
    assert last == pytest.approx((f.right, f.bottom - f.height * 0.8), abs=0.06)
    assert held_first == pytest.approx((f.left + f.width / 3, f.bottom - f.height / 3), abs=0.06)
    assert held_last == pytest.approx((f.right, f.top), abs=0.06)
    assert accuracy.level is not None
    assert accuracy.level[0] == pytest.approx(f.bottom - f.height / 4)
    assert accuracy.level[1] == "chance"
    assert [curve.look for curve in loss.curves] == ["steps", "held"]
    falls = ends(loss.curves[0].path)
    assert falls[0][1] < falls[1][1], "a loss that falls goes down, away from the top"
    assert rate.title == "Learning rate, 1e-3"
    assert [tick.text for tick in rate.y_ticks] == ["0.00", "0.25", "0.50", "0.75", "1.00"]
    assert all(tick.text.isdecimal() for tick in rate.x_ticks)


def test_many_steps_are_drawn_as_means() -> None:
    loss, *_ = learning_curves(made_up_reports(epochs=2, steps=1000), chance=0.25)
    assert loss.curves[0].path.count("L") == 299
    assert loss.curves[1].path.count("L") == 1


def test_one_step_is_drawn() -> None:
    charts = learning_curves(made_up_reports(epochs=1, steps=1), chance=0.25)
    assert all("nan" not in curve.path for chart in charts for curve in chart.curves)


def test_a_cell_stands_for_the_clips_of_a_machine_that_are_nearest_to_another() -> None:
    picture = matrix(CLASSES, CONFUSION)
    assert [(cell.n_clips, cell.share, cell.is_right) for cell in picture.cells] == [
        (9, 0.9, True),
        (1, 0.1, False),
        (10, 1.0, True),
        (4, 0.4, False),
        (6, 0.6, True),
    ]
    wrong = picture.cells[3]
    assert (wrong.x, wrong.y) == (picture.left, picture.top + 2 * picture.size)
    assert wrong.text == "4 of 10 clips of pump/id_00 lie nearest to fan/id_00"
    assert picture.has_numbers
    assert picture.n_left_out == 0


def test_of_many_machines_those_that_are_confused_are_shown() -> None:
    n = MAX_SHOWN + 20
    confusion = [[0] * n for _ in range(n)]
    for at in range(n):
        confusion[at][at] = 5
    confusion[n - 1][n - 2] = 3
    classes = [f"m/id_{at:02d}" for at in range(n)]
    picture = matrix(classes, tuple(map(tuple, confusion)))
    names = [label.name for label in picture.labels]
    assert names == [*classes[: MAX_SHOWN - 2], *classes[-2:]]
    assert picture.n_left_out == 20
    assert not picture.has_numbers


def test_the_page_says_the_verdict_and_asks_nobody(tmp_path: Path) -> None:
    info = made_up_training(tmp_path, CLASSES, CONFUSION)
    write_training_page(tmp_path, info)
    page = (tmp_path / PAGE_FILE).read_text()
    assert "The network learned only in part to tell its classes apart." in page
    assert "25 of 30 held-out clips lie nearest to their own class: 83.3%" in page
    assert "pump/id_00 is taken for fan/id_00 in 4 of 10 clips" in page
    assert page.count('class="cell wrong"') == 2
    picture = (tmp_path / PICTURE_FILE).read_text()
    assert picture.count('<path class="curve') == page.count('<path class="curve') == 9
    for text in (page, picture.replace('xmlns="http://www.w3.org/2000/svg"', "")):
        assert not re.search(r"https?:|url\(|@import", text)


def test_a_name_is_no_part_of_the_page(tmp_path: Path) -> None:
    info = made_up_training(tmp_path, ("<b>fan</b>", "a&b", '"x"'), CONFUSION)
    write_training_page(tmp_path, info)
    page = (tmp_path / PAGE_FILE).read_text()
    assert "<b>fan" not in page
    assert "&lt;b&gt;fan&lt;/b&gt;" in page


def test_a_training_whose_confusion_is_not_known_has_a_page_without(tmp_path: Path) -> None:
    info = made_up_training(tmp_path, CLASSES, CONFUSION)
    assert info.progress.best is not None
    best = replace(info.progress.best, confusion=(), hold_out_margin=None)
    write_training_page(tmp_path, replace(info, progress=replace(info.progress, best=best)))
    page = (tmp_path / PAGE_FILE).read_text()
    assert "Which class is taken for which" not in page
    assert "Learning curves" in page


def test_a_page_that_finds_no_room_is_said(tmp_path: Path) -> None:
    info = made_up_training(tmp_path, CLASSES, CONFUSION)
    (tmp_path / PAGE_FILE).mkdir()
    with pytest.raises(OutputError, match=r"training\.html"):
        write_training_page(tmp_path, info)
