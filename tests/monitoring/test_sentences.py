"""What is said of a machine that drifts."""

import pytest

from osscl.monitoring.sentences import drift_sentence


@pytest.mark.parametrize(
    ("is_higher", "has_memory", "is_warned"),
    [(False, True, True), (True, True, False), (False, False, False)],
)
def test_lower_scores_may_come_from_recordings_that_were_enrolled(
    is_higher: bool, has_memory: bool, is_warned: bool
) -> None:
    sentence = drift_sentence("fan/id_00", 4, 20, None, is_higher, {}, (), has_memory)
    assert ("leave out recordings that were enrolled" in sentence) == is_warned
