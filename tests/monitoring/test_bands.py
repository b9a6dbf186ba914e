"""Where in frequency clips have changed."""

import numpy as np
import pytest

from osscl.monitoring.bands import EDGES_HZ, changed_bands


def levels(seed: int, n: int) -> np.ndarray:
    """Levels of clips in 32 bands, of spread 2 dB."""
    return np.random.default_rng(seed).normal(-60, 2, (n, 32))


def test_bands_are_those_of_the_level_features() -> None:
    edges = EDGES_HZ
    assert edges.shape == (33,)
    assert (edges[0], edges[-1]) == (0, 8000)
    assert (np.diff(edges) > 0).all()


def test_what_did_not_change_is_no_band() -> None:
    found = [changed_bands(levels(seed, 60), levels(100 + seed, 32)) for seed in range(50)]
    assert sum(bool(each) for each in found) <= 3


def test_neighbouring_bands_are_one_range_and_sides_are_apart() -> None:
    after = levels(2, 32)
    after[:, 4:7] += 8
    after[:, 7] -= 9
    after[:, 28:] += 7
    edges = EDGES_HZ
    found = changed_bands(levels(1, 60), after)
    assert [text.split(" dB ")[0][0] for text in found] == ["-", "+", "+"]
    assert found[1].startswith(f"+8 dB at {edges[4]:.0f} to {edges[7]:.0f} Hz")
    assert found[2].endswith(f"at {edges[28] / 1000:.1f} to 8.0 kHz")


def test_small_changes_beside_a_large_one_are_not_named() -> None:
    after = levels(2, 32)
    after[:, 10] += 12
    after[:, 20] += 4
    assert len(changed_bands(levels(1, 60), after)) == 1


@pytest.mark.parametrize(("before", "after"), [(60, 2), (2, 60), (0, 5)])
def test_too_few_clips_say_nothing(before: int, after: int) -> None:
    assert changed_bands(levels(1, before), levels(2, after) + 20) == ()
