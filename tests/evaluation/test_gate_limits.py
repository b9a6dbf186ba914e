"""Limits of the accuracy gate, and how many clips it takes to tell whether they are kept."""

import numpy as np
import pytest

from osscl.errors import ConfigError
from osscl.evaluation.gate_limits import GateLimits, GateSize, gate_size
from osscl.metrics import auc, rank_correlation
from osscl.model_file.bundle import read_bundle


def swapped(n: int) -> float:
    """Rank correlation of n scores with the same ones, the middle two of them swapped."""
    scores = np.arange(n, dtype=float)
    other = scores.copy()
    other[[n // 2 - 1, n // 2]] = other[[n // 2, n // 2 - 1]]
    return rank_correlation(scores, other)


@pytest.mark.parametrize("least", [0.0, 0.9, 0.99, 0.999, 0.9999])
def test_so_many_clips_bear_one_swap_of_ranks(least: float) -> None:
    needed = GateLimits(min_rank_correlation=least).n_clips
    assert needed is not None
    assert swapped(needed) >= least
    assert needed == 3 or swapped(needed - 1) < least


def change_of_auc(n: int, n_machines: int) -> float:
    """How much the mean AUC changes where an anomalous clip falls below the next normal one."""
    labels = [False] * n + [True] * n
    after = [*range(n - 1), n, n - 1, *range(n + 1, 2 * n)]
    return (auc(labels, np.arange(2 * n)) - auc(labels, np.array(after))) / n_machines


@pytest.mark.parametrize("n_machines", [1, 12])
@pytest.mark.parametrize("most", [0.002, 0.01, 0.0001])
def test_so_many_of_each_label_bear_one_swap(most: float, n_machines: int) -> None:
    needed = GateLimits(max_auc_change=most).n_of_each_label(n_machines)
    assert needed is not None
    assert change_of_auc(needed, n_machines) <= most + 1e-12
    assert change_of_auc(needed - 1, n_machines) > most


def test_where_nothing_may_change_no_number_of_clips_is_too_small() -> None:
    strict = GateLimits(1.0, 0.0)
    assert (strict.n_clips, strict.n_of_each_label(4)) == (None, None)
    assert GateSize(2, {"fan/id_00": (1, 1)}).doubt(strict) is None


def test_a_small_gate_is_told_how_many_clips_it_takes() -> None:
    said = GateSize(12, {"fan/id_00": (4, 3), "fan/id_02": (2, 3)}).doubt(GateLimits())
    assert said == (
        "the accuracy gate has few clips, and chance may fail it: with 12 in all, two neighbours that swap "
        "ranks take the rank correlation below 0.999; it takes 23; with 2 normal and 3 anomalous ones of "
        "fan/id_02, two that swap places change the AUC by 0.083, and 0.002 is allowed; it takes 16 and 16 "
        "of each of 2 machines"
    )
    assert GateSize(46, {"fan/id_00": (23, 23)}).doubt(GateLimits()) is None
    assert GateSize(23, {}).doubt(GateLimits()) is None


def test_clips_are_counted_by_their_names() -> None:
    names = ("normal_id_00_0", "normal_id_00_1", "anomaly_id_00_0", "normal_id_01_0", "clip_id_01_0")
    paths = [f"blower/test/{name}.wav" for name in names] + ["unheard_of/test/normal_id_00_0.wav"]
    assert gate_size(paths, read_bundle("demo").manifest) == GateSize(5, {"blower/id_00": (2, 1)})


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
@pytest.mark.parametrize("name", ["min_rank_correlation", "max_auc_change"])
def test_limits_outside_their_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=rf"{name} is .*; it must lie in \[0, 1\]"):
        GateLimits(**{name: value})
