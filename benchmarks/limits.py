"""How often changes of the size that a detection limit names are found in recordings that it was not set from.

usage: osscl synth all --ids 41 --train 800 --seed 12
       python benchmarks/limits.py all/*/train [--normals 100] [--others 40] [--rule memory]

Of the recordings of each folder, one machine's, the first 100 are enrolled and changes laid into them; then
each change is laid, at its a90/95, into 40 of the others (other phases, other times, other recordings), and
decided by the whole memory. Changes without a limit are counted and not tried. Also printed: the time of the
limits, wall and processor, and how many larger sizes were missed where a smaller one was found (limits take it
that none is).
"""

import argparse
import collections
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from osscl.audio.reading import read_audio
from osscl.enrolment import EnrolOptions, enroll
from osscl.features import memory_features
from osscl.model_file.bundle import read_bundle
from osscl.model_file.limits import MachineLimits
from osscl.scoring.judge import Judge
from osscl.scoring.judges import Judges
from osscl.sensitivity import SensitivityOptions, measure_limits
from osscl.sensitivity.changes import Change
from osscl.sensitivity.grids import fine_grid
from osscl.sensitivity.sound import Sound
from osscl.sensitivity.trials import PLACES, as_recorded, laid_into

AT_LEAST = 0.87
MACHINE = "machine/id_00"
SEED = 1_000_003
"""Added to the number of a recording: phases and times are others than those of the limits."""
N_MONOTONE, SIZES_OF_MONOTONE = 5, PLACES[::4]

Found = collections.Counter[str]


def main() -> int:
    """Try the limits of some machines; 1 where too few changes are found."""
    arguments = parsed()
    found, tried, without = Found(), Found(), Found()
    for number, folder in enumerate(arguments.folders):
        recordings = sorted(Path(folder).glob("normal_*.wav"))
        normals, others = recordings[: arguments.normals], recordings[arguments.normals :]
        judge, limits = measured(normals)
        print(f"{folder}: {len(normals)} normals, {len(others[: arguments.others])} others", flush=True)
        for change, limit in zip(fine_grid(), limits.limits, strict=True):
            if limit.a90_95 is None:
                without[limit.change] += 1
        for place, path in enumerate(others[: arguments.others]):
            for kind, is_found in tried_in(path, judge, limits, SEED + 1000 * number + place):
                found[kind] += is_found
                tried[kind] += 1
        print(f"  larger sizes missed: {missed_above(others[:N_MONOTONE], judge):.2%}", flush=True)
    for kind in tried:
        print(f"{kind:13} {found[kind]:6} of {tried[kind]:6} found: {found[kind] / tried[kind]:.1%}; "
              f"{without[kind]} without a limit")  # fmt: skip
    share = found.total() / tried.total()
    print(f"all           {found.total():6} of {tried.total():6} found: {share:.2%} (at least {AT_LEAST:.0%})")
    return int(share < AT_LEAST)


def parsed() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", help="normal recordings of one machine each")
    parser.add_argument("--normals", type=int, default=100)
    parser.add_argument("--others", type=int, default=40)
    return parser.parse_args()


def measured(normals: list[Path]) -> tuple[Judge, MachineLimits]:
    """Enroll some recordings and measure the limits, and say how long that takes."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.onnx"
        enroll(normals, model, options=EnrolOptions(machine=MACHINE))
        wall, before = time.perf_counter(), processor_s()
        report = measure_limits(model, normals, SensitivityOptions(machine=MACHINE))
        wall, used = time.perf_counter() - wall, processor_s() - before
        print(f"limits of {len(report.machines[0].limits)} changes: {wall:.1f} s, of processors {used:.1f} s")
        return Judges(read_bundle(model).manifest).of(MACHINE), report.machines[0]


def processor_s() -> float:
    """Time of all processors that this process used."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def tried_in(path: Path, judge: Judge, limits: MachineLimits, seed: int) -> list[tuple[str, bool]]:
    """Lay every change with a limit into a recording at that limit."""
    sound = Sound(read_audio(path))
    with_limit = [
        (change, limit.a90_95)
        for change, limit in zip(fine_grid(), limits.limits, strict=True)
        if limit.a90_95 is not None
    ]
    decided = decide(sound, judge, with_limit, seed)
    return [(change.kind, bool(is_found)) for (change, _), is_found in zip(with_limit, decided, strict=True)]


def missed_above(paths: list[Path], judge: Judge) -> float:
    """Share of sizes that are missed although the next smaller one is found, over all changes and sizes."""
    missed = total = 0
    for number, path in enumerate(paths):
        sound = Sound(read_audio(path))
        for change in fine_grid():
            sizes = [(change, change.sizes.at(place)) for place in SIZES_OF_MONOTONE]
            decided = decide(sound, judge, sizes, number)
            first = int(np.argmax(decided)) if decided.any() else len(decided)
            missed += int((~decided[first:]).sum())
            total += len(decided)
    return missed / total


def decide(sound: Sound, judge: Judge, sizes: list[tuple[Change, float]], seed: int) -> np.ndarray:
    """Whether each change at a size is found."""
    waveforms = np.stack([as_recorded(laid_into(sound, change, seed)(size)) for change, size in sizes])
    decided = judge.judge(features=memory_features(waveforms)).is_anomaly
    assert decided is not None
    return decided


if __name__ == "__main__":
    sys.exit(main())
