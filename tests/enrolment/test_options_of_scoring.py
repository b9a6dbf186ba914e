"""The command that comes next asks for new recordings as the normal ones were asked for."""

from pathlib import Path

from osscl.audio.reading import Fit
from osscl.enrolment import EnrolOptions
from osscl.enrolment.options_of_scoring import options_of_scoring


def test_all_that_a_model_file_does_not_keep_is_asked_for_again() -> None:
    assert options_of_scoring(EnrolOptions()) == []
    asked = EnrolOptions(
        machine_pattern="{machine}_{time}.wav", fit=Fit(True, 0, "repeat"), hop_s=5.0, false_alarm_rate=0.01
    )
    said = "--machine-pattern {machine}_{time}.wav --resample --channel 0 --pad repeat --hop 5.0"
    assert options_of_scoring(asked) == f"{said} --false-alarm-rate 0.01".split()
    assert options_of_scoring(EnrolOptions(machine="press/id_09")) == ["--machine", "press/id_09"]
    assert options_of_scoring(EnrolOptions(labels=Path("normals.csv"))) == ["--labels", "NEW_LABELS.csv"]
