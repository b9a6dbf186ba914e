"""The smallest size that is found in a recording, by halving."""

import numpy as np
import numpy.typing as npt
import pytest

from osscl.sensitivity.grids import coarse_grid, fine_grid
from osscl.sensitivity.sound import Sound
from osscl.sensitivity.trials import N_OFFSETS, PLACES, as_recorded, first_found, laid_into, tried

BANDS = [each for each in fine_grid() if each.kind == "band" and each.sizes.largest > 0][2:5]


@pytest.fixture(scope="module")
def noise() -> npt.NDArray[np.int16]:
    return np.random.default_rng(5).normal(0, 600, 160_000).astype(np.int16)


def louder_than(rms: float) -> object:
    def is_found(waveforms: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
        found: npt.NDArray[np.bool_] = np.sqrt(np.mean(np.square(waveforms, dtype=np.float64), 1)) > rms
        return found

    return is_found


@pytest.mark.parametrize("offset", range(N_OFFSETS))
def test_halving_finds_what_trying_every_size_finds(noise: npt.NDArray[np.int16], offset: int) -> None:
    is_found = louder_than(0.03)
    found = first_found(noise, BANDS, is_found, offset, 7)  # type: ignore[arg-type]
    sound = Sound(noise)
    for change, number in zip(BANDS[:1], found, strict=False):
        lay = laid_into(sound, change, 7)
        numbers = np.flatnonzero(tried(offset))
        decided = [bool(is_found(as_recorded(lay(change.sizes.at(PLACES[n])))[None])[0]) for n in numbers]  # type: ignore[operator]
        assert number == numbers[decided.index(True)]


def test_what_is_always_or_never_found(noise: npt.NDArray[np.int16]) -> None:
    changes = coarse_grid()[:2]
    assert first_found(noise, changes, louder_than(0.0), 2, 0).tolist() == [2, 2]  # type: ignore[arg-type]
    assert first_found(noise, changes, louder_than(9.0), 2, 0).tolist() == [124, 124]  # type: ignore[arg-type]


def test_what_is_tried_beside_changes_nothing(noise: npt.NDArray[np.int16]) -> None:
    together = first_found(noise, BANDS, louder_than(0.03), 1, 3)  # type: ignore[arg-type]
    alone = [first_found(noise, [each], louder_than(0.03), 1, 3)[0] for each in BANDS]  # type: ignore[arg-type]
    assert together.tolist() == alone


def test_nothing_is_louder_than_a_recorder_takes() -> None:
    assert np.abs(as_recorded(np.array([-3.0, 0.5, 2.0]))).tolist() == [1.0, 0.5, 1.0]
