"""The processor's peak: counted right, independent of any BLAS, the one that shares are told by."""

from contextlib import ExitStack

import pytest

from osscl import _native
from osscl.bench.ceilings import ProcessorCeilings
from osscl.bench.lines import Line
from osscl.bench.multiply_add import MultiplyAdds, peak_precision
from osscl.bench.rounds import Repetition, Work

PRECISIONS = _native.multiply_add_precisions()


def test_fp32_can_be_timed_everywhere() -> None:
    assert PRECISIONS in (["fp32"], ["fp32", "bf16"])


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_arithmetic_is_that_of_all_threads_and_steps(precision: str) -> None:
    one = _native.multiply_adds(precision=precision, n_steps=800, n_threads=1)
    assert one % 800 == 0
    assert _native.multiply_adds(precision=precision, n_steps=1600, n_threads=3) == 6 * one


def test_what_cannot_be_computed_is_refused() -> None:
    with pytest.raises(ValueError, match="no multiply-add of precision 'fp64'"):
        _native.multiply_adds(precision="fp64", n_steps=8, n_threads=1)
    with pytest.raises(ValueError, match="n_threads must be at least 1"):
        _native.multiply_adds(precision="fp32", n_steps=8, n_threads=0)


def test_rates_follow_from_calls_and_their_times() -> None:
    adds = MultiplyAdds("fp32", 1)
    work = Work(adds.run, 1.0)
    work.done += [
        Repetition(n_clips=4, elapsed_s=2.0, call_s=[0.5] * 4),
        Repetition(8, 2.0, [0.25] * 8),
        Repetition(6, 2.0, [0.2, 0.2, 0.4, 0.4, 0.4, 0.4]),
    ]
    found = adds.figures(work)
    gflop = 1e-9 * _native.multiply_adds(precision="fp32", n_steps=1 << 18, n_threads=1)
    assert (found.gflop_per_s, found.best_gflop_per_s) == pytest.approx((3 * gflop, 5 * gflop))


def test_bf16_is_told_by_bf16_where_the_processor_has_it_and_the_rest_by_fp32() -> None:
    assert peak_precision("bf16") == PRECISIONS[-1]
    assert {peak_precision(each) for each in ("fp32", "fp16", "int8")} == {"fp32"}


def test_a_line_is_measured_by_the_multiply_adds_of_its_threads_whatever_the_blas_does() -> None:
    def nothing(_: float) -> Repetition:
        raise AssertionError

    with ExitStack() as opened:
        ceilings = ProcessorCeilings("fp32", 2, 1.0, opened)
        rates = {1: 5.0, 2: 9.0}
        for adds, work in ceilings._adds:
            work.done.append(Repetition(1, 1.0, [adds._gflop_per_call / rates[adds.threads]]))
        for work in ceilings._products.values():
            work.done.append(Repetition(1, 1e-6))  # a BLAS beyond belief changes no share
        for threads, rate in rates.items():
            assert ceilings.peak_gflop_per_s(Line("network", nothing, threads)) == pytest.approx(rate)
