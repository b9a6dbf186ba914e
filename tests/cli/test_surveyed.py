"""What is said of recordings before work starts: of the first of them, however many there are."""

from itertools import count

from osscl.audio.candidate import Candidate
from osscl.cli.surveyed import MAX_SURVEYED, survey_of


def test_no_more_are_looked_at_than_the_first() -> None:
    endless = (Candidate(f"/nowhere/fan/test/normal_id_00_{number:08}.wav") for number in count())
    survey = survey_of(endless)
    assert survey.is_part
    assert survey.n_recordings == MAX_SURVEYED


def test_fewer_are_counted_whole() -> None:
    survey = survey_of([Candidate("/nowhere/fan/test/normal_id_00_00000000.wav")])
    assert not survey.is_part
    assert survey.n_recordings == 1
