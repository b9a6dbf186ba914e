"""The simulated fleet: each clip has one record whatever fails, and what it tells is what arithmetic says."""

from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from conftest import REPOSITORY

N_BATCHES = 20
T_95 = 2.093  # Student's t of 19 degrees of freedom, two-sided


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import the program's modules by name."""
    monkeypatch.syspath_prepend(str(REPOSITORY))
    return lambda name: import_module(f"benchmarks.fleet.{name}")


@pytest.fixture
def cell(fleet: Any) -> Any:
    """400 machines that send a clip each 10 s to four workers, in which nothing fails."""
    return fleet("cell").Cell(
        n_workers=4,
        service_s=0.07,
        spread=(0.7, 0.9, 1.0, 1.4),
        n_machines=400,
        lasts_s=300.0,
        period_s=10.0,
        commit_s=0.0,
    )


def interval(lengths: np.ndarray) -> tuple[float, float]:
    """Say where the mean length of a queue lies, by the means of batches: 95 %."""
    means = np.array([batch.mean() for batch in np.array_split(lengths, N_BATCHES)])
    half = T_95 * means.std(ddof=1) / np.sqrt(N_BATCHES)
    return float(means.mean() - half), float(means.mean() + half)


def test_a_queue_is_as_long_as_queueing_theory_says(fleet: Any) -> None:
    # machines that send once, whenever they like, to one worker of constant speed: M/D/1
    alone = fleet("cell").Cell(
        n_workers=1,
        service_s=0.25,
        spread=(1.0,),
        n_machines=8_000,
        lasts_s=4000.0,
        period_s=4000.0,
        jitter_s=0.0,
        commit_s=0.0,
    )
    outcome = fleet("simulation").simulated(alone, seed=3)
    low, high = interval(outcome.queue_lengths)
    assert alone.offered == 0.5
    assert low <= 0.5**2 / (2 * (1 - 0.5)) <= high  # Pollaczek and Khinchine
    assert high - low < 0.1
    assert low <= outcome.n_queued / alone.lasts_s * outcome.mean_wait_s <= high  # Little


def test_where_nothing_fails_each_clip_is_scored_once_and_workers_are_as_busy_as_arithmetic_says(
    fleet: Any, cell: Any
) -> None:
    outcome = fleet("simulation").simulated(cell, seed=1)
    assert outcome.n_made == outcome.n_recorded == len(outcome.delays_s) == outcome.n_queued == 12_000
    assert outcome.n_twice == outcome.n_lost == outcome.n_left == outcome.n_refused == outcome.n_deaths == 0
    assert cell.offered == pytest.approx(0.7)
    assert outcome.utilisation == pytest.approx(cell.offered, rel=0.01)
    assert outcome.delays_s.min() == pytest.approx(0.7 * cell.service_s)
    low, high = interval(outcome.queue_lengths)
    assert low <= cell.arrivals_a_second * outcome.mean_wait_s <= high


def test_whatever_fails_each_clip_has_one_record(fleet: Any, cell: Any) -> None:
    outage = fleet("cell").Outage
    failing = replace(
        cell,
        lease_s=5.0,
        worker_lives_s=60.0,
        worker_away_s=10.0,
        stall_every_s=60.0,
        stall_lasts_s=8.0,
        answers_lost=0.01,
        workers_gone=(outage(100.0, 20.0, 1.0),),
        store_gone=(outage(200.0, 20.0),),
    )
    outcome = fleet("simulation").simulated(failing, seed=1)
    assert outcome.n_made == outcome.n_recorded == len(outcome.delays_s)
    assert outcome.n_lost == outcome.n_left == 0
    assert outcome.n_deaths > 4
    assert outcome.n_given_again > 0
    assert outcome.n_twice >= 0.005 * outcome.n_made  # answers that were lost alone make one of a hundred
    assert outcome.n_queued >= outcome.n_made + outcome.n_given_again


def test_what_no_machine_could_keep_is_counted(fleet: Any, cell: Any) -> None:
    gone = fleet("cell").Outage(50.0, 150.0, 1.0)
    full = replace(cell, queue_limit=100, machine_keeps=5, workers_gone=(gone,))
    outcome = fleet("simulation").simulated(full, seed=1)
    assert 100 <= outcome.longest_queue <= 100 + outcome.n_given_again  # which were let in before
    assert outcome.n_refused > outcome.n_lost > 0
    assert outcome.n_left == 0
    assert outcome.n_recorded == outcome.n_made - outcome.n_lost
    roomy = fleet("simulation").simulated(replace(full, machine_keeps=20), seed=1)
    assert roomy.n_lost == 0
    assert roomy.n_recorded == roomy.n_made


def test_a_seed_gives_the_same_fleet_again(fleet: Any, cell: Any) -> None:
    short = replace(cell, lasts_s=50.0, worker_lives_s=20.0, answers_lost=0.05)
    first, again, other = (fleet("simulation").simulated(short, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.delays_s, again.delays_s)
    assert not np.array_equal(first.delays_s, other.delays_s)


def test_a_plan_is_costs_times_assumptions(fleet: Any) -> None:
    assumed = fleet("assumptions").Assumptions(machines=6000, period_s=60, utilisation=0.5, record_days=30)
    cost: dict[str, Any] = {"cpu_ms": 50.0, "peak_mib": 512.0, "table_bytes": 100.0, "journal_bytes": 300.0}
    cost["machines"] = {"process_kib": 1024.0}
    needs = fleet("plan").needs(cost, assumed)
    assert needs["busy_cores"] == pytest.approx(5)
    assert needs["cores"] == 10
    assert needs["hosts"] == 1
    assert needs["memory_gib"] == pytest.approx(5 + 6000 / 1024)
    assert needs["records_gb_a_day"] == pytest.approx(8.64e6 * 400 / 1e9)
    assert needs["price_cores_a_day"] == pytest.approx(24 * 10 * assumed.price_core_hour)


def test_the_page_shows_what_the_program_prints(fleet: Any) -> None:
    page = (REPOSITORY / "docs" / "scale.md").read_text()
    tables, assumed = fleet("tables"), fleet("assumptions").Assumptions()
    measured = fleet("__main__").measured_costs()
    for lines in (
        tables.costs(measured),
        tables.machines(measured),
        tables.fleet(measured, assumed),
        tables.recordings(assumed),
        tables.limits(measured, assumed),
        tables.assumptions(assumed),
    ):
        assert "\n".join(lines) in page


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["plan", "--machines", "-5"], "--machines: -5 is no number from 0"),
        (["plan", "--period-s", "0"], "--period-s: 0 is not above 0"),
        (["simulate", "--machines", "20"], "--machines: 20 is no whole number from 1000"),
    ],
)
def test_values_that_mean_nothing_are_refused(
    fleet: Any,
    arguments: list[str],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.argv", ["fleet", *arguments])
    with pytest.raises(SystemExit, match="2"):
        fleet("__main__").parsed()
    assert told in capsys.readouterr().err
