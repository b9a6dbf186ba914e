"""What is read, said before work starts."""

from collections.abc import Iterable, Iterator
from itertools import islice

from osscl.audio.candidate import Candidate
from osscl.cli.messages import say
from osscl.errors import MachineError
from osscl.machines.label_table import LabelTable
from osscl.machines.labels import MachineOf
from osscl.machines.survey import Survey
from osscl.machines.telling import Telling

MAX_SURVEYED = 10_000
"""Recordings of a run that are looked at before it starts: a million would take their time, and memory."""


def say_survey(survey: Survey) -> None:
    """Say what was found where it is laid out as a published data set; of other folders there is nothing to
    say.

    Parameters
    ----------
    survey : Survey
        What was found.
    """
    if survey.n_told:
        beginning = f"the first {survey.n_recordings:,} recordings: " if survey.is_part else ""
        for sentence in survey.sentences():
            say(f"{beginning}{sentence}")
    if survey.mixed is not None:
        say(f"warning: {survey.mixed}")


def say_published_sets(survey: Survey) -> None:
    """Say it of published data sets alone: of machines of one's own there is nothing to say every night.

    Parameters
    ----------
    survey : Survey
        What was found.
    """
    if survey.is_published:
        say_survey(survey)


def survey_of(candidates: Iterable[Candidate]) -> Survey:
    """Count what places and names of the first recordings of a run tell.

    Parameters
    ----------
    candidates : iterable of Candidate
        The recordings; those beyond `MAX_SURVEYED` are not looked at.

    Returns
    -------
    Survey
        Those whose folder and name contradict each other fit no layout; what becomes of them is said later.
    """
    survey, telling = Survey(), Telling()
    for number, candidate in enumerate(islice(candidates, MAX_SURVEYED + 1)):
        survey.is_part = number == MAX_SURVEYED
        if candidate.problem is None and not survey.is_part:
            try:
                survey.add(candidate.path, telling.fittings(candidate.path))
            except MachineError:
                survey.add(candidate.path, [])
    return survey


def met_by(machine_of: MachineOf, candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    """Give recordings as they are walked to; a table of labels notes all, those that are done too."""
    for candidate in candidates:
        if isinstance(machine_of, LabelTable):
            machine_of.meet(candidate.path)
        yield candidate
