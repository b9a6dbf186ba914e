"""How far apart clips are taken: independent ones all, ones that are like their neighbours fewer."""

import numpy as np
import numpy.typing as npt
import pytest

from osscl.decisions.thinning import calibration_distance, independent_clips, stream_distance

Array = npt.NDArray[np.float64]


def independent(seed: int, n: int) -> Array:
    return np.random.default_rng(seed).gamma(4.0, 0.5, n)


def alike(seed: int, n: int, rho: float) -> Array:
    """AR(1): each score is like the one before."""
    rng = np.random.default_rng(seed)
    found = [float(rng.normal())]
    for new in rng.normal(size=n - 1) * np.sqrt(1 - rho**2):
        found.append(rho * found[-1] + float(new))
    return np.array(found)


@pytest.mark.parametrize("distance", [calibration_distance, stream_distance])
@pytest.mark.parametrize("seed", range(4))
def test_independent_scores_are_all_taken(distance: object, seed: int) -> None:
    assert distance(independent(seed, 500)) == 1  # type: ignore[operator]


@pytest.mark.parametrize("distance", [calibration_distance, stream_distance])
@pytest.mark.parametrize(("rho", "least", "most"), [(0.5, 4, 7), (0.8, 10, 25)])
def test_scores_that_are_alike_are_thinned(distance: object, rho: float, least: int, most: int) -> None:
    """rho to the power of the distance is to be 0.05: 4.3 and 13.4 clips."""
    assert least <= distance(alike(3, 2000, rho)) <= most  # type: ignore[operator]


@pytest.mark.parametrize("at", [50, 300, 590])
def test_a_lasting_change_is_no_likeness_of_neighbours(at: int) -> None:
    changed = independent(1, 600)
    changed[at:] += 3
    assert stream_distance(changed) == 1


def test_few_or_equal_scores_say_nothing() -> None:
    assert stream_distance([1.0]) == calibration_distance([]) == stream_distance(alike(1, 19, 0.9)) == 1
    assert stream_distance([2.0] * 50) == calibration_distance([2.0] * 50) == 1


def test_normals_of_one_recording_and_near_ones_are_taken_once() -> None:
    recordings = ["a", "a", "b", "c", "c", "d", "e"]
    assert independent_clips(range(7), recordings, 1).tolist() == [0, 2, 3, 5, 6]
    assert independent_clips(range(7), recordings, 3).tolist() == [0, 3, 6]
