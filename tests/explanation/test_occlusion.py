"""Occlusion finds what a score rests on, whatever gives the score."""

import numpy as np
import numpy.typing as npt
import pytest

from osscl.explanation import wording
from osscl.explanation.occlusion import occlude

Waveforms = npt.NDArray[np.float32]
HZ = np.fft.rfftfreq(160_000, 1 / 16_000)
CLIP = (0.1 * np.random.default_rng(0).standard_normal(160_000)).astype(np.float32)


def level_of_band(clips: Waveforms) -> npt.NDArray[np.float64]:
    power = np.abs(np.fft.rfft(clips, axis=1)) ** 2
    return np.asarray(10 * np.log10(power[:, (HZ > 2100) & (HZ < 2400)].sum(1)))


def loudest_part(clips: Waveforms) -> npt.NDArray[np.float64]:
    return np.asarray((clips**2).reshape(len(clips), 100, -1).mean(2).max(1), np.float64)


def test_the_band_that_a_score_rests_on_has_its_share() -> None:
    found = occlude(CLIP, level_of_band)
    heaviest = int(np.argmax(found.band_shares))
    low_hz, high_hz = found.bands_hz[heaviest]
    assert low_hz < 2250 < high_hz
    assert found.band_shares[heaviest] > 0.9
    assert sum(found.band_shares) == pytest.approx(1)
    assert len(found.bands_hz) == len(found.band_shares) == 16


@pytest.mark.parametrize("part", [0, 3, 9])
def test_the_time_that_a_score_rests_on_has_its_share(part: int) -> None:
    clip = CLIP.copy()
    clip[16_000 * part + 4000 : 16_000 * part + 8000] *= 4
    found = occlude(clip, loudest_part)
    assert found.times_s[int(np.argmax(found.time_shares))] == (part, part + 1)
    assert max(found.time_shares) > 0.9


def test_a_score_that_nothing_lowers_has_no_shares() -> None:
    found = occlude((CLIP * 32767).astype(np.int16), lambda clips: np.zeros(len(clips)))
    assert set(found.band_shares) == set(found.time_shares) == {0.0}
    assert wording.occlusion(found) == "the network's score rests on no single band or time"
