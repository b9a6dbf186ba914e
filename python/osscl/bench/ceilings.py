"""What hardware could do at most, measured in the same rounds as the stages."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial

from osscl.bench.figures import Copies, MatrixProduct
from osscl.bench.lines import Line
from osscl.bench.matrix_product import SIZES, as_figures, matrix_products
from osscl.bench.rounds import Work


class Ceilings(ABC):
    """Works that take part in the rounds, and what follows from them.

    Attributes
    ----------
    works : sequence of Work
        They are measured like the stages.
    pids : sequence of int
        Processes that count as ours.
    """

    works: Sequence[Work]
    pids: Sequence[int] = ()

    @abstractmethod
    def products(self) -> tuple[MatrixProduct, ...]:
        """Rates of matrix products."""

    @abstractmethod
    def copies(self) -> Copies | None:
        """Rate of copies to a GPU; None without one."""

    @abstractmethod
    def peak_gflop_per_s(self, line: Line) -> float | None:
        """Matrix-product rate that a line is to be measured by; None where none is known."""


class ProcessorCeilings(Ceilings):
    """Matrix products by NumPy, on one thread and on as many as are used.

    Parameters
    ----------
    threads : int
        Processors used.
    seconds : float
        Time for all products together.
    opened : ExitStack
        Ends the processes that multiply.
    """

    def __init__(self, threads: int, seconds: float, opened: ExitStack) -> None:
        processes = opened.enter_context(matrix_products({1, threads}))
        self.pids = [process.pid for process in processes]
        ways = [(process, size) for process in processes for size in SIZES]
        self._works = {
            (process.threads, size): Work(partial(process.run, size), seconds / len(ways))
            for process, size in ways
        }
        self.works = tuple(self._works.values())

    def products(self) -> tuple[MatrixProduct, ...]:
        return tuple(as_figures(threads, size, work) for (threads, size), work in self._works.items())

    def copies(self) -> None:
        return None

    def peak_gflop_per_s(self, line: Line) -> float:
        return max(each.best_gflop_per_s for each in self.products() if each.threads == line.threads)
