"""What is told of recordings where they lie: by the names that one walked by, else by those that links lead to."""

import os
from functools import lru_cache

from osscl.machines.layouts import Fitting, fittings
from osscl.machines.mimii import MimiiSplit
from osscl.machines.told import NOTHING, Told
from osscl.support.links import as_walked

_MAX_FOLDERS = 4096


class Telling:
    """Reads places and names of many recordings of the same folders."""

    def __init__(self) -> None:
        self._walked = lru_cache(_MAX_FOLDERS)(as_walked)
        self._split = MimiiSplit()

    def of(self, path: str | os.PathLike[str]) -> Told:
        """Say what place and name of a recording tell.

        Parameters
        ----------
        path : path-like
            The recording, which need not be there.

        Returns
        -------
        Told
            Nothing where they fit no layout.

        Raises
        ------
        MachineError
            Folder and file name contradict each other.
        """
        found = self.fittings(path)
        return found[0].told if found else NOTHING

    def fittings(self, path: str | os.PathLike[str]) -> list[Fitting]:
        """Find the layouts that the path of a recording fits, links followed only where it fits none.

        Parameters
        ----------
        path : path-like
            The recording, which need not be there.

        Returns
        -------
        list of Fitting
            In the order of the table.

        Raises
        ------
        MachineError
            Folder and file name contradict each other.
        """
        spelled = os.fsdecode(path)
        folder, name = os.path.split(spelled)
        walked = os.path.join(self._walked(folder), name)  # noqa: PTH118 - a str, as all paths of a walk
        for reading in (lambda: walked, lambda: os.path.realpath(spelled)):
            at = reading()
            if found := [self._with_purpose(each, at) for each in fittings(at)]:
                return found
        return []

    def _with_purpose(self, found: Fitting, path: str) -> Fitting:
        if found.layout.key != "mimii" or found.told.purpose is not None:
            return found
        return found._replace(told=found.told._replace(purpose=self._split.purpose_of(path)))
