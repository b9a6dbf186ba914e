"""Names of machines as DCASE writes them: the published classes, and the machine that a path claims."""

import os
import re
from collections.abc import Collection
from functools import lru_cache
from pathlib import PurePath
from typing import NamedTuple

from osscl.errors import MachineError
from osscl.machines.telling import Telling
from osscl.support.links import as_walked, real_path
from osscl.support.listing import listed
from osscl.support.paths import printable

_PUBLISHED_IDS = {
    "fan": range(7),
    "pump": range(7),
    "slider": range(7),
    "ToyCar": range(1, 8),
    "ToyConveyor": range(1, 7),
    "valve": range(7),
}

PUBLISHED_CLASSES: tuple[str, ...] = tuple(
    f"{machine_type}/id_{number:02d}" for machine_type, ids in _PUBLISHED_IDS.items() for number in ids
)
"""Classes of the published models, in the order of the rows of their class weight."""

TRAIN_FOLDER, TEST_FOLDER = "train", "test"
"""Folders below that of a machine type."""

NORMAL_PREFIX, ANOMALY_PREFIX = "normal_", "anomaly_"
"""What names of recordings begin with where they tell what was heard."""

_ID = re.compile(r"(?<![A-Za-z0-9])(?:id|section)_[0-9]+(?![A-Za-z0-9])")
_MAX_LISTED = 12
_MAX_FOLDERS = 4096
_SAY_IT = "say it with machine=... (--machine NAME, or --labels TABLE, or --machine-pattern PATTERN)"

_SAY_ONE = "say that by machine=... (--machine NAME)"
_SAY_WHICH = (
    "say where paths hold it with machine_pattern=... (--machine-pattern '{machine}_{time}'), or name it for "
    "each file with machine=... (--labels TABLE)"
)


def machine_of_path(path: str | os.PathLike[str], known: Collection[str]) -> str:
    """Name the machine that a file claims to come from by its place and name.

    The type is the nearest parent folder that is named after a known type; the ID is the one
    ``id_NN`` or ``section_NN`` in the file name and in the folders between it and the type. The names
    are those of the path as it is given; only where they lack the type or the ID, links are followed, and
    what both paths name must agree.

    Parameters
    ----------
    path : str or path
        The file, which need not exist.
    known : collection of str
        Names of the machines that the model knows, spelled ``type/id_NN``.

    Returns
    -------
    str
        One of `known`.

    Raises
    ------
    MachineError
        If the path names no machine, two, or one that is not known.

    References
    ----------
    File layouts of DCASE Task 2, 2020 (``fan/test/normal_id_00_00000000.wav``) and from 2021
    (``fan/test/section_00_...wav``), and of MIMII (``fan/id_00/normal/00000000.wav``).
    """
    return MachineFromPath(known)(path)


class _Claims(NamedTuple):
    """What the names in a path say: a machine type, and each ID below it with the place where it stands."""

    machine_type: str | None
    ids: dict[str, str]

    @property
    def are_whole(self) -> bool:
        return self.machine_type is not None and bool(self.ids)


class MachineFromPath:
    """The rule of `machine_of_path` for many files of the same folders.

    Parameters
    ----------
    known : collection of str
        Names of the machines that the model knows, spelled ``type/id_NN``.
    """

    def __init__(self, known: Collection[str]) -> None:
        self._known = dict.fromkeys(known)
        self._types = {type_of(name): None for name in self._known if "/" in name}
        self._claims_of_folder = lru_cache(_MAX_FOLDERS)(self._find_claims_of_folder)
        self._telling = Telling()

    def __call__(self, path: str | os.PathLike[str]) -> str:
        """Name the machine of one file; raises `MachineError`."""
        spelled = os.fsdecode(path)
        claims = self._claims_of(spelled)
        if not claims.are_whole:
            claims = _joined(claims, self._claims_of(real_path(spelled)))
        machine_type, ids = claims
        if not claims.are_whole and (told := self._telling.of(spelled).machine) in self._known and told:
            return told  # of a layout whose names hold no ID, or whose folders are not called after the type
        if machine_type is None:
            raise MachineError(self._no_type())
        if not ids:
            raise MachineError(
                f"neither its name nor a folder below {machine_type} holds an ID like id_00 or section_00; "
                f"{_SAY_IT}"
            )
        if len(ids) > 1:
            places = " and ".join(f"{machine_id} in {place}" for machine_id, place in ids.items())
            raise MachineError(f"its path names more than one ID: {places}; {_SAY_IT}")
        machine = f"{machine_type}/{next(iter(ids))}"
        check_machine(machine, self._known)
        return machine

    def _claims_of(self, path: str) -> _Claims:
        folder, name = os.path.split(path)
        machine_type, ids = self._claims_of_folder(folder)
        return _Claims(machine_type, ids | dict.fromkeys(_ID.findall(name), f"file name {printable(name)}"))

    def _find_claims_of_folder(self, folder: str) -> _Claims:
        ids: dict[str, str] = {}
        for part in reversed(PurePath(as_walked(folder)).parts):
            if part in self._types:
                return _Claims(part, ids)
            ids |= dict.fromkeys(_ID.findall(part), f"folder {printable(part)}")
        return _Claims(None, {})

    def _no_type(self) -> str:
        if not self._types:
            known = _listed(self._known)
            if len(self._known) == 1:
                return f"nothing in this path says that it is of {known}; {_SAY_ONE}"
            return f"nothing in this path says which of {known} it is; {_SAY_WHICH}"
        return f"no parent folder is named after a machine type ({_listed(self._types)}); {_SAY_IT}"


def _joined(walked: _Claims, resolved: _Claims) -> _Claims:
    """What a path and the place that its links lead to say together; raises `MachineError` for two types."""
    types = {walked.machine_type, resolved.machine_type} - {None}
    if len(types) > 1:
        raise MachineError(
            f"its path names the type {walked.machine_type} and no ID, and what it is a link to names "
            f"{resolved.machine_type}; {_SAY_IT}"
        )
    return _Claims(walked.machine_type or resolved.machine_type, resolved.ids | walked.ids)


def id_of_file(path: str | os.PathLike[str]) -> str:
    """Read the machine ID in the name of a file; where that holds none, in the name of what it is a link to.

    Parameters
    ----------
    path : str or path
        Such as ``normal_id_00_00000000.wav`` or ``section_00_source_train_normal_0000.wav``.

    Returns
    -------
    str
        ``id_NN`` or ``section_NN`` as it stands.

    Raises
    ------
    MachineError
        The name holds no ID, or two.
    """
    found = _ids_in_name(os.fsdecode(path)) or _ids_in_name(real_path(path))
    if len(found) != 1:
        names = " and ".join(found) or "no ID"
        raise MachineError(f"its name holds {names}; expected one like id_00 or section_00")
    return next(iter(found))


def _ids_in_name(path: str) -> dict[str, None]:
    return dict.fromkeys(ids_in(os.path.basename(path)))  # noqa: PTH119 - Path costs more


def ids_in(name: str) -> list[str]:
    """Machine IDs in the name of a file or folder, ``id_NN`` or ``section_NN``, in order."""
    return _ID.findall(name)


def check_machine(name: str, known: Collection[str]) -> None:
    """Refuse a machine that the model does not know.

    Parameters
    ----------
    name : str
        Name of a machine.
    known : collection of str
        Names of the machines that the model knows.

    Raises
    ------
    MachineError
        If `name` is not one of them.
    """
    if name in known:
        return
    same = [other for other in known if other.casefold() == name.casefold()]
    if same:
        raise MachineError(
            f"machine {name} is not known to the model, which knows {_listed(same)}: they differ in capitals "
            "alone"
        )
    of_its_type = [other for other in known if "/" in other and type_of(other) == type_of(name)]
    if of_its_type:
        raise MachineError(f"machine {name} is not known to the model, which knows {_listed(of_its_type)}")
    raise MachineError(
        f"machine {name} is not known to the model, nor its type; "
        f"it knows {_listed(dict.fromkeys(type_of(other) for other in known))}"
    )


def type_of(name: str) -> str:
    """Type of a machine spelled ``type/id_NN``; the whole name where it has no ID."""
    return name.partition("/")[0]


def _listed(names: Collection[str]) -> str:
    return listed(names, _MAX_LISTED)
