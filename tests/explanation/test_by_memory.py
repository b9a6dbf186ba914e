"""What is laid into a clip is what its explanation names: band, rate and time."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from osscl.decisions import Memory
from osscl.explanation.by_memory import explain_by_memory
from osscl.explanation.explained import Explanation, Finding
from osscl.features import memory_features

Floats = npt.NDArray[np.float64]
N_SAMPLES, RATE_HZ = 160_000, 16_000
TIME_S = np.arange(N_SAMPLES) / RATE_HZ
HZ = np.fft.rfftfreq(N_SAMPLES, 1 / RATE_HZ)


def noise(seed: int, low_hz: float = 0.0, high_hz: float = 8000.0) -> Floats:
    """Noise of one band, of standard deviation 1."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(N_SAMPLES))
    sound = np.fft.irfft(np.where((low_hz <= HZ) & (high_hz > HZ), spectrum, 0.0), N_SAMPLES)
    return np.asarray(sound / sound.std())


def normal(seed: int) -> Floats:
    """A healthy machine: noise that swells with each of 8 turns a second, at a level that varies a little."""
    level = 10 ** np.random.default_rng([7, seed]).normal(-1.5, 0.03)
    return np.asarray(level * (1 + 0.2 * np.sin(2 * np.pi * 8 * TIME_S + seed)) * noise(seed))


@pytest.fixture(scope="module")
def memory() -> Memory:
    return Memory.fit(memory_features(np.stack([normal(seed) for seed in range(24)])))


def explained(clip: Floats, memory: Memory) -> Explanation:
    return explain_by_memory(clip.astype(np.float32), "fan/id_00", memory)


def only(found: Explanation, block: str) -> Finding:
    [finding] = [each for each in found.findings if each.block == block]
    return finding


@pytest.mark.parametrize(("low_hz", "high_hz"), [(500, 900), (2000, 3000), (4500, 7000)])
def test_a_raised_band_is_named_with_its_level(memory: Memory, low_hz: float, high_hz: float) -> None:
    clip = normal(100)
    in_band = noise(1, low_hz, high_hz) * clip.std() * np.sqrt((high_hz - low_hz) / 8000)
    found = explained(clip + 3 * in_band, memory)  # 10 times the power
    first = found.findings[0]
    assert first.block == "level"
    assert abs(first.low_hz / low_hz - 1) < 0.15
    assert abs(first.high_hz / high_hz - 1) < 0.15
    assert abs(first.change_db - 10) < 2
    assert first.text.startswith("level +")
    assert found.sentence.startswith(first.text)


def test_a_band_that_is_missing_is_named_as_lowered(memory: Memory) -> None:
    clip = normal(101)
    spectrum = np.fft.rfft(clip)
    quiet = np.fft.irfft(np.where((HZ > 1000) & (HZ < 2000), 0.3 * spectrum, spectrum), N_SAMPLES)
    first = explained(quiet, memory).findings[0]
    assert (first.block, first.change_db < -6) == ("level", True)
    assert (abs(first.low_hz - 1000) < 150, abs(first.high_hz - 2000) < 250) == (True, True)


@pytest.mark.parametrize("rate_hz", [1.5, 3.3, 12.5, 31.0, 77.0])
def test_a_modulation_is_named_by_its_rate(memory: Memory, rate_hz: float) -> None:
    clip = normal(102) * (1 + 0.6 * np.sin(2 * np.pi * rate_hz * TIME_S))
    rates = [each.rate_hz for each in explained(clip, memory).findings if each.rate_hz is not None]
    assert len(rates) == 1
    assert abs(rates[0] / rate_hz - 1) < 0.03


def test_multiples_of_a_rate_are_not_named(memory: Memory) -> None:
    strokes = np.where((TIME_S * 11.0) % 1.0 < 0.2, 2.0, 1.0)  # lines at 11, 22, 33 Hz and on
    rates = [
        each.rate_hz for each in explained(normal(103) * strokes, memory).findings if each.rate_hz is not None
    ]
    assert len(rates) == 1
    assert abs(rates[0] - 11.0) < 0.2


def test_beats_are_heard_in_a_raised_band_beyond_the_features(memory: Memory) -> None:
    impacts = np.maximum(np.sin(2 * np.pi * 162.0 * TIME_S), 0.0) ** 4
    clip = normal(104) + 0.1 * impacts * noise(2, 3500, 5000)
    level = only(explained(clip, memory), "level")
    assert level.rate_hz is not None
    assert abs(level.rate_hz / 162 - 1) < 0.02
    assert "in beats of 162 Hz" in level.text


def burst(at_s: float, lasts_s: float, low_hz: float, high_hz: float) -> Floats:
    return np.where((at_s <= TIME_S) & (at_s + lasts_s > TIME_S), noise(3, low_hz, high_hz), 0.0)


@pytest.mark.parametrize(("at_s", "lasts_s"), [(0.4, 0.3), (4.2, 0.3), (9.2, 0.5)])
def test_a_single_event_is_named_with_its_time_and_no_modulation(
    memory: Memory, at_s: float, lasts_s: float
) -> None:
    found = explained(normal(105) + 0.06 * burst(at_s, lasts_s, 1000, 2000), memory)
    [event] = found.findings
    assert event.block == "event"
    assert event.start_s is not None
    assert event.duration_s is not None
    assert abs(event.start_s - at_s) < 0.12
    assert abs(event.duration_s - lasts_s) < 0.12
    assert abs(event.low_hz - 1000) < 150
    assert abs(event.high_hz - 2000) < 250


def test_what_covers_the_swell_is_said_to_be_steadier(memory: Memory) -> None:
    steady = 0.3 * normal(106).std() * noise(4, 5500, 8000) + noise(5, 5500, 8000) * 0.05
    texts = [each.text for each in explained(normal(106) + steady, memory).findings]
    assert any(text.startswith("steadier than normal, by ") for text in texts), texts


def test_of_normal_clips_nothing_stands_out(memory: Memory) -> None:
    found = [explained(normal(seed), memory) for seed in range(200, 212)]
    named = [each for each in found if each.findings]
    assert len(named) <= 1
    assert {each.sentence.startswith("nothing stands out") for each in found if not each.findings} == {True}


@pytest.mark.parametrize("as_samples", [np.float32, np.float64])
def test_int16_and_float_samples_are_explained_alike(
    memory: Memory, as_samples: Callable[..., Floats]
) -> None:
    clip = np.rint(32767 * (normal(107) + 0.06 * burst(3.0, 0.3, 1000, 2000))).astype(np.int16)
    by_whole = explain_by_memory(clip, "fan/id_00", memory)
    by_float = explained(as_samples(clip) / 32768, memory)
    assert by_whole.sentence == by_float.sentence


def test_the_map_of_deviations_shows_the_event(memory: Memory) -> None:
    found = explained(normal(108) + 0.06 * burst(4.0, 0.5, 1000, 2000), memory)
    assert found.deviation is not None
    assert found.normal_level_db is not None
    assert (found.deviation.shape, found.deviation.dtype) == ((32, 313), np.float32)
    assert (found.normal_level_db.shape, found.normal_level_db.dtype) == ((32,), np.float32)
    assert found.band_edges_hz.shape == (33,)
    band, frame = np.unravel_index(np.argmax(found.deviation), found.deviation.shape)
    assert 950 < found.band_edges_hz[band] < 2050
    assert 3.9 < frame * found.hop_s < 4.6
    assert abs(np.median(found.deviation)) < 1
