"""Why a clip is unlike the normal ones that a memory holds."""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from osscl.audio.mel_bands import BAND_EDGES_HZ
from osscl.audio.samples import Samples
from osscl.decisions import Memory
from osscl.decisions.blocks import BLOCKS
from osscl.explanation import wording
from osscl.explanation.beats import beats_of_band
from osscl.explanation.events import loudest_event
from osscl.explanation.explained import BlockName, Explanation, Finding
from osscl.explanation.heard import Heard, hear
from osscl.explanation.ranges import Range, changed_ranges
from osscl.explanation.rates import Envelopes, changed_modulations, heard_at
from osscl.explanation.scales import (
    FAST,
    FRAME_RATE_HZ,
    SLOW,
    fast_band_edges_hz,
    slow_band_edges_hz,
)
from osscl.explanation.spectra import is_multiple

Floats = npt.NDArray[np.float64]

MAX_FINDINGS = 3
MIN_BLOCK_Z = 2.5
"""From here on a block has something to say."""
MIN_FINDING_Z = 3.0
MIN_LEVEL_DB = 1.0
"""A smaller change nobody hears, however much alike the normal clips are."""
EVENT_MARGIN_S, EVENT_DECAY_S = 0.1, 0.3
"""What is left out around an event, and behind it while it dies away, when all else is looked for."""


def explain_by_memory(waveform: Samples, machine: str, memory: Memory) -> Explanation:
    """Explain what a machine's memory finds unusual in a clip.

    Parameters
    ----------
    waveform : ndarray of int16 or float32, [160000]
        One clip.
    machine : str
        Machine ID that it claims to be.
    memory : Memory
        Of this machine.

    Returns
    -------
    Explanation
        In one sentence, and as numbers.
    """
    heard = hear(waveform)
    z = _block_z(heard, memory)
    findings = _weightiest(_findings(heard, memory, z))
    return Explanation(
        machine=machine,
        sentence=wording.sentence(findings, z),
        findings=findings,
        band_edges_hz=BAND_EDGES_HZ,
        hop_s=1.0 / FRAME_RATE_HZ,
        deviation=_deviation(heard, memory),
        normal_level_db=np.median(memory.features[:, BLOCKS["level"].columns], 0).astype(np.float32),
    )


def _block_z(heard: Heard, memory: Memory) -> dict[str, float]:
    return {name: float(each[0]) for name, each in memory.fitted.z(heard.features[np.newaxis]).items()}


def _findings(heard: Heard, memory: Memory, z: dict[str, float]) -> Iterator[Finding]:
    """All that stands out. What a single event does to level and modulations is not said twice."""
    for event in _event(heard, memory, z["event"]) if z["event"] >= MIN_BLOCK_Z else ():
        yield event
        assert event.start_s is not None
        assert event.duration_s is not None
        lasts_s = event.duration_s + 2 * EVENT_MARGIN_S + EVENT_DECAY_S
        heard = heard.without(event.start_s - EVENT_MARGIN_S, lasts_s)
        z = _block_z(heard, memory)
    if z["level"] >= MIN_BLOCK_Z:
        yield from _levels(heard, memory, z["level"])
    blocks: tuple[BlockName, ...] = ("flutter", "modulation")
    modulations: list[Finding] = []
    for block in sorted(blocks, key=lambda name: -z[name]):
        if z[block] >= MIN_BLOCK_Z:
            modulations += _modulation(block, heard, memory, z[block])
    yield from _named_once(modulations)


def _weightiest(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The few that weigh most, in which a rate that several have is said once."""
    found = sorted(findings, key=lambda each: -BLOCKS[each.block].weight * each.z)[:MAX_FINDINGS]
    rates = [each.rate_hz for each in found if each.block != "level" and each.rate_hz is not None]
    for place, each in enumerate(found):
        if each.block != "level" or each.rate_hz is None:
            continue
        if any(_is_same(each.rate_hz, rate_hz) for rate_hz in rates):
            text = wording.level(each.change_db, each.low_hz, each.high_hz, None)
            found[place] = replace(each, rate_hz=None, text=text)
        rates.append(each.rate_hz)
    return tuple(found)


def _levels(heard: Heard, memory: Memory, z: float) -> Iterator[Finding]:
    edges_hz = BAND_EDGES_HZ
    taken: list[Range] = []
    for each in _ranges("level", heard, memory, MAX_FINDINGS):
        strongest = max(abs(each.z), *(abs(other.z) for other in taken)) if taken else abs(each.z)
        if abs(each.z) < max(MIN_FINDING_Z, 0.5 * strongest) or abs(each.change) < MIN_LEVEL_DB:
            return
        if any(each.first < other.end and other.first < each.end for other in taken):
            continue
        taken.append(each)
        low_hz, high_hz = edges_hz[each.first], edges_hz[each.end]
        rate_hz = beats_of_band(heard.waveform, low_hz, high_hz) if each.change > 0.0 else None
        yield Finding(
            block="level",
            z=z * abs(each.z) / strongest,
            text=wording.level(each.change, low_hz, high_hz, rate_hz),
            low_hz=float(low_hz),
            high_hz=float(high_hz),
            change_db=each.change,
            rate_hz=rate_hz,
        )


def _event(heard: Heard, memory: Memory, z: float) -> Iterator[Finding]:
    edges_hz = BAND_EDGES_HZ
    for each in _ranges("event", heard, memory, 1):
        if each.z < MIN_FINDING_Z:
            return
        low_hz, high_hz = edges_hz[each.first], edges_hz[each.end]
        event = loudest_event(heard.bands, each.first, each.end)
        yield Finding(
            block="event",
            z=z,
            text=wording.event(event.start_s, event.duration_s, low_hz, high_hz),
            low_hz=float(low_hz),
            high_hz=float(high_hz),
            change_db=each.change,
            start_s=event.start_s,
            duration_s=event.duration_s,
        )


def _modulation(block: BlockName, heard: Heard, memory: Memory, z: float) -> Iterator[Finding]:
    envelopes, edges_hz = _envelopes(block, heard, memory)
    for found in changed_modulations(envelopes):
        low_hz, high_hz = edges_hz[found.first], edges_hz[found.end]
        if block == "modulation" and found.rate_hz is not None:
            first, end = heard_at(heard.bands, FRAME_RATE_HZ, found.rate_hz)
            low_hz, high_hz = BAND_EDGES_HZ[[first, end]]
        yield Finding(
            block=block,
            z=z,
            text=wording.modulation(found.rate_hz, found.change_db, low_hz, high_hz),
            low_hz=float(low_hz),
            high_hz=float(high_hz),
            change_db=found.change_db,
            rate_hz=found.rate_hz,
        )


def _named_once(findings: list[Finding]) -> list[Finding]:
    """Findings without those whose rate is a multiple of one that weighs more."""
    kept: list[Finding] = []
    for each in findings:
        if not any(_is_same(each.rate_hz, other.rate_hz) for other in kept):
            kept.append(each)
    return kept


def _is_same(rate_hz: float | None, other_hz: float | None) -> bool:
    if rate_hz is None or other_hz is None:
        return rate_hz is other_hz
    return is_multiple(rate_hz, other_hz) or is_multiple(other_hz, rate_hz)


def _envelopes(block: BlockName, heard: Heard, memory: Memory) -> tuple[Envelopes, Floats]:
    """What is known of the modulations of a block, and the edges of its bands."""
    if block == "modulation":
        levels, pools, edges_hz = heard.slow, SLOW, slow_band_edges_hz()
    else:
        levels, pools, edges_hz = heard.fast, FAST, fast_band_edges_hz()
    shape = (len(levels) // 2, len(pools.edges_hz) - 1)
    residual, whitening = _residual(block, heard, memory)
    spectra = heard.features[BLOCKS[block].columns].reshape(shape)
    change, spread = (residual / whitening).reshape(shape), (1.0 / whitening).reshape(shape)
    return Envelopes(levels, pools, spectra, change, spread), edges_hz


def _ranges(block: BlockName, heard: Heard, memory: Memory, most: int) -> Iterator[Range]:
    return changed_ranges(*_residual(block, heard, memory), most)


def _residual(block: BlockName, heard: Heard, memory: Memory) -> tuple[Floats, Floats]:
    """Whitened way from the nearest normal clips to the clip, and what whitened it."""
    fit = memory.fitted.fits[block]
    return -fit.to_normal(heard.features[BLOCKS[block].columns]), fit.whitening


def _deviation(heard: Heard, memory: Memory) -> npt.NDArray[np.float32]:
    """Robust z of each band and time, [32, T]."""
    levels = memory.features[:, BLOCKS["level"].columns]
    events = memory.features[:, BLOCKS["event"].columns]
    normal = np.median(levels, 0)
    between = 1.4826 * np.median(np.abs(levels - normal), 0)
    # the largest of about 100 independent values lies 2.5 standard deviations above their mean
    within = np.median(events, 0) / 2.5
    spread = np.sqrt(between**2 + within**2 + 0.1**2)
    return ((heard.bands - normal[:, None]) / spread[:, None]).astype(np.float32)
