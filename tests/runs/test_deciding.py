"""How the recordings of a table were scored, also where it was decided anew."""

import pytest

from osscl.runs.deciding import scoring_options

SCORED = {"options": {"pad": "repeat", "only": None}, "scored_by": {}}
DECIDED = {"options": {"false_alarm_rate": 0.1}, "scored": SCORED}


@pytest.mark.parametrize("run", [SCORED, DECIDED, {"options": {}, "scored": DECIDED}])
def test_the_options_are_those_of_the_scoring(run: dict[str, object]) -> None:
    assert scoring_options(run) == SCORED["options"]


@pytest.mark.parametrize(
    "run", [None, {}, {"scored": None}, {"options": "none"}, {"options": {}, "scored": 3}]
)
def test_what_does_not_say_has_none(run: dict[str, object] | None) -> None:
    assert scoring_options(run) == {}
