"""The matrix-product rate: what the processor could do at most, by the best of NumPy's BLAS and PyTorch's."""

from collections import defaultdict
from contextlib import ExitStack
from functools import partial

import torch

from osscl.bench.matrix_product import SIZES, matrix_products
from osscl.bench.rounds import Repetition, Work, repeat_call

SECONDS = 0.1
_TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


class Peaks:
    """Matrix products of several sizes, each as a work that takes part in the rounds.

    Parameters
    ----------
    threads : set of int
        Numbers of threads.
    stack : ExitStack
        Ends the processes that are started for NumPy.
    """

    def __init__(self, threads: set[int], stack: ExitStack) -> None:
        self._works: dict[tuple[str, str, int, int], Work] = {}
        processes = stack.enter_context(matrix_products(threads))
        self.pids = [process.pid for process in processes]
        for process in processes:
            for size in SIZES:
                run = partial(process.run, size)
                self._works["fp32", "NumPy", process.threads, size] = Work(run, SECONDS)
        for precision, kind in _TYPES.items():
            for number in sorted(threads):
                for size in SIZES:
                    run = partial(_torch_products, kind, number, size)
                    self._works[precision, "PyTorch", number, size] = Work(run, SECONDS)

    @property
    def works(self) -> list[Work]:
        """All of them."""
        return list(self._works.values())

    def rows(self) -> list[dict[str, object]]:
        """The best size for each precision, library and number of threads: the highest rate is the peak."""
        rates = defaultdict(list)
        for (precision, library, threads, size), work in self._works.items():
            best, median = (2e-9 * size**3 * rate for rate in (work.best_clips_per_s, work.clips_per_s))
            rates[precision, library, threads].append((best, median, size))
        return [
            {
                "precision": key[0],
                "library": key[1],
                "threads": key[2],
                "size": max(found)[2],
                "best_gflop_per_s": max(found)[0],
                "gflop_per_s": max(found)[1],
            }
            for key, found in rates.items()
        ]

    def peak(self, precision: str, threads: int) -> float:
        """Highest rate of any repetition, GFLOP/s: a disturbance only lowers it."""
        return max(
            row["best_gflop_per_s"]
            for row in self.rows()
            if row["precision"] == precision and row["threads"] == threads
        )


def _torch_products(kind: torch.dtype, threads: int, size: int, seconds: float) -> Repetition:
    torch.set_num_threads(threads)
    left, right = (torch.randn(size, size).to(kind) for _ in range(2))
    product = torch.empty_like(left)
    with torch.inference_mode():
        return repeat_call(lambda: torch.mm(left, right, out=product), 1, seconds)
