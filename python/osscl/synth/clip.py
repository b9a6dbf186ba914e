"""One clip: from its key to its samples."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from osscl.errors import ConfigError
from osscl.synth import hard, sources
from osscl.synth.fault_kind import Evidence, Fault, SoundingFault
from osscl.synth.faults import stall
from osscl.synth.machine_types import TYPES
from osscl.synth.machines import Machine, machine
from osscl.synth.operating_modes import MODES, ModeName, operating_mode
from osscl.synth.operation import OperatingPoint, draw_operating_point
from osscl.synth.resonance import resonances
from osscl.synth.room import FIRST_HALL, SNR_DB, draw_place, record
from osscl.synth.shaft import shaft_turns
from osscl.synth.site import LESS_SNR_DB, SECOND_HALL, SiteName, second_site
from osscl.synth.spectrum import Signal, Spectrum, at_level, to_spectrum

Split: TypeAlias = Literal["train", "test"]
Label: TypeAlias = Literal["normal", "anomaly"]

_STREAMS = ("operation", "sources", "fault", "recording", "cycle")
_SEED_LIMIT = 2**63
_WHINE_DB = -18.0


@dataclass(frozen=True, slots=True)
class ClipKey:
    """What a clip is made from; all that is random in it follows from these.

    Attributes
    ----------
    machine : str
        Type and ID, such as ``blower/id_00``.
    seed : int
        Seed of the data set, 0 to 2**63 - 1.
    split : {"train", "test"}
        Part of the data set.
    label : {"normal", "anomaly"}
        What the clip counts as.
    index : int
        Number of the clip among those of its machine, split and label, from 0.
    mode : {"low", "high"}, optional
        The machine's operating mode. Clips with a mode are those of the hard set, in more noise; they share
        no random numbers with those without.
    site : {"source", "target"}
        Where the machine stands: as in all sets, or at its second site. Clips of the two share no random
        numbers.

    Raises
    ------
    ConfigError
        If a value is none of these.
    MachineError
        If there is no such machine.
    """

    machine: str
    seed: int = 0
    split: Split = "test"
    label: Label = "normal"
    index: int = 0
    mode: ModeName | None = None
    site: SiteName = "source"

    def __post_init__(self) -> None:
        machine(self.machine)
        for name, value, limit in (("seed", self.seed, _SEED_LIMIT), ("index", self.index, 2**32)):
            if not 0 <= value < limit:
                raise ConfigError(f"{name} is {value}; expected a number from 0 to {limit - 1}")
        for name, word, choices in (
            ("split", self.split, get_args(Split)),
            ("label", self.label, get_args(Label)),
            ("mode", self.mode or MODES[0], MODES),
            ("site", self.site, get_args(SiteName)),
        ):
            if word not in choices:
                raise ConfigError(f"{name} is {word!r}; expected one of: {', '.join(choices)}")

    def stream(self, purpose: str) -> np.random.Generator:
        """Random numbers of this clip for one purpose, independent of those for others.

        Parameters
        ----------
        purpose : {"operation", "sources", "fault", "recording", "cycle"}
            What they decide.

        Returns
        -------
        Generator
            Philox, seeded with the seed of the data set and the rest of the key.
        """
        of = machine(self.machine)
        # keys of other lengths are other keys: what came later leaves the numbers of earlier clips alone
        mode = 0 if self.mode is None else 1 + MODES.index(self.mode)
        further = (mode, 1) if self.site == "target" else (mode,) if mode else ()
        key = (
            TYPES.index(of.type),
            of.number,
            get_args(Split).index(self.split),
            get_args(Label).index(self.label),
            self.index,
            _STREAMS.index(purpose),
            *further,
        )
        return np.random.Generator(np.random.Philox(np.random.SeedSequence(self.seed, spawn_key=key)))


def make_clip(key: ClipKey, fault: Fault | None = None) -> npt.NDArray[np.float32]:
    """Make one clip.

    With and without a fault, the same key gives the same machine in the same state, at the same place.

    Parameters
    ----------
    key : ClipKey
        Which clip.
    fault : Fault, optional
        What is wrong with the machine.

    Returns
    -------
    ndarray of float32, [160000]
        Samples at 16 kHz, within ±1.
    """
    of = machine(key.machine)
    sound = machine_sound(of, _state(of, key, fault), key, fault)
    recording = key.stream("recording")
    snr_db = SNR_DB if key.mode is None else hard.SNR_DB
    if key.site == "source":
        return record(sound, draw_place(recording, snr_db, FIRST_HALL), recording)
    site = second_site(key.machine)
    low_db, high_db = snr_db
    place = draw_place(recording, (low_db - LESS_SNR_DB, high_db - LESS_SNR_DB), SECOND_HALL)
    return record(sound, place, recording, site.response, site.hum)


def evidence_of(key: ClipKey, fault: Fault) -> Evidence:
    """Where a fault shows in the clip that `make_clip` makes.

    Parameters
    ----------
    key : ClipKey
        Which clip.
    fault : Fault
        What is wrong with the machine.

    Returns
    -------
    Evidence
        Band, rate and time, as far as the fault has them.
    """
    of = machine(key.machine)
    return fault.evidence(of, _state(of, key, fault), key.stream)


def _state(of: Machine, key: ClipKey, fault: Fault | None) -> OperatingPoint:
    """How the machine runs during the clip."""
    point = draw_operating_point(of, key.stream("operation"))
    if key.mode is not None:
        point = operating_mode(of, key.mode).alter(point)
    if key.site == "target":
        point = second_site(key.machine).alter(point)
    return point if fault is None else fault.alter(point)


def machine_sound(of: Machine, point: OperatingPoint, key: ClipKey, fault: Fault | None = None) -> Spectrum:
    """Sound of a machine close by, without room and noise.

    Parameters
    ----------
    of : Machine
        The machine.
    point : OperatingPoint
        Its state.
    key : ClipKey
        Where phases and noise come from.
    fault : Fault, optional
        What is wrong with it.

    Returns
    -------
    ndarray of complex128, [N_BINS]
        The sum of its sources; a healthy machine at load zero has about 0 dB re 1.
    """
    rng = key.stream("sources")
    turns = shaft_turns(point.speed_hz, point.drift, rng)
    structure = resonances(of.modes, stiffness_db=-14.0, detuning=point.detuning)
    modulation = 1.0 if fault is None else fault.modulate(turns)
    if point.cycle is not None:
        modulation = modulation * point.cycle.load(key.stream("cycle"))
    parts = [
        at_level(to_spectrum(sound) * structure, level_db)
        for sound, level_db in _healthy_sounds(of, point, turns, modulation, rng)
    ]
    total = np.sum(parts, axis=0)
    if isinstance(fault, SoundingFault):
        added = fault.sound(of, turns, structure, key.stream("fault"))
        total = total + at_level(added, fault.level_db)
    return np.asarray(total)


def _healthy_sounds(
    of: Machine, point: OperatingPoint, turns: Signal, modulation: Signal | float, rng: np.random.Generator
) -> list[tuple[Signal, float]]:
    """Each source before the structure, with its level behind it."""
    kind, sounds = of.type, []
    shaft = sources.rotor(turns, of.rotor_slope_db, rng, of.rotor_lines_db)
    sounds.append((shaft, kind.rotor_db + point.rotor_db))
    sounds.append((sources.inverter_whine(turns, of.carrier_hz, rng), _WHINE_DB + point.whine_db))
    if np.isfinite(kind.pass_db):
        tones = sources.blade_pass(turns, of.pass_order, of.pass_slope_db, rng)
        sounds.append((tones * modulation, kind.pass_db + point.pass_db))
    if np.isfinite(kind.mesh_db):
        mesh = sources.gear_mesh(turns, of.pass_order, of.pass_slope_db, of.sideband_db, rng)
        sounds.append((mesh * modulation, kind.mesh_db + point.mesh_db))
        driven = sources.rotor(turns * of.driven_ratio, of.rotor_slope_db, rng)
        sounds.append((driven, kind.rotor_db + point.rotor_db))
    if np.isfinite(kind.impact_db):
        strikes = sources.reciprocating(turns, of.pass_order, rng)
        sounds.append((strikes * modulation, kind.impact_db + point.impact_db))
    flow = sources.flow_noise(turns, of.flow_peak_hz, of.pass_order, of.modulation, rng)
    flow = flow * modulation
    if point.surge:
        flow = flow * stall(turns, point.surge)
    sounds.append((flow, kind.flow_db + point.flow_db))
    return sounds
