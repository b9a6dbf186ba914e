"""A process that reads batches: orders go in and arrays come out through its pipes, and nothing is shared.

Shared memory, sockets in the folder of temporary files and the caller's main module, all of which
`multiprocessing` and PyTorch's loader need, may be too small, too long or not there; pipes always are.
"""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType

from osscl.errors import OssclError, WorkerLostError
from osscl.training.clip_reader import ClipArrays, ClipReader
from osscl.training.order import Planned

_PATIENCE_S = 10.0  # for a process that was asked to end


class ReadingProcess:
    """A process of its own that reads batches, one at a time.

    Parameters
    ----------
    reader : ClipReader
        What it reads with; it is sent there with the first batch.

    Raises
    ------
    WorkerLostError
        The system starts no process.
    """

    def __init__(self, reader: ClipReader) -> None:
        self._reader: ClipReader | None = reader
        program = (
            f"import sys; sys.path[:] = {[str(folder) for folder in sys.path]}; "
            f"from {__name__} import serve; serve()"
        )
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this very interpreter
                [sys.executable, "-c", program],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                process_group=0,  # Ctrl-C on a terminal is for the caller alone
            )
        except OSError as error:
            raise WorkerLostError(
                f"the system starts no process to read recordings ({error.strerror}); train with fewer "
                "(--workers N), or with --workers 0, which starts none"
            ) from error

    def read(self, batch: Sequence[Planned]) -> ClipArrays:
        """Read a batch; waits until it is there.

        Parameters
        ----------
        batch : sequence of Planned
            The clips.

        Returns
        -------
        ClipArrays
            As the reader gives them.

        Raises
        ------
        TrainingDataError, OutputError
            As the reader raises them.
        WorkerLostError
            The process has ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            if self._reader is not None:
                pickle.dump(self._reader, self._process.stdin, pickle.HIGHEST_PROTOCOL)
                self._reader = None
            pickle.dump(batch, self._process.stdin)
            self._process.stdin.flush()
            answer = pickle.load(self._process.stdout)  # noqa: S301 - of a process that was started here
        except (OSError, EOFError, pickle.UnpicklingError):
            raise WorkerLostError(
                f"a process that reads recordings ended ({_cause(self._wait())}); go on with --resume and "
                "fewer processes (--workers N), or with --workers 0, which starts none"
            ) from None
        if isinstance(answer, OssclError):
            raise answer
        assert isinstance(answer, ClipArrays)
        return answer

    def ask_to_end(self) -> None:
        """Let the process end, which ends a `read` that another thread waits in."""
        self._process.terminate()

    def close(self) -> None:
        """Wait until the process has ended; no thread may be reading any more."""
        self._wait()
        with suppress(BrokenPipeError), self._process:  # an order that it never took is left over
            pass

    def _wait(self) -> int:
        try:
            return self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


def _cause(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    name = signal.Signals(-code).name
    return f"{name}: the system lacks memory, or somebody ended it" if name == "SIGKILL" else name


def serve() -> None:
    """Answer orders on stdin until there are no more; the program of the process."""
    orders, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is not taken for an answer
    signal.signal(signal.SIGTERM, _exit)
    try:
        reader: ClipReader = pickle.load(orders)  # noqa: S301 - of the process that started this one
        while True:
            batch = pickle.load(orders)  # noqa: S301
            try:
                answer: ClipArrays | OssclError = reader.read(batch)
            except OssclError as error:
                answer = error
            pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
            answers.flush()
    except (EOFError, BrokenPipeError):  # the caller is through, or has ended
        os._exit(0)  # without a flush into a pipe that nobody reads


def _exit(number: int, frame: FrameType | None) -> None:
    """End by an exception, so that half-written files are taken away."""
    raise SystemExit
