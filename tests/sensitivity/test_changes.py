"""What is laid into a recording is what its size says: measured in the changed waveform by other means."""

import numpy as np
import numpy.typing as npt
import pytest

from osscl.sensitivity.changes import Band, Burst, Change, MissingBeat, Modulation, ShiftedLine, Tone
from osscl.sensitivity.grids import coarse_grid, fine_grid
from osscl.sensitivity.sizes import Sizes
from osscl.sensitivity.sound import Sound
from osscl.sensitivity.trials import laid_into

SIZES = Sizes(0.1, 30.0)
RATE_HZ = 16_000
TIME_S = np.arange(160_000) / RATE_HZ
Waveform = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def sound() -> Sound:
    """Noise, and a line at 1.3 kHz."""
    noise = 0.02 * np.random.default_rng(0).standard_normal(160_000)
    return Sound((noise + 0.05 * np.sin(2 * np.pi * 1300 * TIME_S)).astype(np.float32))


def changed(sound: Sound, change: Change, size: float, seed: int = 1) -> Waveform:
    return laid_into(sound, change, seed)(size)


def level_db(waveform: Waveform, low_hz: float, high_hz: float) -> float:
    """Level between two frequencies, from Hann-windowed pieces of 0.1 s."""
    pieces = waveform.reshape(-1, 1600) * np.hanning(1600)
    power = (np.abs(np.fft.rfft(pieces)) ** 2).mean(0)
    return float(10 * np.log10(power[round(low_hz / 10) : round(high_hz / 10) + 1].sum()))


def test_a_tone_has_its_level_against_the_band(sound: Sound) -> None:
    tone = Tone(low_hz=2000, high_hz=4000, sizes=SIZES)
    added = changed(sound, tone, -6.0) - sound.waveform
    assert level_db(added, 2700, 2950) == pytest.approx(level_db(added, 0, 8000), abs=1e-3)
    assert level_db(added, 0, 8000) - level_db(sound.waveform, 2000, 4000) == pytest.approx(-6.0, abs=0.2)
    assert tone.in_words(-6.0) == "a tone at 2.8 kHz, 6.0 dB below the level of 2 to 4 kHz"


@pytest.mark.parametrize("size", [6.0, -6.0])
def test_a_band_is_louder_or_fainter_and_no_other_is(sound: Sound, size: float) -> None:
    waveform = changed(sound, Band(low_hz=2000, high_hz=4000, sizes=SIZES), size)
    assert level_db(waveform, 2100, 3900) - level_db(sound.waveform, 2100, 3900) == pytest.approx(
        size, abs=1e-2
    )
    assert level_db(waveform, 4100, 8000) == pytest.approx(level_db(sound.waveform, 4100, 8000), abs=1e-2)


def test_a_modulation_has_its_rate_and_depth(sound: Sound) -> None:
    change = Modulation(low_hz=4000, high_hz=8000, sizes=SIZES, modulated_at_hz=25)
    waveform = changed(sound, change, 40.0)
    ratio = (waveform - sound.waveform) @ Sound(waveform.astype(np.float32)).band(4000, 8000)
    assert ratio != 0
    envelope = (
        np.square(Sound(waveform.astype(np.float32)).band(4000, 8000)).reshape(-1, 80).mean(1)
    )  # 200 a second
    spectrum = np.abs(np.fft.rfft(envelope / envelope.mean() - 1)) / (len(envelope) / 2)
    assert np.argmax(spectrum) == 250, "25 Hz, a bin each 0.1 Hz"
    # (1 + m sin)^2 has 2 m / (1 + m^2 / 2) of its mean at the rate
    assert spectrum[250] == pytest.approx(2 * 0.4 / (1 + 0.08), rel=0.1)
    assert change.in_words(6.03) == "flutter at 25 Hz of 6.1 % in 4 to 8 kHz"


def test_a_burst_is_as_long_and_as_loud_as_it_says(sound: Sound) -> None:
    burst = Burst(low_hz=2000, high_hz=4000, sizes=SIZES, lasts_s=0.2)
    waveform = changed(sound, burst, 10.0)
    where = np.flatnonzero(waveform != sound.waveform)
    assert where[-1] - where[0] + 1 == pytest.approx(0.2 * RATE_HZ, abs=4)
    inside = slice(where[0] + 200, where[-1] - 200)
    power = [np.mean(np.square(Sound(each.astype(np.float32)).band(2000, 4000)[inside])) for each in (waveform, sound.waveform)]  # fmt: skip # noqa: E501
    assert 10 * np.log10(power[0] / power[1]) == pytest.approx(10.0, abs=1.0)
    assert burst.in_words(5.0) == "a 0.2 s burst of +5.0 dB in 2 to 4 kHz"


def test_a_missing_beat_is_one_gap(sound: Sound) -> None:
    beat = MissingBeat(low_hz=50, high_hz=8000, sizes=SIZES, beats_at_hz=4)
    levels = 10 * np.log10(np.square(changed(sound, beat, -20.0)).reshape(-1, 400).mean(1))  # 25 ms each
    is_low = levels < np.median(levels) - 12
    assert 8 <= is_low.sum() <= 10
    assert np.ptp(np.flatnonzero(is_low)) == is_low.sum() - 1
    assert beat.in_words(-20.0) == "a 0.25 s beat missing once, at -20 dB in 50 Hz to 8 kHz"


def test_a_line_stands_elsewhere_and_is_as_strong(sound: Sound) -> None:
    waveform = changed(sound, ShiftedLine(low_hz=1000, high_hz=2000, sizes=Sizes(1.0, 400.0)), 80.0)
    before, after = (np.abs(np.fft.rfft(each)) for each in (sound.waveform, waveform))
    assert [int(np.argmax(each)) for each in (before, after)] == [13_000, 13_800]
    assert after[13_800] == pytest.approx(before[13_000], rel=0.05)
    assert after[13_000] == pytest.approx(0.0, abs=1e-6)


def test_phases_and_times_are_those_of_the_seed(sound: Sound) -> None:
    for change in coarse_grid():
        size = change.sizes.at(0.5)
        assert np.array_equal(changed(sound, change, size), changed(sound, change, size))
    burst = next(each for each in fine_grid() if isinstance(each, Burst))
    assert not np.array_equal(changed(sound, burst, 9.0, 1), changed(sound, burst, 9.0, 2))


def test_every_kind_is_tried_and_each_change_once() -> None:
    for grid in (fine_grid(), coarse_grid()):
        words = [each.in_words(each.sizes.largest) for each in grid]
        assert len(set(words)) == len(words)
        assert len({(each.kind, each.low_hz) for each in grid}) > 10
    assert {each.kind for each in fine_grid()} == {
        "tone", "band", "modulation", "burst", "missing_beat", "shifted_line"
    }  # fmt: skip


def test_sizes_are_rounded_away_from_zero() -> None:
    band = Band(low_hz=125, high_hz=250, sizes=SIZES)
    assert band.in_words(2.01) == "the band 125 to 250 Hz at +2.1 dB"
    assert band.in_words(-2.01) == "the band 125 to 250 Hz at -2.1 dB"
    assert band.in_words(21.2) == "the band 125 to 250 Hz at +22 dB"
    assert band.in_words(-9.97) == "the band 125 to 250 Hz at -10 dB"
    assert band.in_words(0.123) == "the band 125 to 250 Hz at +0.13 dB"
    assert Band(low_hz=500, high_hz=1000, sizes=SIZES).in_words(3.0) == "the band 500 Hz to 1 kHz at +3.0 dB"
