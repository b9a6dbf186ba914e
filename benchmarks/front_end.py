"""Times the log-mel front end beside torch.stft, librosa, SciPy and Kaldi's, all in one process.

usage: python benchmarks/front_end.py [--rounds 10] [--json FILE]

Contenders take turns in a shuffled order; the table holds medians. Ours takes int16 clips, as a folder
run hands them over; the others take the same clips as float32, converted beforehand. What claims to be
the same transform is first shown to give the same numbers. Peers that are not installed are left out.
"""

import os

# before any import that reads them: the peers' own threads would otherwise take every processor
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import argparse
import importlib
import importlib.metadata
import json
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from osscl import _native, frontend
from osscl.config import FRONTEND

Clips = npt.NDArray[np.generic]
BATCHES = (1, 8, 32)
CALLS_PER_TURN = 3
PAUSE_S = 0.005


@dataclass(frozen=True)
class Contender:
    """One way to compute log-mels, and how to call it."""

    name: str
    log_mel: Callable[[Clips], Any]
    dtype: type = np.float32
    isa: str = ""
    threads: int = 1
    pause_s: float = 0.0
    same_transform: bool = True


def ours() -> list[Contender]:
    """Each instruction set with one thread and two; the fastest also with its second thread asleep."""

    def with_threads(threads: int) -> Callable[[Clips], Any]:
        outputs = {size: np.empty((size, FRONTEND.n_mels, 313), np.float32) for size in BATCHES}
        return lambda clips: frontend.log_mel(clips, out=outputs[len(clips)], threads=threads)

    names = {1: "1 thread", 2: "2 threads"}
    contenders = [
        Contender(f"osscl {isa}, {names[threads]}", with_threads(threads), np.int16, isa, threads)
        for isa in reversed(_native.instruction_sets())
        for threads in (1, 2)
    ]
    fastest = contenders[0].isa
    asleep = f"osscl {fastest}, 2 threads, {1000 * PAUSE_S:.0f} ms apart"
    return [*contenders, Contender(asleep, with_threads(2), np.int16, fastest, 2, PAUSE_S)]


def torch_stft(torch: Any) -> Contender:
    """The published front end: torch.stft, power, matrix product with the filters, log10."""
    torch.set_num_threads(1)
    window, filters = (torch.from_numpy(table) for table in frontend.tables())

    def log_mel(clips: Clips) -> Any:
        spectrum = torch.stft(
            torch.from_numpy(clips), 2048, FRONTEND.hop_length, window=window, pad_mode="constant",
            return_complex=True,
        )  # fmt: skip
        power = spectrum.real.square() + spectrum.imag.square()
        return 10.0 * (filters @ power).clamp(min=FRONTEND.power_floor).log10()

    return Contender("torch.stft", torch.inference_mode()(log_mel))


def librosa_melspectrogram(librosa: Any) -> Contender:
    """As librosa's users write it."""

    def log_mel(clips: Clips) -> Any:
        mel_power = librosa.feature.melspectrogram(
            y=clips, sr=FRONTEND.sample_rate_hz, n_fft=2048, hop_length=FRONTEND.hop_length,
            n_mels=FRONTEND.n_mels, pad_mode="constant", htk=False, norm="slaney",
        )  # fmt: skip
        return librosa.power_to_db(mel_power, amin=FRONTEND.power_floor, top_db=None)

    return Contender("librosa", log_mel)


def scipy_rfft(fft: Any) -> Contender:
    """scipy.fft.rfft over a strided view of the frames, matrix product with the filters, log10."""
    window, filters = frontend.tables()

    def log_mel(clips: Clips) -> Any:
        padded = np.pad(clips, ((0, 0), (1024, 1024)))
        frames = np.lib.stride_tricks.sliding_window_view(padded, 2048, axis=1)[:, :: FRONTEND.hop_length]
        spectrum = fft.rfft(frames * window, axis=-1, overwrite_x=True, workers=1)
        power = spectrum.real**2 + spectrum.imag**2  # [clips, frames, bins]
        mel_power = filters @ power.transpose(0, 2, 1)
        return 10.0 * np.log10(np.maximum(mel_power, FRONTEND.power_floor))

    return Contender("scipy.fft.rfft", log_mel)


def kaldi_fbank(kaldi: Any) -> Contender:
    """The nearest that Kaldi's filter bank comes: as many frames, bins and filters."""
    options = kaldi.FbankOptions()
    options.frame_opts.frame_length_ms, options.frame_opts.frame_shift_ms = 128.0, 32.0
    options.frame_opts.dither = options.frame_opts.preemph_coeff = 0.0
    options.frame_opts.window_type, options.frame_opts.remove_dc_offset = "hanning", False
    options.frame_opts.snip_edges = False
    options.mel_opts.num_bins, options.mel_opts.low_freq, options.mel_opts.high_freq = 128, 0.0, 8000.0

    def log_mel(clips: Clips) -> Any:
        results = []
        for clip in clips:
            bank = kaldi.OnlineFbank(options)
            bank.accept_waveform(FRONTEND.sample_rate_hz, clip)
            results.append(np.stack([bank.get_frame(i) for i in range(bank.num_frames_ready)]))
        return results

    return Contender("kaldi_native_fbank (*)", log_mel, same_transform=False)


PEERS: dict[str, Callable[[Any], Contender]] = {
    "torch": torch_stft,
    "librosa": librosa_melspectrogram,
    "scipy.fft": scipy_rfft,
    "kaldi_native_fbank": kaldi_fbank,
}


def installed_peers() -> tuple[list[Contender], dict[str, str | None]]:
    """The peers that can be imported, and the version of each, None where it is missing."""
    peers: list[Contender] = []
    versions: dict[str, str | None] = {}
    for module, contender in PEERS.items():
        package = module.partition(".")[0]
        try:
            peers.append(contender(importlib.import_module(module)))
            versions[package] = importlib.metadata.version(package.replace("_", "-"))
        except ModuleNotFoundError:
            versions[package] = None
            print(f"{package} is not installed and left out")
    return peers, versions


def assert_same_numbers(peers: list[Contender], clips: Clips) -> None:
    """Within 1e-2 dB of ours wherever that lies within 60 dB of the peak."""
    expected = frontend.log_mel(clips)
    loud = expected > expected.max() - 60.0
    for peer in peers:
        if peer.same_transform:
            error = np.abs(np.asarray(peer.log_mel(clips)) - expected)[loud].max()
            assert error <= 1e-2, f"{peer.name} differs by {error:.2g} dB"


def turn(contender: Contender, clips: Clips) -> list[float]:
    """Milliseconds a clip of a few calls in a row, after one that is not counted."""
    os.environ[frontend.ISA_VARIABLE] = contender.isa
    contender.log_mel(clips)
    ms = []
    for _ in range(CALLS_PER_TURN):
        if contender.pause_s:
            time.sleep(contender.pause_s)
        start = time.perf_counter()
        contender.log_mel(clips)
        ms.append(1000.0 * (time.perf_counter() - start) / len(clips))
    return ms


def measure(contenders: list[Contender], rounds: int) -> dict[tuple[str, int], list[float]]:
    """Every contender at every batch size, in a new order each round."""
    int16 = np.random.default_rng(0).integers(-3000, 3000, (max(BATCHES), 160_000), np.int16)
    clips: dict[type, Clips] = {np.int16: int16, np.float32: (int16 / 32768.0).astype(np.float32)}
    assert_same_numbers(contenders, clips[np.float32][: BATCHES[1]])
    cells = [(contender, size) for contender in contenders for size in BATCHES]
    times: dict[tuple[str, int], list[float]] = {(c.name, size): [] for c, size in cells}
    for _ in range(rounds):
        random.shuffle(cells)
        for contender, size in cells:
            times[contender.name, size] += turn(contender, clips[contender.dtype][:size])
    return times


def print_table(contenders: list[Contender], medians: dict[tuple[str, int], float]) -> None:
    """Milliseconds a clip, and how many times that of ours on one thread."""
    reference = contenders[0].name
    print(
        f"\n{'ms a clip (times ours on one thread)':44}"
        + "".join(f"{f'batch {size}':>18}" for size in BATCHES)
    )
    for contender in contenders:
        row = f"{contender.name:44}"
        for size in BATCHES:
            ms = medians[contender.name, size]
            row += f"{f'{ms:.3f} ({ms / medians[reference, size]:.2f})':>18}"
        print(row)
    gains = (medians[reference, size] / medians[contenders[1].name, size] for size in BATCHES)
    print(f"{'gain by the second thread':44}" + "".join(f"{f'{gain:.2f} x':>18}" for gain in gains))
    print("(*) not the same transform: another mel scale, natural logarithm, frames not centred with zeros")


def main() -> None:
    """Measure, print the table and write the document that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    peers, versions = installed_peers()
    contenders = ours() + peers
    times = measure(contenders, arguments.rounds)
    medians = {cell: statistics.median(ms) for cell, ms in times.items()}
    print_table(contenders, medians)
    if arguments.json:
        cpuinfo = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").is_file() else []
        document = {
            "processor": next((line[13:] for line in cpuinfo if line.startswith("model name")), ""),
            "versions": {"osscl": importlib.metadata.version("osscl"), "numpy": np.__version__, **versions},
            "calls": CALLS_PER_TURN * arguments.rounds,
            "ms_per_clip": [
                {"name": name, "batch": size, "median": medians[name, size], "fastest": min(ms)}
                for (name, size), ms in times.items()
            ],
        }
        arguments.json.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
