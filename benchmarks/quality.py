"""Defects laid into good recordings, and how many are found; how many good recordings are flagged.

    osscl synth easy1 --machines 12 --train 1200 --seed 101
    osscl synth hard1 --hard --machines 12 --train 800 --seed 102
    osscl synth faults1 --machines 12 --anomalous 480 --seed 103
    python benchmarks/quality.py --good easy1 hard1 --faults faults1 --real ../shared/data

Of each machine of a good set, the first N normals (30 by default) are those that others are held against; the
others are held against them, as they are and with each defect. Bounds were chosen on seeds 101 and 102.
"""

import argparse
import collections
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from osscl.audio.doubts import BY_FIXED_BOUNDS, Doubter
from osscl.audio.quality import measured
from osscl.audio.reading import Fit, read_clip
from osscl.features import memory_features

Samples = npt.NDArray[np.int16]
RATE = 16_000
LSB = 32768.0


def rms(x: npt.NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean((x - x.mean()) ** 2)))


def to_int16(x: npt.NDArray[np.float64]) -> Samples:
    return np.clip(np.rint(x), -32768, 32767).astype(np.int16)


def spectrum_times(
    x: npt.NDArray[np.float64], gain: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]
) -> npt.NDArray[np.float64]:
    hz = np.fft.rfftfreq(len(x), 1 / RATE)
    return np.fft.irfft(np.fft.rfft(x) * gain(hz), len(x))


def clipped(share: float) -> Callable[..., Samples]:
    """Gain that drives so many samples to the ends of 16 bits."""

    def lay(x: npt.NDArray[np.float64], _: np.random.Generator) -> Samples:
        return to_int16(x * 32767.0 / np.quantile(np.abs(x), 1 - share))

    return lay


def offset(of_full_scale: float) -> Callable[..., Samples]:
    return lambda x, rng: to_int16(x + rng.choice([-1, 1]) * of_full_scale * LSB)


def dropouts(n: int, seconds: float) -> Callable[..., Samples]:
    """So many stretches that stand still: the last sample held, or zeros."""

    def lay(x: npt.NDArray[np.float64], rng: np.random.Generator) -> Samples:
        y, length = x.copy(), round(seconds * RATE)
        for at in rng.integers(0, len(x) - length, n):
            y[at : at + length] = 0.0 if rng.random() < 0.5 else y[at]
        return to_int16(y)

    return lay


def hum(mains_hz: float, beside_db: float) -> Callable[..., Samples]:
    """Mains up to 0.05 Hz off, harmonics falling by 8 dB, so many dB beside the clip's own level."""

    def lay(x: npt.NDArray[np.float64], rng: np.random.Generator) -> Samples:
        t = np.arange(len(x)) / RATE
        hz = mains_hz + rng.uniform(-0.05, 0.05)
        tone = sum(
            10 ** (-0.4 * i) * np.sin(2 * np.pi * (i + 1) * hz * t + rng.uniform(0, 2 * np.pi))
            for i in range(7)
        )
        return to_int16(x + tone * rms(x) / rms(np.asarray(tone)) * 10 ** (beside_db / 20))

    return lay


def ended(at_hz: float) -> Callable[..., Samples]:
    """Band-limited, as by another sample rate: a filter 400 Hz wide, 80 dB deep."""

    def gain(hz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return 10 ** (-4 * np.clip((hz - at_hz + 200) / 400, 0, 1))

    return lambda x, _: to_int16(spectrum_times(x, gain))


def muffled(at_hz: float) -> Callable[..., Samples]:
    """A low-pass of the second order: cloth or dirt on the microphone."""
    return lambda x, _: to_int16(spectrum_times(x, lambda hz: 1 / (1 + (hz / at_hz) ** 4) ** 0.5))


def gain(db: float) -> Callable[..., Samples]:
    return lambda x, _: to_int16(x * 10 ** (db / 20))


def hiss(beside_db: float) -> Callable[..., Samples]:
    """White noise of a poor microphone, so many dB beside the clip's own level."""
    return lambda x, rng: to_int16(x + rng.standard_normal(len(x)) * rms(x) * 10 ** (beside_db / 20))


def faint(level_db: float) -> Callable[..., Samples]:
    return lambda x, _: to_int16(x / rms(x) * LSB * 10 ** (level_db / 20))


WITH_NORMALS = {
    "clipped, 0.5 % of the samples": (clipped(0.005), "clipped"),
    "offset, 2 % of full scale": (offset(0.02), "offset"),
    "dropouts, 3 of 5 ms": (dropouts(3, 0.005), "dropouts"),
    "hum of 50 Hz, -6 dB beside the sound": (hum(50, -6), "mains hum"),
    "hum of 60 Hz, -6 dB beside the sound": (hum(60, -6), "mains hum"),
    "no sound above 3.4 kHz": (ended(3400), "no sound above"),
    "no sound above 5.5 kHz": (ended(5500), "no sound above"),
    "muffled, 2nd order from 2 kHz": (muffled(2000), "muffled"),
    "muffled, 2nd order from 1 kHz": (muffled(1000), "muffled"),
    "12 dB louder": (gain(12), "louder"),
    "12 dB quieter": (gain(-12), "quieter"),
    "20 dB louder than the middle of its normals": (gain(20), "louder"),
    "20 dB quieter than the middle of its normals": (gain(-20), "quieter"),
    "noise floor: hiss of -3 dB beside the sound": (hiss(-3), "noise floor"),
    "noise floor: hiss of +9 dB beside the sound": (hiss(9), "noise floor"),
    "noise floor: hiss of +15 dB beside the sound": (hiss(15), "noise floor"),
    "hardly any sound, -84 dB of full scale": (faint(-84), "hardly any sound"),
}
WITHOUT = {
    "clipped, 0.5 % of the samples": (clipped(0.005), "clipped"),
    "offset, 4 % of full scale": (offset(0.04), "offset"),
    "dropouts, 3 of 5 ms": (dropouts(3, 0.005), "dropouts"),
    "hum of 50 Hz, +3 dB beside the sound": (hum(50, 3), "mains hum"),
    "hum of 60 Hz, +3 dB beside the sound": (hum(60, 3), "mains hum"),
    "no sound above 3.4 kHz": (ended(3400), "no sound above"),
    "no sound above 5.5 kHz": (ended(5500), "no sound above"),
    "hardly any sound, -84 dB of full scale": (faint(-84), "hardly any sound"),
}


def machines_of(folder: Path) -> dict[str, list[Path]]:
    found = collections.defaultdict(list)
    for path in sorted(folder.rglob("*.wav")):
        _, _, machine_id = path.stem.partition("_id_")
        found[f"{path.parent.parent.name}/{machine_id[:2]}"].append(path)
    return found


def read(paths: list[Path]) -> Samples:
    return np.stack([read_clip(path, Fit(pad="repeat")).samples for path in paths])


def judged(doubter: Doubter, clips: Samples) -> list[str | None]:
    return doubter.of(measured(clips, threads=2), memory_features(clips)[:, :32])


def normals_of(clips: Samples) -> Doubter:
    return Doubter(measured(clips, threads=2).stored, memory_features(clips)[:, :32])


def named(said: str) -> Iterator[str]:
    for clause in said.split("; "):
        yield (
            clause.split(",")[0].lstrip("0123456789 ").removeprefix("dB ").split(" at ")[0].split(" than")[0]
        )


def good(folders: list[Path], n_normals: int, every: int) -> None:
    n_flagged, n_good = collections.Counter[str](), 0
    n_fixed, why = 0, collections.Counter[str]()
    found: dict[str, list[bool]] = collections.defaultdict(list)
    found_fixed: dict[str, list[bool]] = collections.defaultdict(list)
    n_all = 0
    rng = np.random.default_rng(0)
    for folder in folders:
        for paths in machines_of(folder).values():
            clips = read(paths)
            doubter, rest = normals_of(clips[:n_normals]), clips[n_normals:]
            said = judged(doubter, rest)
            n_good += len(rest)
            for each in filter(None, said):
                n_flagged["any"] += 1
                why.update(named(each))
            fixed = judged(BY_FIXED_BOUNDS, clips)
            n_all += len(clips)
            n_fixed += sum(each is not None for each in fixed)
            some = rest[::every].astype(np.float64)
            levels = np.array([rms(x) for x in some])
            usual = np.median([rms(x.astype(np.float64)) for x in clips[:n_normals]])
            for defects, by, into in (
                (WITH_NORMALS, doubter, found),
                (WITHOUT, BY_FIXED_BOUNDS, found_fixed),
            ):
                for name, (lay, word) in defects.items():
                    scale = usual / levels if "middle of its normals" in name else np.ones(len(some))
                    laid = np.stack([lay(x * by_level, rng) for x, by_level in zip(some, scale, strict=True)])
                    into[name] += [each is not None and word in each for each in judged(by, laid)]
    print(f"good, by {n_normals} normals: {n_flagged['any']} of {n_good} flagged {dict(why)}")
    print(f"good, by fixed bounds: {n_fixed} of {n_all} flagged")
    for title, hits in (("by normals", found), ("by fixed bounds", found_fixed)):
        for name, each in hits.items():
            print(f"{title}: {name}: {100 * np.mean(each):.1f} % of {len(each)} found")


def faults(folder: Path, normals: list[Path], n_normals: int) -> None:
    known = collections.defaultdict(list)
    for each in normals:
        for machine, paths in machines_of(each).items():
            known[machine] += paths[:n_normals]
    why, n, n_flagged = collections.Counter[str](), 0, 0
    for machine, paths in machines_of(folder).items():
        doubter = normals_of(read(known[machine][:n_normals]))
        for said in judged(doubter, read(paths)):
            n += 1
            n_flagged += said is not None
            why.update(named(said) if said else ())
    print(f"faulty machines, recorded well: {n_flagged} of {n} flagged {dict(why)}")


def real(folder: Path) -> None:
    paths = sorted([*folder.rglob("*.wav"), *folder.rglob("*.flac")])
    parts = [read_clip(path, Fit(pad="repeat")).samples[np.newaxis] for path in paths]
    said = [judged(BY_FIXED_BOUNDS, part)[0] for part in parts]
    print(f"real, by fixed bounds: {sum(each is not None for each in said)} of {len(said)} flagged")
    n, flagged = 0, []
    for kind in sorted({path.name.split("_id_")[1][:2] for path in paths if path.suffix == ".flac"}):
        of_path = [
            path for path in paths if path.suffix == ".flac" and path.name.split("_id_")[1][:2] == kind
        ]
        train = [path for path in of_path if path.parent.name == "train"]
        doubter = normals_of(read(train))
        for path in of_path:
            if path.parent.name != "train":
                n += 1
                flagged += [each for each in judged(doubter, read([path])) if each]
    print(f"real, quadrotor by its 16 normals a path: {len(flagged)} of {n} flagged {flagged}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--good", type=Path, nargs="*", default=[])
    parser.add_argument("--faults", type=Path)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--normals", type=int, default=30)
    parser.add_argument("--every", type=int, default=3, help="lay defects into every n-th good clip")
    options = parser.parse_args()
    if options.good:
        good(options.good, options.normals, options.every)
    if options.faults is not None:
        faults(options.faults, options.good, options.normals)
    if options.real is not None:
        real(options.real)


if __name__ == "__main__":
    main()
