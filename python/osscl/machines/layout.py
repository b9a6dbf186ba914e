"""The machine that a recording's place names where no list of machines is known."""

import os
from functools import lru_cache
from pathlib import PurePath

from osscl.errors import MachineError
from osscl.machines.dcase import ids_in
from osscl.machines.folders import KINDS
from osscl.machines.telling import Telling
from osscl.support.links import as_walked, real_path
from osscl.support.paths import printable

_SAY_NOTHING = (*KINDS, "normal", "abnormal")
"""Folders that say what recordings are for, and not what machine they are of."""
_MAX_FOLDERS = 4096
_SAY_IT = (
    "name the machine of all recordings with machine=... (--machine press/id_09), or say where paths hold it "
    "with machine_pattern=... (--machine-pattern '{machine}_{time}')"
)


class MachineFromLayout:
    """Names machines ``<type>/id_NN`` by file name and folders alone.

    A place and name as a layout of `osscl.machines.layouts` has them tell it. Elsewhere the ID stands in the
    file name, or in a folder around it. The type is the folder above one named ``train`` or ``test``, where
    the root of the walk is such a folder or one lies below it; else the nearest folder that lies above the
    ID and is not called ``normal``. Only where the path as it was walked lacks one of the two, links are
    followed.

    Parameters
    ----------
    root : path-like
        Where the walk began.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self._root = os.fsdecode(root)
        self._telling = Telling()
        self._of_folder = lru_cache(_MAX_FOLDERS)(self._type_and_ids)

    def __call__(self, path: str | os.PathLike[str]) -> str:
        """Name the machine of one recording.

        Parameters
        ----------
        path : path-like
            The recording, spelled from the root on.

        Returns
        -------
        str
            Such as ``press/id_09``.

        Raises
        ------
        MachineError
            The path names no type, no ID, or two.
        """
        spelled = os.fsdecode(path)
        if machine := self._telling.as_walked(spelled).machine:
            return machine
        machine_type, ids = self._found(spelled, self._root)
        if not machine_type or not ids:
            machine_type, ids = self._found(real_path(spelled), real_path(self._root))
        if not ids:
            raise MachineError(
                f"neither its name nor a folder around it holds an ID like id_00 or section_00; {_SAY_IT}"
            )
        if len(ids) > 1:
            raise MachineError(f"its path names more than one ID: {' and '.join(ids)}; {_SAY_IT}")
        if not machine_type:
            raise MachineError(f"no folder around it could be named after the type of its machine; {_SAY_IT}")
        return f"{machine_type}/{next(iter(ids))}"

    def _found(self, path: str, root: str) -> tuple[str, dict[str, None]]:
        folder, name = os.path.split(path)
        of_name = dict.fromkeys(ids_in(name))
        machine_type, ids = self._of_folder(folder, root, bool(of_name))
        return machine_type, of_name | ids

    def _type_and_ids(self, folder: str, root: str, is_id_known: bool) -> tuple[str, dict[str, None]]:
        names = PurePath(as_walked(folder)).parts
        n_root = len(PurePath(as_walked(root)).parts) - 1  # the root's own name says something, too
        kinds = [at for at, name in enumerate(names) if at >= n_root and name in KINDS]
        ids: dict[str, None] = {}
        for at in reversed(range(1, len(names))):
            if found := ids_in(names[at]):
                ids |= dict.fromkeys(found)
            elif names[at] in _SAY_NOTHING or (kinds and at > kinds[-1]):
                continue
            elif ids or is_id_known:
                return printable(names[at]), ids
        return "", ids
