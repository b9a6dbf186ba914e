"""Long normal recordings as the windows that they are cut into: one recording all the same."""

from collections.abc import Iterator

from osscl.audio.candidate import Candidate
from osscl.audio.reading import Fit
from osscl.audio.windows import open_windows
from osscl.enrolment.plan import Plan, Planned
from osscl.errors import AudioError
from osscl.runs.featured import Unusable


def in_windows(plan: Plan, fit: Fit, hop_s: float | None) -> Plan:
    """Plan the windows of recordings in place of their beginnings.

    Parameters
    ----------
    plan : Plan
        The recordings.
    fit : Fit
        How those that do not fit are made to fit.
    hop_s : float or None
        Seconds from the beginning of one window to that of the next; None leaves the plan as it is.

    Returns
    -------
    Plan
        A recording that is damaged, or cannot be read, is unusable as a whole.
    """
    if hop_s is None:
        return plan
    cut = Plan(left_out=plan.left_out, unusable=list(plan.unusable), notes=plan.notes, survey=plan.survey)
    for planned in plan.planned:
        try:
            cut.planned += _windows_of(planned, fit, hop_s)
        except AudioError as error:
            cut.unusable.append(Unusable(planned.candidate.path, error))
    return cut


def _windows_of(planned: Planned, fit: Fit, hop_s: float) -> Iterator[Planned]:
    path, problem = planned.candidate.path, planned.candidate.problem
    if problem is not None:
        yield planned
        return
    with open_windows(path, hop_s, fit) as windows:
        starts = windows.starts()
    for start_s in starts:
        yield planned._replace(candidate=Candidate(path, None, start_s))
