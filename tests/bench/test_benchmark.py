"""Figures of a benchmark: what is measured, and how repetitions become figures."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from osscl.backends import ComputeOptions
from osscl.bench import BenchmarkPlan, clock, neighbours, run_benchmark
from osscl.bench.benchmark import GFLOP_PER_CLIP
from osscl.bench.clips import open_clips
from osscl.bench.lines import Line
from osscl.bench.matrix_product import matrix_products
from osscl.bench.neighbours import Neighbours
from osscl.bench.rounds import ROUNDS, Repetition, Work, measure_in_rounds, repeat_call
from osscl.bench.stages import batches_of, known_machine
from osscl.config import ModelConfig, ModelInputs
from osscl.errors import BenchmarkError, ConfigError
from osscl.model import OSSCL
from osscl.model_file.bundle import read_bundle
from osscl.support.threads import usable_cpus


class SimulatedTime:
    """A clock that only goes on where a test says so."""

    def __init__(self) -> None:
        self._now_s = 1000.0

    def now(self) -> float:
        return self._now_s

    def pass_by(self, seconds: float) -> None:
        self._now_s += seconds


@pytest.mark.parametrize("inputs", ["three_maps", "log_mel"])
def test_arithmetic_of_a_clip_is_what_the_network_does(inputs: ModelInputs) -> None:
    model = OSSCL(ModelConfig(classes=("fan/id_00",), inputs=inputs)).eval()
    shapes = {"waveform": (1, 160_000), "log_mel": (1, 128, 313)}
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        model(*(torch.zeros(shapes[name]) for name in model.input_names))
    assert counter.get_total_flops() == pytest.approx(1e9 * GFLOP_PER_CLIP[inputs], rel=1e-4)


def test_repetitions_take_turns_until_the_budget_is_used() -> None:
    order: list[str] = []

    def work(name: str, budget_s: float) -> Work:
        def run(seconds: float) -> Repetition:
            assert seconds == budget_s / ROUNDS
            order.append(name)
            return Repetition(n_clips=3, elapsed_s=1.0, call_s=[1.0])

        return Work(run, budget_s)

    long, short = work("long", 100.0), work("short", 2.0)
    steps: list[None] = []
    measure_in_rounds([long, short], lambda: steps.append(None))
    assert (order.count("long"), order.count("short")) == (ROUNDS, 2)
    assert set(order[:2]) == {"long", "short"}
    assert len(steps) == 2 * ROUNDS
    assert long.clips_per_s == 3.0


def test_a_measurement_is_the_median_of_repetitions_and_percentiles_of_all_calls() -> None:
    rates = (10.0, 40.0, 20.0)
    done = [Repetition(4, 4 / rate, [1 / rate] * 4) for rate in rates]
    measured = Line("network", lambda _: done[0], 2, 1, 1).measured(Work(lambda _: done[0], 1.0, done), 0.5)
    assert measured.clips_per_s == pytest.approx(20.0)
    assert measured.ms_per_clip == pytest.approx(50.0)
    assert measured.p50_ms == pytest.approx(50.0)
    assert measured.n_calls == 12
    overlapping = [Repetition(4, 1.0)]
    measured = Line("decode", lambda _: done[0], 2).measured(Work(lambda _: done[0], 1.0, overlapping), None)
    assert (measured.p50_ms, measured.n_calls) == (None, 4)


def test_calls_are_timed_after_a_first_one_that_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    time = SimulatedTime()
    monkeypatch.setattr(clock, "now", time.now)
    left = [50.0, 2.0, 3.0, 4.0, 99.0]
    repetition = repeat_call(lambda: time.pass_by(left.pop(0)), 8, 8.0)
    assert left == [99.0]
    assert repetition == Repetition(n_clips=8 * 3, elapsed_s=9.0, call_s=[2.0, 3.0, 4.0])
    assert repeat_call(lambda: time.pass_by(left[0]), 1, 0.0).call_s == [99.0]  # at least one


def test_batches_hold_each_clip_and_are_of_one_size() -> None:
    clips = [np.full(5, number, np.int16) for number in range(5)]
    batches = batches_of(clips, 2)  # type: ignore[arg-type]  # narrower than Samples, which is enough
    assert [batch[:, 0].tolist() for batch in batches] == [[0, 1], [2, 3], [4, 0]]
    assert not np.shares_memory(batches[0], batches[2])


def test_any_machine_will_do_for_a_file_of_an_unknown_one() -> None:
    machine_of = known_machine(("pump/id_00", "fan/id_02"))
    assert machine_of("fan/test/normal_id_02_00000000.wav") == "fan/id_02"
    assert machine_of("whatever.wav") == "pump/id_00"


def test_matrix_products_obey_their_number_of_threads_and_say_when_they_die() -> None:
    with matrix_products({2, 1}) as processes:
        assert [process.threads for process in processes] == [1, 2]
        for each in processes:
            assert each.run(1024, 0.01).n_clips >= 1
        threads = [_threads(each.pid) for each in processes]
        assert threads == [1, min(2, usable_cpus())]  # a BLAS starts no more than there are processors
        processes[1]._process.kill()
        with pytest.raises(BenchmarkError, match="ended with exit code"):
            processes[1].run(64, 0.01)


def _threads(pid: int) -> int:
    tasks = Path(f"/proc/{pid}/task")
    if not tasks.exists():
        pytest.skip("needs /proc to see the threads of a process")
    return len(list(tasks.iterdir()))


def write_processor_time(proc: Path, machine: list[int], processes: dict[int, tuple[int, int]]) -> None:
    """Files as Linux shows them: ticks of the whole machine, and (user, system) of processes."""
    proc.joinpath("stat").write_text(f"cpu  {' '.join(map(str, machine))}\ncpu0 9 9 9 9 9 9 9 9 9 9\n")
    for pid, (user, system) in processes.items():
        (proc / str(pid)).mkdir(exist_ok=True)
        before = f"{pid} (a name) with spaces) S 1 2 3 4 5 6 7 8 9 10"
        (proc / str(pid) / "stat").write_text(f"{before} {user} {system} 55 66 77\n")


def test_neighbours_are_those_that_are_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    time, own = SimulatedTime(), SimulatedTime()
    monkeypatch.setattr(clock, "now", time.now)
    monkeypatch.setattr(clock, "used_by_this_process", own.now)
    monkeypatch.setattr(neighbours, "_PROC", tmp_path)
    monkeypatch.setattr(os, "sysconf", {"SC_CLK_TCK": 100}.__getitem__)
    #                               user nice system idle iowait irq softirq steal guest guest_nice
    write_processor_time(tmp_path, [1000, 100, 500, 9000, 800, 10, 20, 30, 5, 6], {7: (300, 40), 8: (5, 5)})
    all_others, but_one, but_both = Neighbours(), Neighbours([7]), Neighbours([7, 8])
    assert all_others.cpus() is None  # no time went by
    time.pass_by(10.0)
    own.pass_by(2.0)
    write_processor_time(tmp_path, [2000, 200, 600, 9900, 999, 20, 40, 60, 7, 8], {7: (900, 90), 8: (55, 5)})
    busy_s = (1000 + 100 + 100 + 10 + 20 + 30) / 100
    assert all_others.cpus() == pytest.approx((busy_s - 2.0) / 10.0)
    assert but_one.cpus() == pytest.approx((busy_s - 2.0 - 6.5) / 10.0)
    assert but_both.cpus() == pytest.approx((busy_s - 2.0 - 6.5 - 0.5) / 10.0)
    own.pass_by(100.0)
    assert all_others.cpus() == 0.0  # ticks are coarse
    (tmp_path / "stat").unlink()
    assert Neighbours().cpus() is None


def test_neighbours_are_told_by_the_real_files_where_there_are_any() -> None:
    with matrix_products({1}) as processes:
        pid = processes[0].pid
        if not Path(f"/proc/{pid}/stat").exists():
            pytest.skip("needs /proc to see how busy a process is")
        watched = Neighbours([pid])
        before = neighbours._ticks(pid)
        while neighbours._ticks(pid) < before + 3:
            processes[0].run(512, 0.0)
        assert (watched.cpus() or 0.0) >= 0.0


def test_synthetic_clips_go_when_the_benchmark_is_over() -> None:
    read = []
    with open_clips(None, 3, read_bundle("demo").manifest, lambda: read.append(1)) as clips:
        assert (len(clips.paths), len(clips.samples), len(read), clips.n_unusable) == (3, 3, 3, 0)
        assert clips.source == "osscl synth --machines 3 --normal 3 --seed 11"
    assert not Path(clips.paths[0]).exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seconds": 0.0}, "seconds is 0.0; expected a time above zero"),
        ({"seconds": float("nan")}, "seconds is nan"),
        ({"n_clips": 0}, "clips is 0; expected at least 1"),
    ],
)
def test_plans_out_of_range_are_refused(changes: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        BenchmarkPlan(**changes)  # type: ignore[arg-type]


def test_one_thread_has_one_line_a_way() -> None:
    plan = BenchmarkPlan(n_clips=1, seconds=0.01, compute=ComputeOptions(threads=1))
    found = run_benchmark("demo", plan, lambda *_: None)
    lines = [(line.stage, line.threads, line.batch_size) for line in found.measurements]
    assert lines == [
        *(("front_end", 1, size) for size in (1, 8, 32)),
        ("decode", 1, 1),
        ("network", 1, 1),
        ("end_to_end", 1, 1),
        ("latency", 1, 1),
    ]
    assert {product.threads for product in found.matrix_product} == {1}
