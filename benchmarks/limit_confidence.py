"""How often a90/95 lies above the size that is truly found 9 times of 10, where 95 of 100 are stated.

usage: python benchmarks/limit_confidence.py [--recordings 60] [--draws 100] [--seed 1]

The smallest size found in a recording is drawn from a known distribution (normal, logistic, skewed), and
1 recording of 20 is flagged whatever is laid in, as at a false-alarm rate of 5 %. Sizes are tried as
osscl.sensitivity tries them. No sound is made: this is about the curve and its interval.
"""

import argparse
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from osscl.decisions.pod import sizes_found
from osscl.sensitivity.trials import N_OFFSETS, PLACES, tried

Draw = Callable[[np.random.Generator, int], npt.NDArray[np.float64]]

SPREAD, FALSE_ALARMS = 0.08, 0.05
SMALLEST: dict[str, Draw] = {
    "normal": lambda rng, n: 0.5 + SPREAD * rng.standard_normal(n),
    "logistic": lambda rng, n: 0.5 + SPREAD * rng.logistic(0, 0.55, n),
    "skewed": lambda rng, n: 0.4 + SPREAD * rng.gamma(2, 0.71, n),
}


def main() -> None:
    """Print one line a distribution."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recordings", type=int, default=60)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    was_tried = np.stack([tried(number % N_OFFSETS) for number in range(arguments.recordings)])
    for name, draw in SMALLEST.items():
        true = np.quantile(_flagged(draw(rng, 200_000), rng), 0.9)
        covered = 0
        for _ in range(arguments.draws):
            smallest = _flagged(draw(rng, arguments.recordings), rng)
            is_large = was_tried & (smallest[:, None] <= PLACES)
            first = np.where(is_large.any(1), is_large.argmax(1), len(PLACES))
            covered += sizes_found(PLACES, first, FALSE_ALARMS, tried=was_tried).a90_95 >= true
        print(f"{name:9} {covered} of {arguments.draws}", flush=True)


def _flagged(smallest: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Some recordings are flagged at every size."""
    return np.where(rng.random(len(smallest)) < FALSE_ALARMS, -1.0, smallest)


if __name__ == "__main__":
    main()
