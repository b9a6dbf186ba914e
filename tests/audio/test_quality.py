"""Measures of a recording's quality beside their definitions, and what is said of each defect."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.signal.windows import hann

from osscl import _native
from osscl.audio.doubts import BY_FIXED_BOUNDS, Doubter
from osscl.audio.mel_bands import BAND_EDGES_HZ
from osscl.audio.quality import MEASURES, measured
from osscl.audio.spectrum import ends_at_hz
from osscl.features import memory_features
from osscl.frontend import tables

N = 160_000
T = np.arange(N) / 16_000


def machine(seed: int, n: int = 1) -> npt.NDArray[np.int16]:
    """Sounds [n, 160000] of a machine: noise that falls by 6 dB an octave, and a line at 243 Hz."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft(rng.standard_normal((n, N)))
    tilted: npt.NDArray[np.float64] = np.fft.irfft(spectrum / (1 + np.fft.rfftfreq(N, 1 / 16_000) / 500), N)
    sound = 1500 * tilted / tilted.std() + 400 * np.sin(2 * np.pi * 243 * T + rng.uniform(0, 6))
    rounded: npt.NDArray[np.int16] = np.rint(sound).astype(np.int16)
    return rounded


@pytest.fixture(scope="module")
def clip() -> npt.NDArray[np.float64]:
    sound: npt.NDArray[np.float64] = machine(1)[0].astype(np.float64)
    return sound


@pytest.fixture(scope="module")
def normals() -> Doubter:
    clips = machine(2, 12)
    return Doubter(measured(clips).stored, levels(clips))


def levels(clips: Any) -> npt.NDArray[np.float32]:
    found: npt.NDArray[np.float32] = memory_features(clips)[:, :32]
    return found


def numbers(samples: Any, instruction_set: str = "") -> npt.NDArray[np.float32]:
    found = np.zeros((1, 70), np.float32)
    _native.measure_quality(
        samples=samples[np.newaxis], numbers=found, instruction_set=instruction_set, n_threads=1
    )
    row: npt.NDArray[np.float32] = found[0]
    return row


@pytest.mark.parametrize("instruction_set", _native.instruction_sets())
@pytest.mark.parametrize("n", [1, 15, 16, 17, 33, 1600, 1601, 32_000, 33_333, N])
def test_numbers_are_those_of_their_definition(instruction_set: str, n: int) -> None:
    samples = machine(3)[0][:n]
    samples[n // 2 : n // 2 + 50] = samples[n // 2]
    x = samples / 32768
    found = numbers(samples, instruction_set)
    steps = np.abs(np.diff(x)).mean() if n > 1 else 0.0
    n_held = len(samples[n // 2 : n // 2 + 50])
    while n > 1600 and samples[n // 2 + n_held] == samples[n // 2]:
        n_held += 1
    held = (n_held / n, n_held) if n > 1600 else (found[4], found[5])
    expected = [0.0, x.mean(), x.var(), steps, *held]
    np.testing.assert_allclose(found[:6], expected, rtol=1e-4, atol=1e-7)
    np.testing.assert_array_equal(
        found, numbers((samples / np.float32(32768)).astype(np.float32), instruction_set)
    )


def test_lines_are_those_of_a_fourier_transform(clip: Any) -> None:
    tone = clip / 32768 + 0.1 * np.sin(2 * np.pi * 150 * T)
    segments = tone.reshape(5, 32_000)
    # a step a period of 0.1 s, as the Hann window is sampled there
    window = np.repeat(hann(41)[1::2], 1600)
    spectra = np.fft.rfft(segments * window / window.sum())[:, : 64 * 20 : 20]
    power = np.median(2 * np.abs(spectra) ** 2, axis=0)
    found = numbers(tone.astype(np.float32))[6:]
    assert found[15] == pytest.approx(0.1**2 / 2, rel=0.05)
    np.testing.assert_allclose(found[2:16], power[2:16], rtol=0.1)


def test_band_edges_lie_between_the_filters_of_the_front_end() -> None:
    _, filters = tables()  # [128, 1025]
    centre_hz = (filters / filters.sum(1, keepdims=True)) @ (np.arange(1025) * 16_000 / 2048)
    of_bands = centre_hz.reshape(32, 4)
    assert (BAND_EDGES_HZ[:-1] < of_bands[:, 0]).all()
    assert (of_bands[:, 3] < BAND_EDGES_HZ[1:]).all()


def low_pass(x: Any, at_hz: float, depth: float = 1e-4) -> Any:
    spectrum = np.fft.rfft(x)
    return np.fft.irfft(np.where(np.fft.rfftfreq(N, 1 / 16_000) < at_hz, 1.0, depth) * spectrum, N)


def mains(hz: float, db: float) -> Any:
    tone = sum(10 ** (-0.4 * k) * np.sin(2 * np.pi * (k + 1) * hz * T + k) for k in range(5))
    return tone / np.std(tone) * 1550 * 10 ** (db / 20)


def held(x: Any, n: int = 240) -> Any:
    y = x.copy()
    for at in (20_000, 90_011):
        y[at : at + n] = y[at]
    return y


DEFECTS: dict[str, Any] = {
    "clipped, ": lambda x: np.clip(x * 8, -32768, 32767),
    "offset of ": lambda x: x + 1500,
    "dropouts, 0.03 s of samples that stand still": held,
    "mains hum at 50 Hz, ": lambda x: x + mains(50.04, 3),
    "mains hum at 60 Hz, ": lambda x: x + mains(59.96, 3),
    "no sound above 3.7 kHz": lambda x: low_pass(x, 3400),
    "hardly any sound, -84 dB of full scale": lambda x: x / np.std(x) * 2.07,
}
BESIDE_NORMALS: dict[str, Any] = {
    **DEFECTS,
    "muffled, ": lambda x: low_pass(x, 2500, 0.15),
    "dB louder than its normals": lambda x: np.clip(x * 9, -32768, 32767),
    "dB quieter than its normals": lambda x: x / 9,
    "dB above its normals": lambda x: x + np.random.default_rng(0).normal(0, 4000, N),
    "mains hum at 50 Hz, ": lambda x: x + mains(50.04, -6),
}


@pytest.mark.parametrize("said", DEFECTS)
def test_a_defect_is_told_without_normals(said: str, clip: Any) -> None:
    laid = np.rint(DEFECTS[said](clip)).astype(np.int16)[np.newaxis]
    (found,) = BY_FIXED_BOUNDS.of(measured(laid), levels(laid))
    assert found is not None
    assert said in found


@pytest.mark.parametrize("said", BESIDE_NORMALS)
def test_a_defect_is_told_beside_normals(said: str, clip: Any, normals: Doubter) -> None:
    laid = np.rint(BESIDE_NORMALS[said](clip)).astype(np.int16)[np.newaxis]
    (found,) = normals.of(measured(laid), levels(laid))
    assert found is not None
    assert said in found


SOUNDS: dict[str, Any] = {
    "a loud sine": 32_767 * np.sin(2 * np.pi * 441 * T),
    "a motor's own hum, at twice the mains": 9000 * np.sin(2 * np.pi * 100 * T) + machine(4)[0],
    "eight bits of a faint sound": np.round(machine(5)[0] / 1000) * 256,
    "one click to full scale": np.where(np.arange(N) == 777, 32_767, machine(6)[0]),
    "a quiet room": np.random.default_rng(0).normal(0, 8, N),
    "a sound that falls off steadily": low_pass(machine(7)[0], 3000, 0.3),
}


@pytest.mark.parametrize("name", SOUNDS)
def test_what_is_no_defect_is_not_told(name: str) -> None:
    clips = np.rint(SOUNDS[name]).astype(np.int16)[np.newaxis]
    assert BY_FIXED_BOUNDS.of(measured(clips), levels(clips)) == [None]


def test_normals_that_have_a_defect_themselves_excuse_it() -> None:
    clips = np.clip(machine(8, 12).astype(np.float64) * 12, -32768, 32767)
    every = np.stack([low_pass(clip, 3400) for clip in clips]).astype(np.int16) + np.int16(900)
    known = Doubter(measured(every[:11]).stored, levels(every[:11]))
    assert known.of(measured(every[11:]), levels(every[11:])) == [None]


def test_levels_alone_speak_of_older_memories() -> None:
    clips = machine(9, 12)
    older = Doubter(None, levels(clips))
    quiet = (clips[:1] / 9).astype(np.int16)
    (found,) = older.of(measured(quiet), levels(quiet))
    assert found is not None
    assert "quieter" in found
    (clipped,) = older.of(measured(np.clip(clips[:1].astype(np.int32) * 30, -32768, 32767).astype(np.int16)))
    assert clipped is not None
    assert clipped.startswith("clipped")


def test_every_clip_is_measured_as_it_would_be_alone(clip: Any) -> None:
    clips = np.stack([machine(10)[0], np.rint(DEFECTS["clipped, "](clip)).astype(np.int16)])
    together = measured(clips, threads=2)
    assert together.stored.shape == (2, len(MEASURES))
    for place in range(2):
        alone = measured(clips[place : place + 1])
        np.testing.assert_array_equal(together.stored[place], alone.stored[0])
        np.testing.assert_array_equal(together.n_hum[place], alone.n_hum[0])


def test_no_clip_and_other_rates() -> None:
    assert measured(np.empty((0, N), np.int16)).stored.shape == (0, 6)
    hummed = np.rint(machine(11)[0] + mains(50, 6)).astype(np.int16)[np.newaxis]
    assert measured(hummed).stored[0, 3] > -6
    assert measured(hummed, 8_000).stored[0, 3] == pytest.approx(-60)


def test_where_sound_ends() -> None:
    flat = np.full((3, 32), -20.0)
    flat[1, 23:] = -60
    flat[2, 31:] = -60  # that of any anti-aliasing filter
    assert ends_at_hz(flat).tolist()[1] == pytest.approx(BAND_EDGES_HZ[23], rel=0.15)
    assert np.isnan(ends_at_hz(flat)[[0, 2]]).all()
