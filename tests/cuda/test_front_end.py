"""The CUDA front end, its kernels compiled for the host, against float64 arithmetic and the CPU front end."""

import ctypes
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from osscl import _native
from osscl.config import FRONTEND, FrontendConfig
from osscl.cuda import front_end
from osscl.cuda.device import Device, Memory, Stream
from osscl.cuda.devices import count_devices, open_device
from osscl.cuda.front_end import CudaFrontEnd
from osscl.errors import ConfigError
from osscl.frontend import log_mel
from osscl.model_file.golden import golden_clips
from support.host_kernels import REPOSITORY, HostKernels, compile_host_kernels, host_kernels
from support.reference import Reference
from support.reference_log_mel import assert_within_bounds, reference_log_mel
from support.signals import N_SAMPLES, signals
from support.standin_gpu import standin_driver

Float32 = npt.NDArray[np.float32]

SIGNALS = signals()
GUARD_BYTES = 4096
# shorter than a window, edges of blocks of four frames, an odd number of frames, a whole number of hops
LENGTHS = [2, 510, 512, 2046, 2048, 8190, 16_000, 16_384]


@pytest.fixture
def kernels() -> HostKernels:
    """The kernels, compiled for the host."""
    if front_end.reason_without() is not None:
        pytest.skip(f"no CUDA front end: {front_end.reason_without()}")
    return host_kernels()


@pytest.fixture(autouse=True)
def card() -> Iterator[Device]:
    """A card of the stand-in driver, active."""
    standin_driver().reset()
    count_devices()
    with closing(open_device(0)) as device, device.active():
        yield device


def open_front_end(kernels: HostKernels, settings: FrontendConfig, n_samples: int) -> CudaFrontEnd:
    """The front end, whose kernels are those of a host build."""
    standin_driver().add_front_end(kernels)
    code = front_end.front_end_code()
    assert code is not None
    return CudaFrontEnd(code, settings, n_samples)


def download(memory: Memory, shape: tuple[int, ...]) -> Float32:
    """Floats at the start of a memory, nothing written behind them."""
    n_bytes = 4 * int(np.prod(shape))
    everything = np.frombuffer(ctypes.string_at(memory.address, n_bytes + GUARD_BYTES), np.uint8)
    assert (everything[n_bytes:] == 0xFF).all()
    return everything[:n_bytes].view(np.float32).reshape(shape)


def run(
    kernels: HostKernels,
    clips: npt.NDArray[Any],
    settings: FrontendConfig = FRONTEND,
    order: int = 0,
    with_waveform: bool = True,
) -> tuple[Float32, Float32]:
    """Log-mel and waveform of clips [n_clips, n_samples]."""
    kernels.set_thread_order(order)
    n_clips, n_samples = clips.shape
    shape = (n_clips, settings.n_mels, settings.n_frames(n_samples))
    with ExitStack() as opened:

        def memory(n_bytes: int) -> Memory:
            return opened.enter_context(closing(Memory(n_bytes)))

        cuda = opened.enter_context(closing(open_front_end(kernels, settings, n_samples)))
        stream = opened.enter_context(closing(Stream()))
        samples, waveform = memory(clips.nbytes), memory(4 * clips.size + GUARD_BYTES)
        log_mels = memory(4 * int(np.prod(shape)) + GUARD_BYTES)
        for output, n_bytes in ((waveform, 4 * clips.size), (log_mels, 4 * int(np.prod(shape)))):
            stream.copy_in(output.address, np.full(n_bytes + GUARD_BYTES, 0xFF, np.uint8))
        stream.copy_in(samples.address, clips)
        cuda.enqueue(
            samples.address,
            clips.dtype,
            n_clips,
            waveform=waveform.address if with_waveform else 0,
            log_mel=log_mels.address,
            stream=stream,
        )
        stream.synchronize()
        return download(log_mels, shape), download(waveform, clips.shape if with_waveform else (0,))


def assert_equals_reference(got: Float32, waveform: npt.NDArray[np.floating]) -> None:
    reference, _ = reference_log_mel(waveform)
    assert_within_bounds(got, reference, float(reference.max()))


@pytest.mark.parametrize("name", SIGNALS)
def test_signals_equal_float64_arithmetic(kernels: HostKernels, name: str) -> None:
    got, waveform = run(kernels, SIGNALS[name][np.newaxis])
    assert_equals_reference(got[0], SIGNALS[name])
    assert np.array_equal(waveform[0], SIGNALS[name])


def test_golden_clips_equal_float64_arithmetic_and_the_cpu(kernels: HostKernels) -> None:
    clips = golden_clips(5)
    got, waveform = run(kernels, clips)
    assert np.array_equal(waveform, clips / np.float32(32768.0))
    for clip, clip_log_mel in zip(clips, got, strict=True):
        assert_equals_reference(clip_log_mel, clip / 32768.0)
        cpu = log_mel(clip)
        assert_within_bounds(clip_log_mel, cpu, float(cpu.max()))


def test_recordings_equal_float64_arithmetic(kernels: HostKernels, reference: Reference) -> None:
    clips = np.stack([soundfile.read(path, dtype="int16")[0][:N_SAMPLES] for path in reference.clips])
    got, _ = run(kernels, clips)
    for clip, clip_log_mel in zip(clips, got, strict=True):
        assert_equals_reference(clip_log_mel, clip / 32768.0)


@pytest.mark.parametrize("n_samples", LENGTHS)
def test_any_even_length_equals_float64_arithmetic(kernels: HostKernels, n_samples: int) -> None:
    clip = np.random.default_rng(n_samples).uniform(-0.5, 0.5, n_samples).astype(np.float32)
    got, waveform = run(kernels, clip[np.newaxis])
    assert_equals_reference(got[0], clip)
    assert np.array_equal(waveform[0], clip)


def test_silence_lies_exactly_on_the_floor(kernels: HostKernels) -> None:
    got, _ = run(kernels, np.zeros((1, 16_000), np.int16))
    assert (got == -100.0).all()


def test_int16_is_divided_by_32768(kernels: HostKernels) -> None:
    rng = np.random.default_rng(3)
    clips = rng.integers(-32768, 32767, (2, 16_000), np.int16, endpoint=True)
    clips[1] = np.where(np.arange(16_000) // 80 % 2, 32767, -32768)
    got, waveform = run(kernels, clips)
    as_float, _ = run(kernels, clips / np.float32(32768.0))
    assert np.array_equal(got, as_float)
    assert np.array_equal(waveform, clips / np.float32(32768.0))
    reference, _ = reference_log_mel(clips[0] / 32768.0)
    assert np.abs(got[0] - reference).max() <= 1e-4  # 32767 would be 2.7e-4 dB off


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_batches_change_no_bit(kernels: HostKernels, dtype: type) -> None:
    clips = np.random.default_rng(4).uniform(-3000, 3000, (5, 16_000)) / (1 if dtype is np.int16 else 32768)
    clips = clips.astype(dtype)
    one_by_one = np.concatenate([run(kernels, clip[np.newaxis])[0] for clip in clips])
    assert np.array_equal(run(kernels, clips)[0], one_by_one)


def test_a_waveform_that_is_not_wanted_is_left_out(kernels: HostKernels) -> None:
    clips = golden_clips(1)[:, :16_000].copy()
    got, _ = run(kernels, clips, with_waveform=False)  # which sees that nothing was written
    assert np.array_equal(got, run(kernels, clips)[0])


@pytest.mark.parametrize(
    "settings",
    [
        FrontendConfig(hop_length=4),
        FrontendConfig(hop_length=256, n_mels=40),
        FrontendConfig(hop_length=1024, f_min_hz=50.0),
        FrontendConfig(hop_length=2048, n_mels=200, f_max_hz=7000.0),
        FrontendConfig(power_floor=1.0),
    ],
)
def test_other_settings_are_computed_as_asked(kernels: HostKernels, settings: FrontendConfig) -> None:
    clips = golden_clips(1)[:, :6000].copy()
    got, waveform = run(kernels, clips, settings)
    np.testing.assert_allclose(got, log_mel(clips, settings), rtol=0.0, atol=1e-3)
    assert np.array_equal(waveform, clips / np.float32(32768.0))


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_the_order_of_the_threads_changes_no_bit(kernels: HostKernels, order: int) -> None:
    clips = golden_clips(1)[:, :6000].copy()
    forwards = run(kernels, clips)
    other = run(kernels, clips, order=order)
    assert all(np.array_equal(a, b) for a, b in zip(forwards, other, strict=True))


def without_barrier(source: str, number: int) -> str:
    """The source without one of its barriers."""
    barriers = list(re.finditer(r"__sync\w+\(\);", source))
    start, end = barriers[number].span()
    return source[:start] + source[end:]


@pytest.mark.parametrize("number", range(5))
def test_each_barrier_is_needed_and_missed(kernels: HostKernels, tmp_path: Path, number: int) -> None:
    shutil.copytree(REPOSITORY / "csrc", tmp_path / "csrc")
    source = tmp_path / "csrc" / "cuda" / "logmel.cu"
    assert len(re.findall(r"__sync\w+\(\);", source.read_text())) == 5
    source.write_text(without_barrier(source.read_text(), number))
    broken = HostKernels(compile_host_kernels(tmp_path, tmp_path / "csrc"))
    clips = golden_clips(1)[:, :2048].copy()
    expected, _ = run(kernels, clips)
    assert not all(np.array_equal(run(broken, clips, order=order)[0], expected) for order in range(4))


def test_the_tables_memory_is_given_back(kernels: HostKernels) -> None:
    cuda = open_front_end(kernels, FRONTEND, N_SAMPLES)
    assert standin_driver().memory_used() > 0
    cuda.close()
    assert standin_driver().memory_used() == 0


@pytest.mark.parametrize("n_samples", [0, 1, 15_999])
def test_an_odd_number_of_samples_is_refused(kernels: HostKernels, n_samples: int) -> None:
    with pytest.raises(ConfigError, match=f"a clip has {n_samples} samples; .* an even number"):
        open_front_end(kernels, FRONTEND, n_samples)


def test_it_can_be_switched_off(kernels: HostKernels, monkeypatch: pytest.MonkeyPatch) -> None:
    assert front_end.reason_without() is None
    monkeypatch.setenv(front_end.VARIABLE, "off")
    assert front_end.front_end_code() is None
    assert front_end.reason_without() == "OSSCL_CUDA is off"


def test_a_build_without_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(front_end.VARIABLE, raising=False)
    monkeypatch.setattr(_native, "__file__", str(tmp_path / "_native.so"))
    assert front_end.front_end_code() is None
    assert front_end.reason_without() == "this build of osscl was made without it"


def test_an_unknown_word_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(front_end.VARIABLE, "no")
    with pytest.raises(ConfigError, match="OSSCL_CUDA is 'no'; it must be on or off"):
        front_end.front_end_code()
