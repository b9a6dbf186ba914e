"""Why a clip is unlike the normal ones that a memory holds."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from osscl.audio.samples import Samples
from osscl.decisions import Memory
from osscl.decisions.blocks import BLOCKS
from osscl.explanation import wording
from osscl.explanation.events import loudest_event
from osscl.explanation.explained import BlockName, Explanation, Finding
from osscl.explanation.heard import Heard, hear
from osscl.explanation.ranges import Range, changed_ranges
from osscl.explanation.rates import Envelopes, raised_rate
from osscl.explanation.scales import (
    FAST_EDGES_HZ,
    FRAME_RATE_HZ,
    SHORT_RATE_HZ,
    SLOW_EDGES_HZ,
    band_edges_hz,
    fast_band_edges_hz,
    slow_band_edges_hz,
)

Floats = npt.NDArray[np.float64]

MAX_FINDINGS = 3
MIN_BLOCK_Z = 3.0
"""From here on a block has something to say."""
MIN_FINDING_Z = 3.0


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
    z = {name: float(each[0]) for name, each in memory.fitted.z(heard.features[np.newaxis]).items()}
    found = sorted(_findings(heard, memory, z), key=lambda each: -abs(BLOCKS[each.block].weight * each.z))
    findings = tuple(found[:MAX_FINDINGS])
    return Explanation(
        machine=machine,
        sentence=wording.sentence(findings, z),
        findings=findings,
        band_edges_hz=band_edges_hz(),
        hop_s=1.0 / FRAME_RATE_HZ,
        deviation=_deviation(heard, memory),
        normal_level_db=np.median(memory.features[:, BLOCKS["level"].columns], 0).astype(np.float32),
    )


def _findings(heard: Heard, memory: Memory, z: dict[str, float]) -> Iterator[Finding]:
    if z["level"] >= MIN_BLOCK_Z:
        yield from _levels(heard, memory, z["level"])
    rates: list[Finding] = []
    for block in ("flutter", "modulation"):
        if z[block] >= MIN_BLOCK_Z:
            rates += _modulation(block, heard, memory, z[block])
    yield from rates
    if z["event"] >= MIN_BLOCK_Z:
        yield from _event(heard, memory, z["event"])


def _levels(heard: Heard, memory: Memory, z: float) -> Iterator[Finding]:
    edges_hz = band_edges_hz()
    strongest = 0.0
    for each in _ranges("level", heard, memory, 3):
        strongest = max(strongest, abs(each.z))
        if abs(each.z) < max(MIN_FINDING_Z, 0.5 * strongest):
            return
        low_hz, high_hz = edges_hz[each.first], edges_hz[each.end]
        text = wording.level(each.change, low_hz, high_hz)
        yield Finding(
            block="level",
            z=z * abs(each.z) / strongest,
            text=text,
            low_hz=float(low_hz),
            high_hz=float(high_hz),
            change_db=each.change,
        )


def _event(heard: Heard, memory: Memory, z: float) -> Iterator[Finding]:
    edges_hz = band_edges_hz()
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
    rate = raised_rate(envelopes)
    if rate is None:
        return
    low_hz, high_hz = edges_hz[rate.first], edges_hz[rate.end]
    yield Finding(
        block=block,
        z=z,
        text=wording.modulation(rate.rate_hz, rate.change_db, low_hz, high_hz),
        low_hz=float(low_hz),
        high_hz=float(high_hz),
        change_db=rate.change_db,
        rate_hz=rate.rate_hz,
    )


def _envelopes(block: BlockName, heard: Heard, memory: Memory) -> tuple[Envelopes, Floats]:
    """What is known of the modulations of a block, and the edges of its bands."""
    if block == "modulation":
        levels, frames_hz, pools_hz, edges_hz = heard.slow, FRAME_RATE_HZ, SLOW_EDGES_HZ, slow_band_edges_hz()
    else:
        levels, frames_hz, pools_hz, edges_hz = heard.fast, SHORT_RATE_HZ, FAST_EDGES_HZ, fast_band_edges_hz()
    shape = (len(levels) // 2, len(pools_hz) - 1)
    residual, whitening = _residual(block, heard, memory)
    spectra = heard.features[BLOCKS[block].columns].reshape(shape)
    change, z = (residual / whitening).reshape(shape), residual.reshape(shape)
    return Envelopes(levels, frames_hz, pools_hz, spectra, change, z), edges_hz


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
