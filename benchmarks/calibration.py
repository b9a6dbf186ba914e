"""How often normal clips that a threshold has not seen are called anomalous, beside the rate asked for.

usage: python benchmarks/calibration.py FILE.npz ... [--background B.npz] [--clips N ...] [--rates R ...]
       python benchmarks/calibration.py --made clips|recordings

FILE.npz holds the normals of one machine, 4,000 or more for a figure to be recorded, as one of

features    float [N, 360]: a memory is fitted to a draw of n clips, and its leave-one-out (n > 512: held-out)
            scores decide
scores      float [N], of a network or of anything: n held-out scores decide (split conformal)
both        features and scores (of a network): a row each for memory, network and the rule "both", whose
            normal scores are left out of both parts

With 'recordings' (names, [N]) whole recordings are drawn, and what counting clips would give stands beside.
Each row is the mean over many draws: n clips calibrate, up to 200 others are fresh. B.npz holds level,
modulation, flutter and event as osscl.decisions.Background does. The error is the standard deviation over
bootstrap samples of the clips (of the recordings, where there are some). A row is marked 'above' where the
false alarms exceed the rate by more than two errors. --made measures Gaussian clips made here instead, each
its own recording or in recordings of 10 alike clips.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from osscl.decisions import (
    Background,
    Memory,
    RobustScale,
    both,
    left_out_z,
    log_score,
    p_values,
    pooled_background,
)

MANY_DRAWS, FEW_DRAWS = 2000, 200  # up to 100 clips, and above
N_FRESH = 200
N_BOOTSTRAP = 1000
Array = npt.NDArray[Any]


class Normals(NamedTuple):
    """Normal clips of one machine."""

    name: str
    values: Array  # features [N, 360] or scores [N]
    network: Array | None  # [N], where there are features and a network's scores
    recordings: Array | None  # [N], numbers from 0


class Draw(NamedTuple):
    """p-values of the fresh clips of one draw."""

    fresh: Array  # [F], numbers of clips
    p: dict[str, Array]  # by how it counts, [F]
    smallest_rate: float


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--made", choices=["clips", "recordings"])
    parser.add_argument("--background", type=Path)
    parser.add_argument("--clips", nargs="+", type=int, default=[20, 50, 100, 1000])
    parser.add_argument("--rates", nargs="+", type=float, default=[0.1, 0.05, 0.01])
    parser.add_argument("--draws", type=int, help=f"by default {MANY_DRAWS}, or {FEW_DRAWS} above 100 clips")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if bool(arguments.files) == bool(arguments.made):
        parser.error("give files, or --made")
    background = read_background(arguments.background) if arguments.background else None
    machines = [read(path) for path in arguments.files]
    if arguments.made:
        machines, background = [made(0, 4000, arguments.made)], made_background()
    print("| machine | clips | counted by | rate | false alarms | error | draws | |")
    print("|---|---|---|---|---|---|---|---|")
    for machine in machines:
        for n in arguments.clips:
            n_draws = arguments.draws or (MANY_DRAWS if n <= 100 else FEW_DRAWS)
            rng = np.random.default_rng([arguments.seed, n])
            draws = [draw(machine, n, background, rng) for _ in range(n_draws)]
            for line in rows(machine, n, draws, arguments.rates, rng):
                print(line, flush=True)
    return 0


def read(path: Path) -> Normals:
    """Read one machine's normals."""
    with np.load(path) as stored:
        values = stored["features"] if "features" in stored.files else stored["scores"]
        network = stored["scores"] if {"features", "scores"} <= {*stored.files} else None
        names = stored["recordings"] if "recordings" in stored.files else None
    return Normals(
        path.stem, values, network, None if names is None else np.unique(names, return_inverse=True)[1]
    )


def read_background(path: Path) -> Background:
    """Read what varies within machines."""
    with np.load(path) as stored:
        parts = {name: stored[name] for name in ("level", "modulation", "flutter", "event")}
    return Background(**parts, n_machines=0, n_clips=0, source=str(path), features_sha256="")


def draw(machine: Normals, n: int, background: Background | None, rng: np.random.Generator) -> Draw:
    """Calibrate with n clips, and give p-values of others."""
    numbers = np.arange(len(machine.values)) if machine.recordings is None else machine.recordings
    order = rng.permutation(numbers.max() + 1)
    sizes = np.bincount(numbers)[order]
    chosen = order[np.cumsum(sizes) <= n]
    own = np.flatnonzero(np.isin(numbers, chosen))
    others = np.flatnonzero(~np.isin(numbers, chosen))
    if len(own) < 3 or not len(others):
        sys.exit(f"{machine.name}: {len(machine.values)} clips are too few to draw {n} and keep fresh ones")
    fresh = rng.choice(others, min(N_FRESH, len(others)), replace=False)
    names = None if machine.recordings is None else [str(number) for number in numbers[own]]
    found, n_counted = p_of(machine.values[own], machine.values[fresh], names, background, rng)
    p = {"clips" if names is None else "recordings": found}
    if names is not None:
        p["clips"] = p_of(machine.values[own], machine.values[fresh], None, background, rng)[0]
    if machine.network is not None:
        p["network"] = p_values(machine.network[own], machine.network[fresh], names)
        p["both"] = p_of_both(machine, own, fresh, names, background)
    return Draw(fresh, p, 1 / (n_counted + 1))


def p_of(
    own: Array, fresh: Array, names: list[str] | None, background: Background | None, rng: np.random.Generator
) -> tuple[Array, int]:
    """p-values of fresh clips, and how many recordings they are counted in."""
    if own.ndim == 1:
        return p_values(own, fresh, names), len(set(names or range(len(own))))
    memory = Memory.fit(own, names, background, seed=int(rng.integers(2**31)))
    recordings = memory.calibration_recordings
    scores = memory.score(fresh).score
    return p_values(memory.calibration_scores, scores, recordings), len(set(recordings))


def p_of_both(
    machine: Normals, own: Array, fresh: Array, names: list[str] | None, background: Background | None
) -> Array:
    """p-values by the larger of two robust z, as the rule `both` has it."""
    assert machine.network is not None
    memory = Memory.fit(machine.values[own], names, background)
    assert memory.selection is not None
    deciding = memory.selection.held_out if memory.is_guaranteed else np.arange(len(own))
    clips = own[deciding]
    recordings = None if names is None else [names[i] for i in deciding]
    logs, remembered = log_score(machine.network), memory.calibration_scores
    normal = both(left_out_z(remembered, recordings), left_out_z(logs[clips], recordings))
    by_memory = RobustScale.of(remembered).z(memory.score(machine.values[fresh]).score)
    by_network = RobustScale.of(logs[clips]).z(logs[fresh])
    return p_values(normal, both(by_memory, by_network), recordings)


def rows(
    machine: Normals, n: int, draws: list[Draw], rates: list[float], rng: np.random.Generator
) -> Iterator[str]:
    """Lines of the table: false alarms at each rate that is reachable."""
    n_clips = len(machine.values)
    units = np.arange(n_clips) if machine.recordings is None else machine.recordings
    tested = sum(
        np.bincount(each.fresh, minlength=n_clips) for each in draws
    )  # [N], how often each was fresh
    weights = rng.multinomial(units.max() + 1, np.full(units.max() + 1, 1 / (units.max() + 1)), N_BOOTSTRAP)
    for counted in draws[0].p:
        for rate in rates:
            if rate < max(each.smallest_rate for each in draws):
                continue
            alarms = sum(
                np.bincount(each.fresh, each.p[counted] <= rate, minlength=n_clips) for each in draws
            )
            by_unit = [np.bincount(units, count) for count in (alarms, tested)]
            shares = (weights @ by_unit[0]) / (weights @ by_unit[1])
            found, error = np.sum(alarms) / np.sum(tested), shares.std()
            mark = "above" if found > rate + 2 * error else ""
            yield (
                f"| {machine.name} | {n} | {counted} | {rate:g} | {found:.4f} | {error:.4f} | {len(draws)} "
                f"| {mark} |"
            )


def made(seed: int, n: int, kind: str) -> Normals:
    """Gaussian features that vary together in 24 directions; in recordings of 10 clips, alike at 0.8."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(7).normal(size=(24, 360)) / 5

    def some(count: int) -> Array:
        return np.asarray(rng.normal(size=(count, 24)) @ mixing + rng.normal(size=(count, 360)))

    if kind == "clips":
        return Normals("made", -40 + some(n), None, None)
    numbers = np.arange(n) // 10
    return Normals(
        "made", -40 + np.sqrt(0.8) * some(n // 10)[numbers] + np.sqrt(0.2) * some(n), None, numbers
    )


def made_background() -> Background:
    """Of 12 other made machines, 16 clips each."""
    machines = {f"made/id_{i}": made(1000 + i, 16, "clips").values for i in range(12)}
    return pooled_background(machines, "made here", "")


if __name__ == "__main__":
    sys.exit(main())
