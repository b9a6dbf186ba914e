"""The rate of fp32 matrix products by NumPy: what the installed BLAS makes of the processor."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from osscl.bench.figures import MatrixProduct
from osscl.bench.rounds import Repetition, Work, repeat_call
from osscl.errors import BenchmarkError

SIZES = (512, 1024, 2048)
_THREAD_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


class MatrixProducts:
    """A process of its own that multiplies matrices: a BLAS takes its number of threads when it is loaded.

    Parameters
    ----------
    threads : int
        Threads of the BLAS.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        command = [sys.executable, "-m", "osscl.bench.matrix_product_worker"]
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | dict.fromkeys(_THREAD_VARIABLES, str(threads)),
            start_new_session=True,  # Ctrl-C is for this process, which ends that one
        )

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def run(self, size: int, seconds: float) -> Repetition:
        """Multiply for some time.

        Parameters
        ----------
        size : int
            Rows and columns of both matrices.
        seconds : float
            When to stop.

        Returns
        -------
        Repetition
            One product counts as one clip.

        Raises
        ------
        BenchmarkError
            The process died.
        """
        return repeat_call(lambda: self._multiply(size), 1, seconds)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        with suppress(BrokenPipeError), self._process:  # of a process that died, the last order is left over
            pass

    def _multiply(self, size: int) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            print(size, file=self._process.stdin, flush=True)
        except BrokenPipeError:
            pass
        else:
            if self._process.stdout.readline():
                return
        raise BenchmarkError(
            f"the process that multiplies matrices ended with exit code {self._process.wait()}; "
            "is there enough memory?"
        )


@contextmanager
def matrix_products(threads: set[int]) -> Iterator[list[MatrixProducts]]:
    """Start a process for each number of threads, and end it.

    Parameters
    ----------
    threads : set of int
        Numbers of threads.

    Yields
    ------
    list of MatrixProducts
        In rising order.
    """
    started: list[MatrixProducts] = []
    try:
        for number in sorted(threads):
            started.append(MatrixProducts(number))  # noqa: PERF401 - those started are ended if one fails
        yield started
    finally:
        for products in started:
            products.close()


def as_figures(threads: int, size: int, work: Work) -> MatrixProduct:
    """Rate of products that were timed.

    Parameters
    ----------
    threads, size : int
        Which ones.
    work : Work
        Their times.

    Returns
    -------
    MatrixProduct
        The rate.
    """
    return MatrixProduct(
        precision="fp32",
        threads=threads,
        size=size,
        gflop_per_s=2e-9 * size**3 * work.clips_per_s,
        best_gflop_per_s=2e-9 * size**3 * work.best_clips_per_s,
        n_products=len(work.call_s),
    )
