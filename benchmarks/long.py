"""A recording of hours, window by window: peak memory, windows against the cuts, rate against a folder.

    python benchmarks/long.py --hours 10 --folder /tmp/long [--model demo] [--machine blower/id_00] [--hop 10]

Makes one recording of noise in each format, in blocks (WAV as RF64), scores each in a process of its own,
and looks at its peak of memory. Then windows at random places are cut into files and scored by themselves:
score for score, bit by bit. Last, the rate: an hour as one recording, and the same clips as a folder, in turn
and shuffled; what counts is the ratio of the medians. By memory with an enrolled model, by network with demo.
"""

import argparse
import csv
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

import osscl

RATE_HZ, CLIP_S = 16_000, 10
BLOCK_S = 60


def blocks(seconds: int, rate_hz: int, seed: int) -> Iterator[np.ndarray]:
    """Noise whose level drifts, a minute at a time."""
    rng = np.random.default_rng(seed)
    for start in range(0, seconds, BLOCK_S):
        length = min(BLOCK_S, seconds - start) * rate_hz
        level = 1500 * (1 + 0.5 * np.sin(start / 600))
        yield np.clip(rng.standard_normal(length, np.float32) * level, -32767, 32767).astype(np.int16)


def write(path: Path, seconds: int, rate_hz: int = RATE_HZ, n_channels: int = 1) -> Path:
    """Write a recording, unless it is there."""
    kind = {".wav": "RF64", ".flac": "FLAC"}[path.suffix]
    if not path.exists():
        with soundfile.SoundFile(path, "w", rate_hz, n_channels, "PCM_16", format=kind) as file:
            for block in blocks(seconds, rate_hz, 1):
                file.write(block if n_channels == 1 else np.stack([block] * n_channels, axis=1))
    return path


def scored(
    model: str, target: Path, machine: str, hop_s: float, output: Path, *options: str
) -> tuple[float, float]:
    """Score by the console program in a process of its own: seconds, and MB of memory at its peak."""
    program = [sys.executable, "-c", _PROGRAM, str(output.with_suffix(".peak"))]
    hop = [] if hop_s == 0 else ["--hop", str(hop_s)]
    asked = [
        "score",
        model,
        str(target),
        "--machine",
        machine,
        "-o",
        str(output),
        "--overwrite",
        *hop,
        *options,
    ]
    began = time.perf_counter()
    done = subprocess.run([*program, *asked], capture_output=True, text=True, check=False)
    took = time.perf_counter() - began
    if done.returncode:
        sys.exit(done.stderr)
    return took, float(output.with_suffix(".peak").read_text())


_PROGRAM = """
import resource, sys
from pathlib import Path
from osscl.cli import main
peak = Path(sys.argv.pop(1))
try:
    main()
finally:
    peak.write_text(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))
"""


def rows(table: Path) -> list[dict[str, str]]:
    """Lines of a table."""
    with table.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def check_cuts(arguments: argparse.Namespace, recording: Path, table: Path, n_cuts: int) -> int:
    """Score random windows by themselves: how many of them differ, in score or in any other column."""
    windows = [row for row in rows(table) if row["scope"] == "window"]
    chosen = random.Random(1).sample(windows, min(n_cuts, len(windows)))
    folder = arguments.folder / "cuts"
    folder.mkdir(exist_ok=True)
    n_different = 0
    with osscl.load(arguments.model, "cpu", rule=arguments.rule) as detector:
        for row in chosen:
            info = soundfile.info(recording)
            start = round(float(row["start_s"]) * info.samplerate)
            samples, _ = soundfile.read(recording, CLIP_S * info.samplerate, start, dtype="int16")
            soundfile.write(folder / "cut.wav", samples, info.samplerate)
            [alone] = detector.score_files([folder / "cut.wav"], arguments.machine)
            n_different += str(alone.score) != row["score"] or (alone.quality or "") != row["quality"]
    return n_different


def compare_rate(arguments: argparse.Namespace, n_rounds: int) -> None:
    """One recording of an hour, against its clips as files of a folder."""
    n_clips = 360
    long = write(arguments.folder / "hour.wav", n_clips * CLIP_S)
    clips = arguments.folder / "clips"
    clips.mkdir(exist_ok=True)
    for number, (samples) in enumerate(soundfile.blocks(long, CLIP_S * RATE_HZ, dtype="int16")):
        soundfile.write(clips / f"{number:04}.wav", samples, RATE_HZ)
    took: dict[str, list[float]] = {"windows": [], "folder": []}
    for _ in range(n_rounds):
        for which in random.sample(list(took), 2):
            target, hop_s = (long, CLIP_S) if which == "windows" else (clips, 0)
            output = arguments.folder / f"{which}.csv"
            rule = [] if arguments.rule is None else ["--rule", arguments.rule]
            seconds, _ = scored(arguments.model, target, arguments.machine, hop_s, output, *rule)
            took[which].append(seconds)
    windows, folder = (statistics.median(took[which]) for which in ("windows", "folder"))
    print(
        f"rate of {n_clips} clips, {n_rounds} rounds: windows {n_clips / windows:.1f} clips/s, folder "
        f"{n_clips / folder:.1f} clips/s, ratio {folder / windows:.3f}"
    )


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=10)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--model", default="demo")
    parser.add_argument("--machine", default="blower/id_00")
    parser.add_argument("--rule", default=None)
    parser.add_argument("--hop", type=float, default=10)
    parser.add_argument("--cuts", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    seconds = round(arguments.hours * 3600)
    makers = {
        "16 kHz WAV": ("long.wav", RATE_HZ, 1, []),
        "16 kHz FLAC": ("long.flac", RATE_HZ, 1, []),
        "48 kHz stereo WAV, resampled": ("long48.wav", 48_000, 2, ["--resample", "--channel", "0"]),
    }
    rule = [] if arguments.rule is None else ["--rule", arguments.rule]
    for name, (file, rate_hz, n_channels, options) in makers.items():
        recording = write(arguments.folder / file, seconds, rate_hz, n_channels)
        output = arguments.folder / f"{file}.csv"
        took, peak = scored(
            arguments.model, recording, arguments.machine, arguments.hop, output, *options, *rule
        )
        n_windows = sum(row["scope"] == "window" for row in rows(output))
        size = recording.stat().st_size / 2**30
        said = ""
        if not options:
            n_different = check_cuts(arguments, recording, output, arguments.cuts)
            said = f"; {n_different} of {arguments.cuts} cuts differ"
        print(
            f"{name}: {size:.2f} GiB, {n_windows} windows in {took:.0f} s, peak {peak:.0f} MB{said}",
            flush=True,
        )
    compare_rate(arguments, arguments.rounds)
    print(f"peak of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
