"""The memory's arithmetic is the published one, on the published features."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from osscl.decisions import Background, Memory, ledoit_wolf, p_values
from osscl.decisions.blocks import BLOCKS
from osscl.decisions.fitted import fit_all, weighted_sum

LETTERS = dict(zip(BLOCKS, "ABCD", strict=True))
Figures = dict[str, npt.NDArray[np.float64]]


@pytest.fixture(scope="module")
def figures(shared: Path) -> Figures:
    with np.load(shared / "reference" / "memory_reference.npz") as stored:
        return {name: stored[name] for name in stored.files if not name.endswith("path")}


def rows(figures: Figures, part: str) -> npt.NDArray[np.float64]:
    return np.concatenate([figures[f"uav_{part}_{letter}"] for letter in LETTERS.values()], axis=1)


@pytest.mark.parametrize("flight", ["00", "02", "04", "06"])
def test_distances_and_scores_are_the_published_ones(figures: Figures, flight: str) -> None:
    priors = {name: figures[f"prior_{letter}"] for name, letter in LETTERS.items()}
    normals, clips = rows(figures, f"{flight}_train"), rows(figures, f"{flight}_test")
    fitted = fit_all(normals, np.arange(len(normals)), priors)
    for name, distances in fitted.distances(clips).items():
        expected = figures[f"uav_{flight}_distance_{LETTERS[name]}"]
        np.testing.assert_allclose(distances, expected, rtol=0, atol=1e-9)
    scores = weighted_sum(fitted.z(clips))
    np.testing.assert_allclose(fitted.leave_one_out, figures[f"uav_{flight}_loo"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(scores, figures[f"uav_{flight}_score"], rtol=0, atol=1e-9)
    assert p_values(fitted.leave_one_out, scores).tolist() == figures[f"uav_{flight}_p"].tolist()


@pytest.mark.parametrize("flight", ["00", "02", "04", "06"])
def test_the_stored_form_decides_as_the_published_figures(figures: Figures, flight: str) -> None:
    priors = {name: figures[f"prior_{letter}"] for name, letter in LETTERS.items()}
    background = Background(**priors, n_machines=12, n_clips=192, source="made", features_sha256="")
    clips = rows(figures, f"{flight}_test")
    memory = Memory.fit(rows(figures, f"{flight}_train"), background=background)
    for name, distances in memory.fitted.distances(clips).items():
        np.testing.assert_allclose(distances, figures[f"uav_{flight}_distance_{LETTERS[name]}"], rtol=2e-3)
    scores = memory.score(clips).score
    np.testing.assert_allclose(memory.leave_one_out, figures[f"uav_{flight}_loo"], rtol=0, atol=0.15)
    np.testing.assert_allclose(scores, figures[f"uav_{flight}_score"], rtol=0, atol=0.15)
    assert p_values(memory.leave_one_out, scores).tolist() == figures[f"uav_{flight}_p"].tolist()


def test_shrinkage_is_that_of_scikit_learn() -> None:
    from sklearn.covariance import ledoit_wolf as reference

    rng = np.random.default_rng(0)
    for n in (3, 40, 500):
        x = rng.normal(size=(n, 12)) @ rng.normal(size=(12, 12))
        x -= x.mean(0)
        np.testing.assert_allclose(ledoit_wolf(x), reference(x, assume_centered=True)[0], rtol=1e-9)
