"""What hardware could do at most, measured in the same rounds as the stages."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial

from osscl.bench.figures import Copies, MatrixProduct, MultiplyAdd
from osscl.bench.lines import Line
from osscl.bench.matrix_product import SIZES, as_figures, matrix_products
from osscl.bench.multiply_add import MultiplyAdds, peak_precision
from osscl.bench.rounds import Work
from osscl.model_file.manifest import Precision


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
    def multiply_adds(self) -> tuple[MultiplyAdd, ...]:
        """Rates of multiply-adds in registers; none on a GPU."""

    @abstractmethod
    def copies(self) -> Copies | None:
        """Rate of copies to a GPU; None without one."""

    @abstractmethod
    def peak_gflop_per_s(self, line: Line) -> float | None:
        """Rate that a line is to be measured by; None where none is known."""


class ProcessorCeilings(Ceilings):
    """Multiply-adds in registers and, beside them, matrix products by NumPy; on one thread and on all used.

    Parameters
    ----------
    precision : Precision
        The model's.
    threads : int
        Processors used.
    seconds : float
        Time for all multiply-adds together, and for all products.
    opened : ExitStack
        Ends the processes that multiply.
    """

    def __init__(self, precision: Precision, threads: int, seconds: float, opened: ExitStack) -> None:
        self._precision = peak_precision(precision)
        precisions = dict.fromkeys(("fp32", self._precision))
        numbers = sorted({1, threads})
        adds = [MultiplyAdds(each, number) for each in precisions for number in numbers]
        self._adds = [(each, Work(each.run, seconds / len(adds))) for each in adds]
        processes = opened.enter_context(matrix_products(set(numbers)))
        self.pids = [process.pid for process in processes]
        ways = [(process, size) for process in processes for size in SIZES]
        self._products = {
            (process.threads, size): Work(partial(process.run, size), seconds / len(ways))
            for process, size in ways
        }
        self.works = [*(work for _, work in self._adds), *self._products.values()]

    def products(self) -> tuple[MatrixProduct, ...]:
        return tuple(as_figures(threads, size, work) for (threads, size), work in self._products.items())

    def multiply_adds(self) -> tuple[MultiplyAdd, ...]:
        return tuple(adds.figures(work) for adds, work in self._adds)

    def copies(self) -> None:
        return None

    def peak_gflop_per_s(self, line: Line) -> float:
        return max(
            each.best_gflop_per_s
            for each in self.multiply_adds()
            if (each.threads, each.precision) == (line.threads, self._precision)
        )
