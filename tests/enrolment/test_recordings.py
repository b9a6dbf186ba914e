"""Which clips belong to one recording."""

import pytest

from osscl.enrolment.recordings import RecordingRule
from osscl.errors import ConfigError


def test_each_clip_is_a_recording_of_its_own_by_default_wherever_it_lies() -> None:
    rule = RecordingRule.parse(None)

    assert rule.of("a/x.wav", "11") == rule.of("b/y.wav", "11") == "11"
    assert rule.of("a/z.wav", "22") == "22"


def test_a_folder_is_one_recording() -> None:
    rule = RecordingRule.parse("folder")

    assert rule.of("a/monday/x.wav", "1") == rule.of("a/monday/y.wav", "2") == "a/monday"
    assert rule.of("b/monday/x.wav", "3") != rule.of("a/monday/x.wav", "4"), "two folders of one name"
    assert rule.of("x.wav", "5") == "."


def test_a_pattern_names_the_recording_in_the_path() -> None:
    rule = RecordingRule.parse(r"(session_\d+)")

    assert rule.of("a/session_7/x.wav", "1") == rule.of("b/session_7_2.wav", "2") == "session_7"


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("(", "is no regular expression"),
        ("session", "has 0 groups; expected the word folder"),
        ("(a)(b)", "has 2 groups"),
        ("", "has 0 groups"),
    ],
)
def test_other_patterns_are_refused(pattern: str, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        RecordingRule.parse(pattern)
    assert says in str(refused.value)


@pytest.mark.parametrize("pattern", [r"(session_\d+)", r"(s*)x", r"(q)?x"])
def test_a_path_without_a_recording_is_refused_and_named(pattern: str) -> None:
    with pytest.raises(ConfigError) as refused:
        RecordingRule.parse(pattern).of("a/x.wav", "1")
    assert "a/x.wav: --recording" in str(refused.value)
