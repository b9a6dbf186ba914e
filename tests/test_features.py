"""The native features against float64 arithmetic, the specification's figures, and themselves."""

import functools
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from osscl import _native, frontend
from osscl.config import FEATURES, FRONTEND, FeatureConfig, FrontendConfig
from osscl.errors import ConfigError, InputError
from osscl.features import BLOCKS, N_FEATURES, log_mel_and_features, memory_features
from osscl.model_file.golden import golden_clips
from support.reference_features import DB_BOUNDS, reference_features
from support.signals import N_SAMPLES, SAMPLE_RATE_HZ, signals

ISAS = _native.instruction_sets()
SIGNALS = signals()
# A pure tone at full scale leaves most bands more than 100 dB below it, where float32 ends: the bounds are
# not for those, as the log-mel's are not. Here faint noise lies 80 dB below it.
for tone in ("low sine", "chirp"):
    faint = np.random.default_rng(21).standard_normal(N_SAMPLES).astype(np.float32)
    SIGNALS[f"{tone} with faint noise"] = 0.9 * SIGNALS.pop(tone) + np.float32(1e-4) * faint
PUBLISHED_NAMES = {"A": "level", "B": "modulation", "C": "flutter", "D": "event"}


@pytest.fixture(params=ISAS)
def isa(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each instruction set that this processor runs, chosen as a user would choose it."""
    name: str = request.param
    monkeypatch.setenv(frontend.ISA_VARIABLE, name)
    assert frontend.instruction_set() == name
    return name


def noise(n_clips: int, seed: int = 0) -> npt.NDArray[np.int16]:
    return np.random.default_rng(seed).integers(-3000, 3000, (n_clips, N_SAMPLES), np.int16)


def assert_close(got: npt.NDArray[np.float32], expected: dict[str, Any]) -> None:
    for name, block in BLOCKS.items():
        error = np.abs(got[..., block] - expected[name]).max()
        assert error <= DB_BOUNDS[name], f"{name} is off by {error:.2g} dB"


@functools.cache
def expected_of_golden_clips() -> list[dict[str, Any]]:
    return [reference_features(clip / 32768.0) for clip in golden_clips(4)]


@functools.cache
def recordings(shared: Path, step: int) -> npt.NDArray[np.int16]:
    """Every `step`-th of the real clips, in the order of the specification's figures."""
    with np.load(shared / "reference" / "memory_reference.npz") as figures:
        paths = [shared / "data" / "dcase2020" / str(path) for path in figures["dcase_path"][::step]]
    return np.stack([soundfile.read(path, dtype="int16")[0][:N_SAMPLES] for path in paths])


@functools.cache
def expected_of_recordings(shared: Path, step: int) -> list[dict[str, Any]]:
    return [reference_features(clip / 32768.0) for clip in recordings(shared, step)]


@pytest.mark.parametrize("name", SIGNALS)
def test_signals_equal_float64_arithmetic(isa: str, name: str) -> None:
    log_mel, features = log_mel_and_features(SIGNALS[name])  # the log-mel has bounds of its own
    assert_close(features, reference_features(SIGNALS[name], log_mel))


def test_machine_sounds_equal_float64_arithmetic(isa: str) -> None:
    for clip, expected in zip(golden_clips(4), expected_of_golden_clips(), strict=True):
        assert_close(memory_features(clip), expected)


def test_real_clips_equal_float64_arithmetic(isa: str, shared: Path) -> None:
    features = memory_features(recordings(shared, 5))
    for own, expected in zip(features, expected_of_recordings(shared, 5), strict=True):
        assert_close(own, expected)


def test_real_clips_equal_the_figures_of_the_specification(isa: str, shared: Path) -> None:
    clips = recordings(shared, 1)
    assert len(clips) == 36
    with np.load(shared / "reference" / "memory_reference.npz") as figures:
        expected = {name: figures[f"dcase_{letter}"] for letter, name in PUBLISHED_NAMES.items()}
    assert_close(memory_features(clips), expected)


def test_silence_lies_exactly_on_the_floors(isa: str) -> None:
    features = memory_features(np.zeros(N_SAMPLES, np.int16))
    assert (features[BLOCKS["level"]] == -100.0).all()
    assert (features[BLOCKS["event"]] == 0.0).all()
    for name in ("modulation", "flutter"):
        np.testing.assert_allclose(features[BLOCKS[name]], -60.0, atol=1e-4)


def test_a_shaft_shows_where_its_rate_is() -> None:
    t = np.arange(N_SAMPLES) / SAMPLE_RATE_HZ
    hiss = 0.05 * np.random.default_rng(1).standard_normal(N_SAMPLES)
    # 3 and 29 revolutions a second: in the slow block's pool 3 to 4 Hz, in the fast one's 28 to 30 Hz
    plain, slow, fast = (
        memory_features((hiss * (1.0 + 0.4 * np.sin(2 * np.pi * hz * t))).astype(np.float32))
        for hz in (0.0, 3.3, 29.0)
    )
    assert set((slow - plain)[BLOCKS["modulation"]].reshape(8, 12).argmax(axis=1)) == {5}
    assert set((fast - plain)[BLOCKS["flutter"]].reshape(5, 40).argmax(axis=1)) == {13}


def test_int16_is_divided_by_32768(isa: str) -> None:
    clip = noise(1)[0]
    assert np.array_equal(memory_features(clip), memory_features(clip.astype(np.float32) / 32768.0))


def test_one_call_gives_the_log_mel_too(isa: str) -> None:
    clips = noise(3)
    log_mels, features = log_mel_and_features(clips)
    assert np.array_equal(log_mels, frontend.log_mel(clips))
    assert np.array_equal(features, memory_features(clips))


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_threads_and_batches_change_no_bit(isa: str, dtype: type) -> None:
    batch = noise(7) if dtype is np.int16 else (noise(7) / 32768.0).astype(np.float32)
    one_by_one = np.stack([memory_features(clip, threads=1) for clip in batch])
    assert len(np.unique(one_by_one, axis=0)) == 7
    for threads in (1, 2, 3, 16):
        assert np.array_equal(memory_features(batch, threads=threads), one_by_one)
        assert np.array_equal(log_mel_and_features(batch, threads=threads)[1], one_by_one)


def test_many_callers_at_once_get_their_own_results() -> None:
    batches = [noise(2, seed) for seed in range(6)]
    expected = [memory_features(batch, threads=1) for batch in batches]
    with ThreadPoolExecutor(6) as pool:
        for _ in range(4):
            results = pool.map(lambda batch: memory_features(batch, threads=3), batches)
            assert all(np.array_equal(a, b) for a, b in zip(results, expected, strict=True))


def test_one_thread_starts_none() -> None:
    program = """
import os, numpy as np
from osscl.features import memory_features
before = len(os.listdir("/proc/self/task"))
memory_features(np.zeros((2, 160000), np.int16), threads=1)
assert len(os.listdir("/proc/self/task")) == before
"""
    if not Path("/proc/self/task").is_dir():
        pytest.skip("threads are counted through /proc, which this system lacks")
    subprocess.run([sys.executable, "-c", program], check=True, timeout=300)


def test_leading_axes_are_kept() -> None:
    clips = noise(6)
    log_mels, features = log_mel_and_features(clips.reshape(2, 3, -1))
    assert (log_mels.shape, features.shape) == ((2, 3, 128, 313), (2, 3, 360))
    assert np.array_equal(features.reshape(6, -1), memory_features(clips))
    assert memory_features(np.zeros((0, N_SAMPLES), np.float32)).shape == (0, 360)


def test_the_blocks_are_all_features_in_the_order_of_the_specification() -> None:
    places = np.concatenate([np.arange(N_FEATURES)[block] for block in BLOCKS.values()])
    assert places.tolist() == [*range(360)]
    assert list(BLOCKS) == list(PUBLISHED_NAMES.values())


@pytest.mark.parametrize(
    ("waveforms", "message"),
    [
        (np.zeros(159_999, np.int16), "159999 samples a clip; .* made from 160000"),
        (np.zeros((2, 160_001), np.float32), "160001 samples a clip"),
        (np.zeros(N_SAMPLES, np.int32), "dtype int32; expected int16, or float"),
        (np.full(N_SAMPLES, np.nan, np.float32), "NaN or infinity"),
        (np.full(N_SAMPLES, 9.0), "magnitude of 9"),
    ],
)
@pytest.mark.parametrize("function", [memory_features, log_mel_and_features])
def test_unusable_clips_are_refused(function: Any, waveforms: npt.ArrayLike, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        function(waveforms)
    assert ". " not in str(caught.value)


@pytest.mark.parametrize("threads", [0, -1, 2.5, True])
@pytest.mark.parametrize("n_clips", [0, 1])
def test_what_is_no_number_of_threads_is_refused(threads: Any, n_clips: int) -> None:
    with pytest.raises(ConfigError, match=f"^threads is {threads!r}; "):
        memory_features(np.zeros((n_clips, N_SAMPLES), np.int16), threads=threads)


def test_an_instruction_set_that_the_processor_lacks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(frontend.ISA_VARIABLE, "avx1024")
    with pytest.raises(ConfigError, match="OSSCL_ISA=avx1024: instruction set 'avx1024' is not"):
        memory_features(noise(1))


def native_log_mel(n_mels: int = 128, hop_length: int = 512) -> _native.LogMel:
    return frontend.native_plan(FrontendConfig(n_mels=n_mels, hop_length=hop_length))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"samples": np.zeros((1, 159_999), np.int16)}, "samples must be a C-contiguous array"),
        ({"samples": np.zeros(N_SAMPLES, np.int16)}, "samples must be a C-contiguous array"),
        ({"samples": np.zeros((1, 2 * N_SAMPLES), np.int16)[:, ::2]}, "samples must be a C-contiguous array"),
        ({"samples": np.zeros((1, N_SAMPLES), np.int64)}, "samples must be int16 or float32"),
        ({"features": np.empty((1, 359), np.float32)}, "features must be"),
        ({"features": np.empty((2, 360), np.float32)}, "features must be"),
        ({"features": np.empty((1, 360), np.float64)}, "features must be"),
        ({"log_mel": np.empty((1, 128, 312), np.float32)}, "log_mel must be"),
        ({"log_mel": np.empty((128, 313), np.float32)}, "log_mel must be"),
        ({"features": np.broadcast_to(np.zeros((1, 1), np.float32), (1, 360))}, "features must be"),
    ],
)
def test_the_native_module_refuses_wrong_sizes(changes: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {
        "samples": np.zeros((1, N_SAMPLES), np.int16),
        "features": np.empty((1, 360), np.float32),
        "log_mel": np.empty((1, 128, 313), np.float32),
        "n_threads": 1,
    }
    plan = _native.Features(native_log_mel())
    plan.transform(**arguments)
    with pytest.raises(ValueError, match=message):
        plan.transform(**arguments | changes)


def test_the_native_module_never_writes_into_a_read_only_array() -> None:
    features = np.zeros((1, 360), np.float32)
    features.flags.writeable = False
    with pytest.raises(ValueError, match="not writeable"):
        _native.Features(native_log_mel()).transform(noise(1), features, None, 1)


@pytest.mark.parametrize("settings", [{"n_mels": 127}, {"hop_length": 256}])
def test_the_native_module_refuses_another_log_mel(settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="a log-mel of 128 bands and 313 frames"):
        _native.Features(native_log_mel(**settings))


def test_the_settings_hash_is_pinned_and_sees_every_setting() -> None:
    # stands in every memory: when it changes, all of them are refused
    assert FEATURES.sha256 == "96ebcf5321b25f95afee59473b7a0c17a78ce77d14d85217a01b70cb91346462"
    assert (FEATURES.log_mel_sha256, FEATURES.n_samples) == (FRONTEND.sha256, N_SAMPLES)
    others = [
        FeatureConfig(log_mel_sha256="0" * 64, n_samples=N_SAMPLES),
        FeatureConfig(log_mel_sha256=FRONTEND.sha256, n_samples=80_000),
    ]
    assert len({FEATURES.sha256, *(other.sha256 for other in others)}) == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"algorithm": "osscl.memory/2"}, "algorithm is 'osscl.memory/2'; expected one of: osscl.memory/1"),
        ({"log_mel_sha256": 5}, "log_mel_sha256 is 5; expected text"),
        ({"log_mel_sha256": "A" * 64}, "expected 64 lower-case hexadecimal digits"),
        ({"log_mel_sha256": "0" * 63}, "expected 64 lower-case hexadecimal digits"),
        ({"n_samples": 0}, "n_samples is 0; it must lie between 1 and"),
        ({"n_samples": "many"}, "n_samples is 'many'; expected a whole number"),
    ],
)
def test_settings_that_are_none_are_refused(changes: dict[str, Any], message: str) -> None:
    settings: dict[str, Any] = {"log_mel_sha256": "0" * 64, "n_samples": N_SAMPLES}
    with pytest.raises(ConfigError, match=message):
        FeatureConfig(**settings | changes)
