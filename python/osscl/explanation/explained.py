"""What an explanation says."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from osscl.machines.domains import Domain

BlockName: TypeAlias = Literal["level", "modulation", "flutter", "event"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is heard in a clip and not in the normal ones.

    Attributes
    ----------
    block : {"level", "modulation", "flutter", "event"}
        Block of the features that speaks.
    z : float
        What that block says of the clip, in spreads of the normal clips.
    text : str
        Such as "level +9 dB at 3.1 to 4.0 kHz"; it begins with a letter.
    low_hz, high_hz : float
        Band in which it is heard.
    change_db : float
        How far it is from normal there.
    rate_hz : float or None
        Rate of a modulation, or of the beats of a raised band; None where it has none.
    start_s, duration_s : float or None
        When it is heard, for a single event; None for the other blocks.
    """

    block: BlockName
    z: float
    text: str
    low_hz: float
    high_hz: float
    change_db: float
    rate_hz: float | None = None
    start_s: float | None = None
    duration_s: float | None = None


class Occlusion(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the network's score each part of a clip makes: what the score loses without it.

    Attributes
    ----------
    bands_hz : tuple of (float, float)
        The bands that were taken out, one at a time.
    band_shares : tuple of float
        Share of each in what all of them take away, in [0, 1].
    times_s : tuple of (float, float)
        The parts in time.
    time_shares : tuple of float
        The same for these.
    """

    bands_hz: tuple[tuple[float, float], ...]
    band_shares: tuple[float, ...]
    times_s: tuple[tuple[float, float], ...]
    time_shares: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Why a clip has its score.

    Attributes
    ----------
    machine : str
        Machine ID that the clip claims to be.
    sentence : str
        What is heard beyond the normal clips, in one sentence.
    findings : tuple of Finding
        The same as numbers, what weighs most first; empty where nothing stands out, or there is no memory.
    band_edges_hz : ndarray of float64, [33]
        Edges of the 32 bands of `deviation`.
    hop_s : float
        Seconds between two of its columns.
    deviation : ndarray of float32, [32, T], or None
        Robust z of each band and time against the normal clips; None without a memory.
    normal_level_db : ndarray of float32, [32], or None
        Median level of the normal clips in each band; None without a memory.
    occlusion : Occlusion or None
        What the network's score rests on; None where the network was not asked.
    domain : {"source", "target"} or None
        Domain of the memory that the clip was held against; None where the machine has one for all clips.
    sounds_like : str or None
        Machine that the network takes the clip for, where it knows the one that the clip claims to be and
        takes it for another.
    """

    machine: str
    sentence: str
    findings: tuple[Finding, ...]
    band_edges_hz: npt.NDArray[np.float64]
    hop_s: float
    deviation: npt.NDArray[np.float32] | None = None
    normal_level_db: npt.NDArray[np.float32] | None = None
    occlusion: Occlusion | None = None
    domain: Domain | None = None
    sounds_like: str | None = None
