"""Drift by the conformal martingale: false alarms without a change, clips until a change is found.

    python benchmarks/drift.py [--seed 20261126] [--runs 2000]

Scores are simulated: independent ones (gamma, as distances are), ones of neighbours that are alike (AR(1),
rho 0.8) and ones of a machine that switches between two states. Development used seed 1.
"""

import argparse
import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from osscl.decisions.martingale import log_martingale, smoothed_ranks
from osscl.monitoring.drifting import evidence_of
from osscl.scoring.judge import NormalScores

Array = npt.NDArray[np.float64]
Stream = Callable[[np.random.Generator, int], Array]
STREAM = 2000
CHUNK = 100


def independent(rng: np.random.Generator, n: int) -> Array:
    """Scores of a right-skewed distribution of spread 1."""
    return rng.gamma(4.0, 0.5, n)


def ar1(rng: np.random.Generator, n: int, rho: float = 0.8) -> Array:
    """Scores of which each is like the one before, of spread 1."""
    news = rng.normal(size=n) * math.sqrt(1 - rho**2)
    scores = np.empty(n)
    last = rng.normal()
    for i, new in enumerate(news.tolist()):
        scores[i] = last = rho * last + new
    return scores


def two_states(rng: np.random.Generator, n: int, dwell: float = 20, apart: float = 3.0) -> Array:
    """Scores of a machine that switches between two states, every 20 clips on average."""
    state = (np.cumsum(rng.random(n) < 1 / dwell) + rng.integers(2)) % 2
    return rng.normal(size=n) + apart * state


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=20261126)
    parser.add_argument("--runs", type=int, default=2000)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    print(f"seed {given.seed}, streams of {STREAM} clips\n")
    drift_free(rng, given.runs)
    drift_free_whole(rng, given.runs)
    dependent(rng, given.runs // 10)
    detection(rng, given.runs // 10)
    detection_of_dependent(rng, given.runs // 20)


def drift_free(rng: np.random.Generator, runs: int) -> None:
    """Nothing changes, and scores are independent: online p-values, and those of a fixed calibration."""
    print("## Drift-free, independent scores: runs that ever alarm")
    for n in (50, 200, 1000):
        online, fixed = [], []
        for _ in range(0, max(runs, runs * 3 // 2), CHUNK):
            scores = rng.gamma(4.0, 0.5, (CHUNK, n + STREAM))
            online.append(log_martingale(smoothed_ranks(scores, rng.random(scores.shape))[:, n:]).max(axis=1))
            fixed.append(log_martingale(_fixed_p_values(scores, n, rng)).max(axis=1))
        highest, highest_fixed = np.concatenate(online), np.concatenate(fixed)
        at_5, at_01 = highest[:runs] >= math.log(20), highest >= math.log(1000)
        print(
            f"n {n}: 5 %: {at_5.sum()} of {len(at_5)} ({100 * at_5.mean():.2f} %); "
            f"0.1 %: {at_01.sum()} of {len(at_01)}; from a fixed calibration: 5 %: "
            f"{100 * (highest_fixed[:runs] >= math.log(20)).mean():.1f} %, 0.1 %: "
            f"{100 * (highest_fixed >= math.log(1000)).mean():.1f} %",
            flush=True,
        )


def drift_free_whole(rng: np.random.Generator, runs: int) -> None:
    """The same by all that `osscl monitor` does: distances are estimated from these very scores."""
    print("\n## Drift-free, independent scores, distances estimated")
    for n in (50, 200, 1000):
        found = [_alarms(rng, independent, n, None) for _ in range(runs)]
        print(
            f"n {n}: 5 %: {sum(each[0] for each in found)} of {runs}, 0.1 %: "
            f"{sum(each[1] for each in found)} of {runs}; distance {_percentiles([each[2] for each in found])}",
            flush=True,
        )


def dependent(rng: np.random.Generator, runs: int) -> None:
    """Neighbours are alike and nothing changes: with and without thinning."""
    print("\n## Drift-free, neighbours alike: runs that alarm, of", runs)
    for name, stream in (("AR(1), rho 0.8", ar1), ("two states", two_states)):
        for n in (50, 200, 1000):
            for how, distance in (("all clips", 1), ("thinned", None)):
                found = [_alarms(rng, stream, n, distance) for _ in range(runs)]
                print(
                    f"{name}, n {n}, {how}: 5 %: {100 * np.mean([each[0] for each in found]):.1f} %, 0.1 %: "
                    f"{100 * np.mean([each[1] for each in found]):.1f} %; distance "
                    f"{_percentiles([each[2] for each in found])}",
                    flush=True,
                )


def detection(rng: np.random.Generator, runs: int) -> None:
    """Independent scores shift after 500 clips; 0.1 %."""
    print("\n## A shift after 500 clips, independent scores, at 0.1 %")
    _detect(rng, independent, runs, after=2000)


def detection_of_dependent(rng: np.random.Generator, runs: int) -> None:
    """The same of scores that are like their neighbours, thinned."""
    print("\n## A shift after 500 clips, AR(1) with rho 0.8, thinned, at 0.1 %")
    _detect(rng, ar1, runs, after=4000)


def _detect(rng: np.random.Generator, stream: Stream, runs: int, after: int) -> None:
    for n in (50, 200, 1000):
        for shift in (0.5, 1.0, 2.0, -1.0):
            delays, errors, early = [], [], 0
            for _ in range(runs):
                scores = stream(rng, n + 500 + after)
                scores[n + 500 :] += shift
                found = evidence_of(_normal(scores[:n]), scores[n:], 3.0, None)
                if found.alarmed_at is None:
                    continue
                if found.alarmed_at < 500:
                    early += 1
                    continue
                delays.append(found.alarmed_at - 500 + 1)
                assert found.began_at is not None
                errors.append(found.began_at - 500)
            told = (
                f"mean {np.mean(delays):.0f} clips, median {np.median(delays):.0f}; beginning told with a "
                f"median error of {np.median(np.abs(errors)):.0f} clips (10, 50, 90 %: {_percentiles(errors)})"
                if delays
                else "-"
            )
            print(f"n {n}, {shift:+g} sd: found {len(delays)} of {runs}, early {early}; {told}", flush=True)


def _alarms(rng: np.random.Generator, stream: Stream, n: int, distance: int | None) -> tuple[bool, bool, int]:
    """Whether a drift-free run alarms at 5 % and at 0.1 %, and the distance that was taken."""
    scores = stream(rng, n + STREAM)
    if distance == 1:  # nothing is thinned, the calibration neither
        p = smoothed_ranks(scores, rng.random(len(scores)))[n:]
        highest, taken = float(log_martingale(p).max()) / math.log(10), 1
    else:
        found = evidence_of(_normal(scores[:n]), scores[n:], 3.0, distance)
        highest, taken = float(found.log10_martingale.max()), found.spacing.distance
    return highest >= math.log10(20), highest >= 3, taken


def _normal(scores: Array) -> NormalScores:
    return NormalScores(scores, [str(i) for i in range(len(scores))])


def _fixed_p_values(scores: Array, n: int, rng: np.random.Generator) -> Array:
    """Rank of each score of the stream among the calibration's alone, ties at random."""
    found = np.empty((len(scores), scores.shape[1] - n))
    for run, row in enumerate(scores):
        greater = n - np.searchsorted(np.sort(row[:n]), row[n:], side="right")
        found[run] = (greater + rng.random(len(greater))) / (n + 1)
    return np.clip(found, 2.0**-53, 1 - 2.0**-53)


def _percentiles(values: list[int]) -> str:
    return ", ".join(f"{each:.0f}" for each in np.percentile(values, [10, 50, 90]))


if __name__ == "__main__":
    main()
