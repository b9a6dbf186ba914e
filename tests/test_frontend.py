"""The native log-mel against float64 arithmetic, against the published one, and against itself."""

import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from osscl import _native, frontend
from osscl.audio.samples import Waveforms
from osscl.config import FrontendConfig
from osscl.errors import ConfigError, InputError
from osscl.frontend import log_mel
from support.reference import Reference
from support.reference_log_mel import assert_within_bounds, mel_filter_bank, periodic_hann, reference_log_mel
from support.signals import N_SAMPLES, signals

Float32 = npt.NDArray[np.float32]

ISAS = _native.instruction_sets()
SIGNALS = signals()


@pytest.fixture(params=ISAS)
def isa(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each instruction set that this processor runs, chosen as a user would choose it."""
    name: str = request.param
    monkeypatch.setenv(frontend.ISA_VARIABLE, name)
    assert frontend.instruction_set() == name
    return name


def peak_db(reference: npt.NDArray[np.float64]) -> float:
    return float(reference.max())


@pytest.mark.parametrize("name", SIGNALS)
def test_signals_equal_float64_arithmetic(isa: str, name: str) -> None:
    reference, _ = reference_log_mel(SIGNALS[name])
    assert_within_bounds(log_mel(SIGNALS[name]), reference, peak_db(reference))


@pytest.mark.parametrize("n_samples", [1, 511, 512, 2047, 2048, 8191, 16_000, 176_000])
def test_any_length_equals_float64_arithmetic(isa: str, n_samples: int) -> None:
    waveform = np.random.default_rng(n_samples).uniform(-0.5, 0.5, n_samples).astype(np.float32)
    reference, _ = reference_log_mel(waveform)
    assert log_mel(waveform).shape == (128, 1 + n_samples // 512)
    assert_within_bounds(log_mel(waveform), reference, peak_db(reference))


def test_recordings_equal_float64_arithmetic(isa: str, reference: Reference) -> None:
    for path in reference.clips:
        samples = soundfile.read(path, dtype="int16")[0][:N_SAMPLES]
        expected, _ = reference_log_mel(samples / 32768.0)
        assert_within_bounds(log_mel(samples), expected, peak_db(expected))


def test_real_clips_equal_the_published_front_end(shared: Path) -> None:
    # its filter bank was computed in float32, which alone moves it by up to 2.1e-4 dB
    with np.load(shared / "reference" / "osscl_basic_outputs.npz") as outputs:
        for clip in (0, 17):
            path = shared / "data" / "dcase2020" / str(outputs["path"][clip])
            samples, _ = soundfile.read(path, dtype="int16")
            published = outputs[f"log_mel_{clip}"].astype(np.float64)
            assert_within_bounds(log_mel(samples[:N_SAMPLES]), published, peak_db(published))


@pytest.mark.parametrize("name", SIGNALS)
def test_instruction_sets_agree(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    results = []
    for isa_name in ISAS:
        monkeypatch.setenv(frontend.ISA_VARIABLE, isa_name)
        results.append(log_mel(SIGNALS[name]))
    for result in results[1:]:
        assert_within_bounds(result, results[0], float(results[0].max()))


def test_tables_are_float64_arithmetic_rounded_once() -> None:
    window, mel_filters = frontend.tables()
    assert np.array_equal(window, periodic_hann().astype(np.float32))
    exact = mel_filter_bank()
    assert np.count_nonzero(mel_filters) == 2020
    # two float64 evaluations of one formula may round to neighbouring float32 numbers
    np.testing.assert_allclose(mel_filters, exact, rtol=1.2e-7, atol=0.0)


def test_silence_lies_exactly_on_the_floor(isa: str) -> None:
    assert (log_mel(np.zeros(N_SAMPLES, np.int16)) == -100.0).all()


def test_power_is_clamped_at_1e_10_and_nowhere_above(isa: str) -> None:
    # a sine whose strongest mel power is moved across the floor by its amplitude alone
    sine = SIGNALS["sine"].astype(np.float64)
    _, power = reference_log_mel(sine)
    for strongest, expected_db in ((0.5e-10, -100.0), (2e-10, -96.98970)):
        quiet = (sine * np.sqrt(strongest / power.max())).astype(np.float32)
        assert log_mel(quiet).max() == pytest.approx(expected_db, abs=2e-3)


def test_int16_is_divided_by_32768(isa: str) -> None:
    samples = np.random.default_rng(3).integers(-32768, 32767, N_SAMPLES, np.int16, endpoint=True)
    assert np.array_equal(log_mel(samples), log_mel(samples.astype(np.float32) / np.float32(32768.0)))
    reference, _ = reference_log_mel(samples / 32768.0)
    assert np.abs(log_mel(samples) - reference).max() <= 1e-4  # 32767 would be 2.7e-4 dB off


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_threads_and_batches_change_no_bit(isa: str, dtype: type) -> None:
    rng = np.random.default_rng(4)
    batch: npt.NDArray[Any] = (
        rng.uniform(-3000, 3000, (7, N_SAMPLES)) / (1 if dtype is np.int16 else 32768)
    ).astype(dtype)
    one_by_one = np.stack([log_mel(clip, threads=1) for clip in batch])
    for threads in (1, 2, 7):
        assert np.array_equal(log_mel(batch, threads=threads), one_by_one)


def test_many_callers_at_once_get_their_own_results() -> None:
    batches = np.random.default_rng(5).uniform(-1, 1, (8, 2, N_SAMPLES)).astype(np.float32)
    expected = [log_mel(batch, threads=1) for batch in batches]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            results = pool.map(lambda batch: log_mel(batch, threads=3), batches)
            assert all(np.array_equal(a, b) for a, b in zip(results, expected, strict=True))


def test_a_forked_child_gets_a_pool_of_its_own() -> None:
    program = """
import os, sys, numpy as np
from osscl.frontend import log_mel
x = np.random.default_rng(6).uniform(-1, 1, (4, 160000)).astype(np.float32)
before = log_mel(x, threads=3)
child = os.fork()
if child == 0:
    os._exit(0 if np.array_equal(log_mel(x, threads=3), before) else 1)
status = os.waitpid(child, 0)[1]
assert np.array_equal(log_mel(x, threads=3), before)
sys.exit(os.waitstatus_to_exitcode(status))
"""
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", program], timeout=300).returncode == 0


def test_one_thread_starts_none() -> None:
    program = """
import os, numpy as np
from osscl.frontend import log_mel
before = len(os.listdir("/proc/self/task"))
log_mel(np.zeros((4, 160000), np.int16), threads=1)
assert len(os.listdir("/proc/self/task")) == before
log_mel(np.zeros((4, 160000), np.int16), threads=3)
assert len(os.listdir("/proc/self/task")) == before + 2
"""
    if not Path("/proc/self/task").is_dir():
        pytest.skip("threads are counted through /proc, which this system lacks")
    subprocess.run([sys.executable, "-c", program], check=True, timeout=300)


def test_idle_threads_use_no_processor() -> None:
    program = """
import os, numpy as np
from osscl.frontend import log_mel
clips = np.zeros((4, 160000), np.int16)

def threads():
    # of each thread but this one: whether it sleeps, and how often it was taken off a processor
    found = {}
    for thread in set(os.listdir("/proc/self/task")) - others:
        with open(f"/proc/self/task/{thread}/status") as file:
            lines = {line.partition(":")[0]: line.partition(":")[2].strip() for line in file}
        switches = [lines[f"{kind}_ctxt_switches"] for kind in ("voluntary", "nonvoluntary")]
        found[thread] = lines["State"][0], *switches
    return found

others = set(os.listdir("/proc/self/task"))
log_mel(clips, threads=3)
assert len(threads()) == 2
while True:  # they watch for more work for a moment; if they never slept, this would never end
    before = threads()
    log_mel(clips, threads=1)
    after = threads()
    if before == after and {state for state, *_ in after.values()} == {"S"}:
        break
"""
    if not Path("/proc/self/task").is_dir():
        pytest.skip("threads are watched through /proc, which this system lacks")
    subprocess.run([sys.executable, "-c", program], check=True, timeout=300)


def test_result_is_written_into_the_callers_array() -> None:
    out = np.full((2, 3, 128, 32), np.nan, np.float32)
    waveforms = np.random.default_rng(7).uniform(-1, 1, (2, 3, 16_000))
    assert log_mel(waveforms, out=out) is out
    assert np.array_equal(out[1, 2], log_mel(waveforms[1, 2]))


@pytest.mark.parametrize("dtype", [">i2", "<i2", ">f2", ">f4", "<f4", ">f8", "<f8"])
def test_samples_in_any_byte_order_are_the_same_sound(dtype: str) -> None:
    samples = np.random.default_rng(3).integers(-9, 9, (2, 16_000)).astype(np.int16)
    expected = log_mel(samples)
    waveforms = samples if dtype[1] == "i" else samples / 32768  # few enough bits for any float
    for foreign in (waveforms.astype(dtype), np.asfortranarray(waveforms.astype(dtype))):
        assert np.array_equal(log_mel(foreign), expected)
    lists = waveforms.astype(np.float64) / (32768 if dtype[1] == "i" else 1)
    assert np.array_equal(log_mel(lists.tolist()), expected)


def test_an_empty_batch_gives_an_empty_result() -> None:
    assert log_mel(np.zeros((0, N_SAMPLES), np.float32)).shape == (0, 128, 313)


def test_other_settings_are_computed_as_asked(isa: str) -> None:
    waveform = SIGNALS["white noise"]
    default = log_mel(waveform)
    # frames twice as far apart are every second frame; a floor at 0 dB cuts there and nowhere else
    assert np.array_equal(log_mel(waveform, FrontendConfig(hop_length=1024)), default[:, ::2])
    assert np.array_equal(log_mel(waveform, FrontendConfig(power_floor=1.0)), np.maximum(default, 0.0))
    assert log_mel(waveform, FrontendConfig(n_mels=40, hop_length=256)).shape == (40, 626)


@pytest.mark.parametrize(
    ("waveforms", "message"),
    [
        (np.zeros(N_SAMPLES, np.int32), "dtype int32; expected int16, or float"),
        (np.float32(0.5), "single number"),
        (np.full(N_SAMPLES, np.nan, np.float32), "NaN or infinity"),
        (np.full(N_SAMPLES, -np.inf, np.float32), "NaN or infinity"),
        (np.full(N_SAMPLES, -9.0), "magnitude of 9"),
        (np.full(N_SAMPLES, 1000.0), "divide integers stored as float"),
        (np.full(N_SAMPLES, 1e300), "NaN or infinity"),
        (np.zeros(N_SAMPLES, ">u2"), "dtype >u2; expected int16, or float"),
        (np.ma.masked_array(np.zeros(N_SAMPLES), np.arange(N_SAMPLES) < 9), "masked array.*filled"),
        ([np.ma.masked_array(np.zeros(N_SAMPLES, np.int16))], "masked array"),
        ([[0.0, 0.1], [0.2]], "no array: .*; expected numbers, and as many in each row"),
        ([np.zeros(5), np.zeros(6)], "no array: .*; expected numbers, and as many in each row"),
        ([], r"shape \[0\]; expected at least one sample"),
        (np.zeros(0, np.int16), r"shape \[0\]; expected at least one sample"),
        (np.zeros((3, 0), np.float32), r"shape \[3, 0\]; expected at least one sample"),
        (None, "dtype object; expected int16, or float"),
        ("sound.wav", "dtype <U9; expected int16, or float"),
    ],
)
def test_unusable_samples_are_refused(waveforms: Waveforms, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        log_mel(waveforms)
    assert ". " not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "out",
    [
        np.empty((128, 313), np.float64),
        np.empty((128, 312), np.float32),
        np.empty((313, 128), np.float32).T,
        np.broadcast_to(np.float32(0), (128, 313)),
    ],
)
def test_an_unusable_output_array_is_refused(out: Float32) -> None:
    with pytest.raises(InputError, match="expected a writeable, C-contiguous float32 array"):
        log_mel(np.zeros(N_SAMPLES, np.int16), out=out)


@pytest.mark.parametrize("threads", [0, -1, 2.5, "3", True, math.nan, 10**12])
@pytest.mark.parametrize("n_clips", [0, 1])
def test_what_is_no_number_of_threads_is_refused(threads: Any, n_clips: int) -> None:
    with pytest.raises(ConfigError, match=f"^threads is {threads!r}; "):
        log_mel(np.zeros((n_clips, N_SAMPLES), np.int16), threads=threads)


def test_what_are_no_settings_is_refused() -> None:
    with pytest.raises(ConfigError, match="config is of type dict; expected a FrontendConfig"):
        log_mel(np.zeros(N_SAMPLES, np.int16), {})  # type: ignore[arg-type]


def test_an_instruction_set_that_the_processor_lacks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(frontend.ISA_VARIABLE, "avx1024")
    with pytest.raises(ConfigError, match="OSSCL_ISA=avx1024: instruction set 'avx1024' is not"):
        log_mel(np.zeros(N_SAMPLES, np.int16))


@pytest.mark.parametrize(
    "settings",
    [
        {"n_fft": 1024},
        {"hop_length": 500},
        {"hop_length": 0},
        {"n_mels": 0},
        {"n_mels": 2000},
        {"f_max_hz": 9000.0},
        {"f_min_hz": 8000.0},
        {"power_floor": 0.0},
        {"power_floor": 1e39},
        {"power_floor": float(np.nextafter(np.finfo(np.float32).max, np.inf, dtype=np.float64))},
        {"sample_rate_hz": 0},
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        FrontendConfig(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("algorithm", "osscl.log_mel/2", "one of: osscl.log_mel/1"),
        ("sample_rate_hz", 16_000.0, "a whole number"),
        ("n_fft", "2048", "a whole number"),
        ("hop_length", None, "a whole number"),
        ("n_mels", True, "a whole number"),
        ("n_mels", 64.5, "a whole number"),
        ("f_min_hz", "0", "a number"),
        ("f_max_hz", [8000.0], "a number"),
        ("power_floor", True, "a number"),
    ],
)
def test_settings_of_a_wrong_type_are_refused(name: str, value: object, expected: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        FrontendConfig(**{name: value})  # type: ignore[arg-type]
    assert str(refusal.value) == f"{name} is {value!r}; expected {expected}"


def test_equal_settings_have_one_hash() -> None:
    config = FrontendConfig(f_min_hz=-0.0, f_max_hz=8000)
    assert config == FrontendConfig()
    assert config.sha256 == FrontendConfig().sha256
    assert math.copysign(1.0, config.f_min_hz) == 1.0


def test_the_native_module_refuses_a_floor_beyond_float32() -> None:
    settings = msgspec.structs.asdict(FrontendConfig()) | {"power_floor": 1e39, "instruction_set": ""}
    settings = {name: value for name, value in settings.items() if name not in ("algorithm", "n_fft")}
    with pytest.raises(ValueError, match="power_floor must be a normal float32"):
        _native.LogMel(**settings)


def test_the_settings_hash_is_pinned_and_sees_every_setting() -> None:
    config = FrontendConfig()
    # stands in every exported file: when it changes, all of them are refused
    assert config.sha256 == "09599b7e97cef4afbd3f8213c13fc106816329963731e73ae4d9a21491034f43"
    others = [
        FrontendConfig(sample_rate_hz=16_001),
        FrontendConfig(hop_length=256),
        FrontendConfig(n_mels=127),
        FrontendConfig(f_min_hz=1.0),
        FrontendConfig(f_max_hz=7999.0),
        FrontendConfig(power_floor=1e-9),
    ]
    assert len({config.sha256, *(other.sha256 for other in others)}) == 7


def test_the_native_module_refuses_wrong_sizes() -> None:
    plan = _native.LogMel(
        sample_rate_hz=16_000,
        hop_length=512,
        n_mels=128,
        f_min_hz=0.0,
        f_max_hz=8000.0,
        power_floor=1e-10,
        instruction_set="",
    )
    samples = np.zeros((1, N_SAMPLES), np.int16)
    with pytest.raises(ValueError, match="log_mel must be"):
        plan.transform(samples, np.empty((1, 128, 312), np.float32), 1)
    with pytest.raises(ValueError, match="samples must be a C-contiguous"):
        plan.transform(samples[0], np.empty((1, 128, 313), np.float32), 1)
    with pytest.raises(ValueError, match="int16 or float32"):
        plan.transform(samples.astype(np.int64), np.empty((1, 128, 313), np.float32), 1)  # type: ignore[arg-type]
