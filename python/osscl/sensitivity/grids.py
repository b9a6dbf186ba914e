"""Which changes are tried: all of them by a memory, fewer by a network, which takes longer."""

from osscl.sensitivity.changes import Band, Burst, Change, MissingBeat, Modulation, ShiftedLine, Tone
from osscl.sensitivity.sizes import Sizes

OCTAVES_HZ = ((125, 250), (250, 500), (500, 1000), (1000, 2000), (2000, 4000), (4000, 8000))
"""Neighbouring octaves, up to half the sample rate."""
DOUBLE_OCTAVES_HZ = ((125, 500), (500, 2000), (2000, 8000))
WHOLE_HZ = (50, 8000)

_TONE_DB = Sizes(-40.0, 20.0, by_ratio=False)
_BAND_DB = Sizes(0.1, 30.0)
_LOWERED_DB = Sizes(-0.1, -30.0)
_MODULATION_PERCENT = Sizes(0.5, 100.0)
_BURST_DB = Sizes(0.5, 50.0)
_MISSING_DB = Sizes(-0.5, -50.0)


def fine_grid() -> tuple[Change, ...]:
    """All changes.

    Returns
    -------
    tuple of Change
        Each kind over bands and rates.
    """
    return (
        *(Tone(low_hz=low, high_hz=high, sizes=_TONE_DB) for low, high in OCTAVES_HZ),
        *_bands((*OCTAVES_HZ, WHOLE_HZ)),
        *_modulations((1, 4, 12, 25, 60), (*DOUBLE_OCTAVES_HZ, WHOLE_HZ)),
        *_bursts((0.05, 0.2), OCTAVES_HZ),
        *_missing_beats((1, 4, 10)),
        *_shifted_lines(),
    )


def coarse_grid() -> tuple[Change, ...]:
    """A few of each kind, for scores that take longer.

    Returns
    -------
    tuple of Change
        Each kind over fewer bands and rates.
    """
    octaves = OCTAVES_HZ[1::2]
    return (
        *(Tone(low_hz=low, high_hz=high, sizes=_TONE_DB) for low, high in octaves),
        *_bands((*octaves, WHOLE_HZ)),
        *_modulations((4, 25), (WHOLE_HZ,)),
        *_bursts((0.2,), octaves),
        *_missing_beats((4,)),
    )


def _bands(bands_hz: tuple[tuple[int, int], ...]) -> list[Change]:
    return [
        Band(low_hz=low, high_hz=high, sizes=sizes)
        for sizes in (_BAND_DB, _LOWERED_DB)
        for low, high in bands_hz
    ]


def _modulations(rates_hz: tuple[int, ...], bands_hz: tuple[tuple[int, int], ...]) -> list[Change]:
    return [
        Modulation(low_hz=low, high_hz=high, sizes=_MODULATION_PERCENT, modulated_at_hz=rate_hz)
        for rate_hz in rates_hz
        for low, high in bands_hz
    ]


def _bursts(lengths_s: tuple[float, ...], bands_hz: tuple[tuple[int, int], ...]) -> list[Change]:
    return [
        Burst(low_hz=low, high_hz=high, sizes=_BURST_DB, lasts_s=length_s)
        for length_s in lengths_s
        for low, high in bands_hz
    ]


def _missing_beats(rates_hz: tuple[int, ...]) -> list[Change]:
    low, high = WHOLE_HZ
    return [
        MissingBeat(low_hz=low, high_hz=high, sizes=_MISSING_DB, beats_at_hz=rate_hz) for rate_hz in rates_hz
    ]


def _shifted_lines() -> list[Change]:
    return [
        ShiftedLine(low_hz=low, high_hz=high, sizes=Sizes(1.0, (high - low) / 2 - 4)) for low, high in OCTAVES_HZ
    ]
