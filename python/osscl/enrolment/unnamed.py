"""Recordings whose machine is not told, read all the same: all that is wrong with them is said at once."""

from collections.abc import Callable, Iterable

from osscl.audio.batch import side_by_side
from osscl.audio.fitting import Fit, all_reasons
from osscl.audio.reading import read_clip
from osscl.errors import AudioError, AudioUnfitError, MachineError
from osscl.runs.featured import Unusable

_AT_ONCE = 64


def with_all_reasons(
    unusable: Iterable[Unusable], fit: Fit, threads: int, on_clip: Callable[[], object] = lambda: None
) -> list[Unusable]:
    """Say of recordings whose machine is not told what is wrong with their sound, too.

    Parameters
    ----------
    unusable : iterable of Unusable
        Those among them whose problem is a `MachineError` are read.
    fit : Fit
        How those that do not fit may be made to fit.
    threads : int
        Processors to use.
    on_clip : callable
        Called after each that was read.

    Returns
    -------
    list of Unusable
        The same, in order.
    """

    found = list(unusable)
    of_machine = [place for place, each in enumerate(found) if isinstance(each.problem, MachineError)]
    for first in range(0, len(of_machine), _AT_ONCE):  # an interruption waits for these alone
        places = of_machine[first : first + _AT_ONCE]
        read = side_by_side(lambda place: _looked_at(found[place], fit), places, threads)
        for place, each in zip(places, read, strict=True):
            found[place] = each
            on_clip()
    return found


def _looked_at(each: Unusable, fit: Fit) -> Unusable:
    try:
        read_clip(each.path, fit)
    except AudioUnfitError as error:
        return Unusable(each.path, AudioUnfitError(all_reasons(error, str(each.problem))))
    except AudioError as error:
        return Unusable(each.path, error.with_traceback(None))
    return each
