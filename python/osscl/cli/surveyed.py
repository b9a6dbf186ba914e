"""What is read, said before work starts."""

from collections.abc import Iterable

from osscl.audio.candidate import Candidate
from osscl.cli.messages import say
from osscl.errors import MachineError
from osscl.machines.survey import Survey
from osscl.machines.telling import Telling


def say_survey(survey: Survey) -> None:
    """Say what was found where it is laid out as a published data set; of other folders there is nothing to
    say.

    Parameters
    ----------
    survey : Survey
        What was found.
    """
    if survey.n_told:
        for sentence in survey.sentences():
            say(sentence)
    if survey.mixed is not None:
        say(f"warning: {survey.mixed}")


def survey_of(candidates: Iterable[Candidate]) -> Survey:
    """Count what places and names of recordings tell.

    Parameters
    ----------
    candidates : iterable of Candidate
        The recordings.

    Returns
    -------
    Survey
        Those whose folder and name contradict each other fit no layout; what becomes of them is said later.
    """
    survey, telling = Survey(), Telling()
    for candidate in candidates:
        if candidate.problem is None:
            try:
                survey.add(candidate.path, telling.fittings(candidate.path))
            except MachineError:
                survey.add(candidate.path, [])
    return survey
