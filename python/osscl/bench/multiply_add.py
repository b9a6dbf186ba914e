"""The rate of multiply-adds in registers: what the processor could do at most, whatever BLAS is installed."""

from osscl import _native
from osscl.bench.figures import MultiplyAdd
from osscl.bench.rounds import Repetition, Work, repeat_call
from osscl.model_file.manifest import Precision

_N_STEPS = 1 << 18  # of each thread in one call: about a millisecond
_GFLOP = 1e-9


class MultiplyAdds:
    """Independent multiply-adds on so many threads.

    Parameters
    ----------
    precision : {"fp32", "bf16"}
        Out of `precisions`.
    threads : int
        Threads that compute side by side.
    """

    def __init__(self, precision: str, threads: int) -> None:
        self._precision = precision
        self.threads = threads
        self._gflop_per_call = _GFLOP * self._compute()

    def run(self, seconds: float) -> Repetition:
        """Compute for some time; one call counts as one clip."""
        return repeat_call(self._compute, 1, seconds)

    def figures(self, work: Work) -> MultiplyAdd:
        """Rate of calls that were timed.

        Parameters
        ----------
        work : Work
            Their times.

        Returns
        -------
        MultiplyAdd
            The rate.
        """
        return MultiplyAdd(
            precision=self._precision,
            threads=self.threads,
            gflop_per_s=self._gflop_per_call * work.clips_per_s,
            best_gflop_per_s=self._gflop_per_call / min(work.call_s),
        )

    def _compute(self) -> float:
        return _native.multiply_adds(precision=self._precision, n_steps=_N_STEPS, n_threads=self.threads)


def peak_precision(model: Precision) -> str:
    """In what a processor's peak is measured for a model of some precision.

    A CPU computes int8 and fp16 in many ways; both are held against fp32.
    """
    return "bf16" if model == "bf16" and "bf16" in _native.multiply_add_precisions() else "fp32"
