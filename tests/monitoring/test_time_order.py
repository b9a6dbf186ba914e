"""Clips in the order of time, as far as their times tell it."""

import pytest

from osscl.monitoring.time_order import time_order


def test_clips_are_brought_into_the_order_of_time_and_that_is_said() -> None:
    found = time_order(["2026-11-03T14:20:10", "2026-11-03T14:20:00", "2026-11-03T14:20:20.5"])
    assert found.order.tolist() == [1, 0, 2]
    assert found.note == "times go back at 1 place of the table: its clips are taken in the order of time"
    assert found.step_s == pytest.approx(10.25)


def test_equal_times_stay_in_the_order_of_the_table() -> None:
    found = time_order(["2026-11-03T14:20:00+01:00", "2026-11-03T13:20:00Z", "2026-11-03T13:19:59Z"])
    assert found.order.tolist() == [2, 0, 1]
    assert time_order(["2026-11-03"] * 3).step_s is None


@pytest.mark.parametrize(
    ("times", "note"),
    [
        ([None, None], None),
        ([], None),
        (["2026-11-03", None], "1 of 2 clips has no time"),
        (["2026-11-03", "yesterday"], "a time cannot be read"),
        (["2026-11-03T14:20:00Z", "2026-11-03T14:19:00"], "some times have a time zone and others none"),
    ],
)
def test_the_order_of_the_table_counts_where_times_do_not_tell(
    times: list[str | None], note: str | None
) -> None:
    found = time_order(times)
    assert (found.order.tolist(), found.seconds, found.step_s) == (list(range(len(times))), None, None)
    assert (found.note or "").startswith(note or "")
    assert (found.note is None) == (note is None)
