"""What is told of recordings where they lie: by the names that one walked by, else by those behind links."""

import os
from functools import lru_cache

from osscl.machines.layouts import Fitting, fittings
from osscl.machines.mimii import MimiiSplit
from osscl.machines.told import NOTHING, Told
from osscl.support.links import as_walked, real_path

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

    def as_walked(self, path: str) -> Told:
        """The same by the names that one walked by alone."""
        found = self._fittings_at(self._path_walked(path))
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
        return self._fittings_at(self._path_walked(spelled)) or self._fittings_at(real_path(spelled))

    def _path_walked(self, path: str) -> str:
        folder, name = os.path.split(path)
        return os.path.join(self._walked(folder), name)  # noqa: PTH118 - a str, as all paths of a walk

    def _fittings_at(self, path: str) -> list[Fitting]:
        return [self._with_purpose(each, path) for each in fittings(path)]

    def _with_purpose(self, found: Fitting, path: str) -> Fitting:
        if found.layout.key != "mimii" or found.told.purpose is not None:
            return found
        return found._replace(told=found.told._replace(purpose=self._split.purpose_of(path)))
