"""What a data set holds: its machines, and each clip with its fault."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osscl.errors import ConfigError
from osscl.synth import hard
from osscl.synth.clip import ClipKey, make_clip
from osscl.synth.fault_kind import Fault
from osscl.synth.machine_types import TYPES
from osscl.synth.machines import Machine, machines, machines_of_ids
from osscl.synth.names import Named, in_layout_2020, in_layout_2023, section_name
from osscl.synth.operating_modes import MODES
from osscl.synth.passing_faults import CycleFault
from osscl.synth.severity import FAULTS, KINDS, SEVERITIES, fault
from osscl.synth.site import SiteName

_DEFAULT_MACHINES = 12
_INT16_PEAK = 32767.0
_TARGET_ONE_IN = 100
"""Of the normal clips for training as many are of the second site as in DCASE: 990 and 10."""
_FAULTS_OF_CYCLES = tuple(kind.name for kind in KINDS if issubclass(kind, CycleFault))


@dataclass(frozen=True, slots=True)
class DatasetPlan:
    """What a data set shall hold. Clips are spread evenly over the machines, the first take the remainder.

    Attributes
    ----------
    machines : int, optional
        Number of machines, spread over the types; 12 where neither it nor `ids` is given.
    train : int
        Normal clips for training, of all machines together.
    normal, anomalous : int
        Clips for testing, of all machines together.
    seed : int
        Seed of the clips. The machines do not depend on it.
    ids : tuple of int
        The machines of every type that have these IDs, instead of a number of machines.
    faults : tuple of str
        Faults of the anomalous clips, each where the machine can have it; by default all that it can have.
    hard : bool
        Fainter faults of more kinds, in more noise, of machines in two operating modes.
    second_site : bool
        Each machine at two sites, in DCASE's layout of 2023: the source, with most clips for training, and
        the target, which has half of the clips for testing.
    target : int, optional
        How many of the clips for training are of the target, of all machines together; with `second_site` by
        default one in a hundred, and one a machine at least.

    Raises
    ------
    ConfigError
        If a number lies outside its range, no clip is asked for, both `machines` and `ids` are given, or one
        of the machines can have none of the faults.
    """

    machines: int | None = None
    train: int = 0
    normal: int = 0
    anomalous: int = 0
    seed: int = 0
    ids: tuple[int, ...] = ()
    faults: tuple[str, ...] = ()
    hard: bool = False
    second_site: bool = False
    target: int | None = None

    def __post_init__(self) -> None:
        self.all_machines()
        for name in ("train", "normal", "anomalous"):
            count = getattr(self, name)
            if not 0 <= count <= 10**9:
                raise ConfigError(f"{name} is {count}; expected a number of clips from 0 to 1000000000")
        if not self.n_clips:
            raise ConfigError("no clip is asked for; set `train`, `normal` or `anomalous` (clips in all)")
        ClipKey(machines(1)[0].name, self.seed)
        self._check_faults()
        self._check_target()

    @property
    def n_clips(self) -> int:
        """Clips in all."""
        return self.train + self.normal + self.anomalous

    @property
    def n_target(self) -> int:
        """Clips for training that are of the second site, of all machines together."""
        if not self.second_site or not self.train:
            return 0
        least = min(len(self.all_machines()), self.train)
        return max(least, self.train // _TARGET_ONE_IN) if self.target is None else self.target

    def all_machines(self) -> tuple[Machine, ...]:
        """The machines.

        Returns
        -------
        tuple of Machine
            In the order of their clips.
        """
        if self.machines is not None and self.ids:
            raise ConfigError(
                "`machines` and `ids` are both given; give `machines` for so many of all types, "
                "or `ids` for those of each type that have these IDs"
            )
        if self.ids:
            return machines_of_ids(self.ids)
        return machines(_DEFAULT_MACHINES if self.machines is None else self.machines)

    def clips(self) -> Iterator["PlannedClip"]:
        """Every clip, machine by machine."""
        all_machines = self.all_machines()
        for number, machine in enumerate(all_machines):
            for split, label, site, total in self._parts():
                share = total // len(all_machines) + (number < total % len(all_machines))
                for index in range(share):
                    yield self._planned(machine, split, label, site, index)

    def _parts(self) -> Iterator[tuple[str, str, SiteName, int]]:
        """Split, label and site of clips, and how many there are of all machines together."""
        for split, label, total, n_target in (
            ("train", "normal", self.train, self.n_target),
            ("test", "normal", self.normal, self.normal // 2 if self.second_site else 0),
            ("test", "anomaly", self.anomalous, self.anomalous // 2 if self.second_site else 0),
        ):
            yield split, label, "source", total - n_target
            yield split, label, "target", n_target

    def name_of(self, machine: Machine) -> str:
        """Name of a machine as its files tell it.

        Parameters
        ----------
        machine : Machine
            One of the machines.

        Returns
        -------
        str
            Type and ID, or type and section in a set of two sites.
        """
        return section_name(machine) if self.second_site else machine.name

    def faults_of(self, machine: Machine) -> tuple[str, ...]:
        """Faults that the anomalous clips of a machine have in turn.

        Parameters
        ----------
        machine : Machine
            One of the machines.

        Returns
        -------
        tuple of str
            Their names.
        """
        possible = self._possible(machine)
        if self.faults:
            return tuple(name for name in self.faults if name in possible)
        return possible if self.hard else machine.type.faults

    def _possible(self, machine: Machine) -> tuple[str, ...]:
        """Faults that a machine can have in such a set."""
        without_cycles = (name for name in hard.FURTHER_FAULTS if name not in _FAULTS_OF_CYCLES)
        return machine.type.faults + (hard.FURTHER_FAULTS if self.hard else tuple(without_cycles))

    def _planned(self, machine: Machine, split: str, label: str, site: SiteName, index: int) -> "PlannedClip":
        turn, kind, severity = index, None, None
        if label == "anomaly":
            # all kinds in turn, each kind at all severities in turn; machines begin at different places
            kinds = self.faults_of(machine)
            lap, place = divmod(index + machine.number + TYPES.index(machine.type), len(kinds))
            turn = lap + place
            kind, severity = kinds[place], SEVERITIES[turn % len(SEVERITIES)]
        # both modes in turn, and so of each kind at each severity
        mode = MODES[turn % len(MODES)] if self.hard else None
        key = ClipKey(machine.name, self.seed, split, label, index, mode, site)  # type: ignore[arg-type]
        named = in_layout_2023(key) if self.second_site else in_layout_2020(key)
        return PlannedClip(named.path, key, kind, severity, named.attribute)

    def _check_target(self) -> None:
        if self.target is None:
            return
        if not self.second_site:
            raise ConfigError("target is given for a set of one site; set `second_site`, or leave it out")
        if not 0 <= self.target <= self.train:
            raise ConfigError(
                f"target is {self.target}; expected a number from 0 to {self.train}, the normal clips for "
                "training of which it is a part"
            )

    def _check_faults(self) -> None:
        if self.faults and not self.anomalous:
            raise ConfigError("faults are chosen, but no anomalous clip is asked for; set `anomalous`")
        for place, name in enumerate(self.faults):
            if name not in FAULTS:
                raise ConfigError(f"faults have {name!r}; expected one of: {', '.join(FAULTS)}")
            if name in self.faults[:place]:
                raise ConfigError(f"faults have {name} twice; name each fault once")
            if name in _FAULTS_OF_CYCLES and not self.hard:
                raise ConfigError(
                    f"{name} is a fault of work cycles, which only machines of the hard set have; "
                    "make the set `hard`"
                )
        for machine in self.all_machines():
            if not self.faults_of(machine):
                can = ", ".join(self._possible(machine))
                raise ConfigError(
                    f"{machine.name} can have none of the chosen faults ({', '.join(self.faults)}); a "
                    f"{machine.type.name} can have: {can}"
                )


@dataclass(frozen=True, slots=True)
class PlannedClip:
    """One clip of a data set.

    Attributes
    ----------
    path : str
        Place in the data set's folder, with forward slashes.
    key : ClipKey
        What it is made from.
    fault : str or None
        Name of the fault; None for a normal clip.
    severity : str or None
        How far the fault has gone; None for a normal clip.
    attribute : str or None
        What the file's name tells beside; None in a set of one site.
    """

    path: str
    key: ClipKey
    fault: str | None
    severity: str | None
    attribute: str | None = None

    @property
    def named(self) -> Named:
        """The clip as its file tells it."""
        return Named(self.path, self.attribute)

    def chosen_fault(self) -> Fault | None:
        """The fault with its figures.

        Returns
        -------
        Fault or None
            None for a normal clip.
        """
        if self.fault is None or self.severity is None:
            return None
        return fault(self.fault, self.severity, fainter=self.key.mode is not None)

    def samples(self) -> npt.NDArray[np.int16]:
        """Make the clip, rounded to 16 bits as its file holds it.

        Returns
        -------
        ndarray of int16, [160000]
            Samples at 16 kHz.
        """
        clip = make_clip(self.key, self.chosen_fault())
        rounded: npt.NDArray[np.int16] = np.rint(clip * _INT16_PEAK).astype(np.int16)
        return rounded
