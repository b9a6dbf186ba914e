"""How often alarms over time are raised on machines that are well, beside what is stated of them.

    python benchmarks/alarms.py [--seed 20261126] [--calibrations 20000]

Each run draws a calibration, decides a stream of scores by its threshold, and raises alarms from n of the
last m clips. Nothing was chosen by these figures; the seed of the development was 1.
"""

import argparse

import numpy as np
import numpy.typing as npt

from osscl.decisions import threshold
from osscl.decisions.alarm_rates import false_alarms, smallest_window
from osscl.decisions.alarms import AlarmRule, alarms_of

STREAM = 2000
CHUNK = 500
WEEK_OF_10_S = 60_480
Array = npt.NDArray[np.float64]


def main() -> None:
    """Print stated and simulated rates."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=20261126)
    parser.add_argument("--calibrations", type=int, default=20_000)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    for n_recordings, rate in ((20, 0.05), (50, 0.05), (200, 0.05), (200, 0.01), (1000, 0.01)):
        windows = {(1, 1), (3, 5), (4, 6)}
        asked = smallest_window(1 / WEEK_OF_10_S, rate, n_recordings)
        windows |= {asked} if asked else set()
        measured = simulated(rng, n_recordings, rate, sorted(windows), given.calibrations)
        for (n, m), found in measured.items():
            stated = false_alarms(n, m, rate, n_recordings)
            mark = " (1/week, a clip every 10 s)" if (n, m) == asked else ""
            print(
                f"R {n_recordings}, {100 * rate:g} %, {n}/{m}{mark}: chance {stated.chance:.4g}, simulated "
                f"{_with_error(found[0], stated.chance)}; raised {stated.raised:.4g}, simulated "
                f"{_with_error(found[1], stated.raised)}; bound {stated.bound:.4g}",
                flush=True,
            )
    print()
    for rho in (0.5, 0.8, 0.95):
        dependent(rng, rho, given.calibrations // 20)


def simulated(
    rng: np.random.Generator,
    n_recordings: int,
    rate: float,
    windows: list[tuple[int, int]],
    runs: int,
) -> dict[tuple[int, int], tuple[Array, Array]]:
    """Share of clips at which an alarm stands, and alarms raised a clip, of each calibration."""
    found: dict[tuple[int, int], tuple[list[Array], list[Array]]] = {each: ([], []) for each in windows}
    for _ in range(0, runs, CHUNK):
        least = np.array([threshold(rng.random(n_recordings), rate) for _ in range(CHUNK)])
        flagged = rng.random((CHUNK, STREAM)) >= least[:, None]
        for window, (stands, raised) in found.items():
            is_standing, rises = standing(flagged, *window)
            stands.append(is_standing)
            raised.append(rises)
    return {window: (np.concatenate(a), np.concatenate(b)) for window, (a, b) in found.items()}


def standing(flagged: npt.NDArray[np.bool_], n: int, m: int) -> tuple[Array, Array]:
    """Of each stream: share of clips with n of the last m flagged, and how often that began, a clip."""
    total = np.cumsum(np.pad(flagged, ((0, 0), (1, 0))), axis=1)
    enough = total[:, m:] - total[:, :-m] >= n  # [runs, clips with a whole window]
    rule = AlarmRule(n, m)
    first = len(alarms_of(flagged[0].tolist(), rule))
    begun = (enough[:, 1:] & ~enough[:, :-1]).sum(axis=1)
    assert abs(first - begun[0]) <= 1 + m, "the state machine and the sum over windows differ"
    return enough.mean(axis=1), begun / (enough.shape[1] - 1)


def dependent(rng: np.random.Generator, rho: float, runs: int) -> None:
    """What neighbours that are alike do: the bound holds, the beta-binomial rate does not."""
    n_recordings, rate, length = 200, 0.05, STREAM
    stands: dict[tuple[int, int], list[float]] = {(3, 5): [], (6, 9): []}
    for _ in range(runs):
        least = threshold(rng.normal(size=n_recordings), rate)
        scores = _ar1(rng, rho, length)
        for n, m in stands:
            total = np.cumsum(np.pad(scores >= least, (1, 0)))
            stands[n, m].append(float((total[m:] - total[:-m] >= n).mean()))
    for (n, m), shares in stands.items():
        stated = false_alarms(n, m, rate, n_recordings)
        print(
            f"AR(1) rho {rho}, R {n_recordings}, 5 %, {n}/{m}: simulated "
            f"{_with_error(np.array(shares), stated.chance)}, stated for independent clips "
            f"{stated.chance:.4g}, bound {stated.bound:.4g}"
        )


def _ar1(rng: np.random.Generator, rho: float, length: int) -> Array:
    news = (rng.normal(size=length) * np.sqrt(1 - rho**2)).tolist()
    last, scores = float(rng.normal()), []
    for new in news:
        last = rho * last + new
        scores.append(last)
    return np.array(scores)


def _with_error(values: Array, stated: float) -> str:
    error = float(values.std(ddof=1) / np.sqrt(len(values)))
    off = (values.mean() - stated) / error if error else 0.0
    return f"{values.mean():.4g} ± {error:.2g} ({off:+.1f} errors)"


if __name__ == "__main__":
    main()
