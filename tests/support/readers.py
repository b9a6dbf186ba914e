"""Readers of clips whose processes meet with an accident."""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from osscl.training.clip_reader import ClipArrays, ClipReader


class DyingReader(ClipReader):
    """Its process is killed, as by a system out of memory, when clip `deadly` is to be read."""

    deadly = 3

    def read(self, indices: Sequence[int]) -> ClipArrays:
        """Read clips, or die."""
        if self.deadly in indices:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().read(indices)


class WaitingReader(ClipReader):
    """Waits for somebody to write to a pipe that has a name, as for a disk that does not answer."""

    pipe: Path

    def read(self, indices: Sequence[int]) -> ClipArrays:
        """Wait, then read clips."""
        self.pipe.read_bytes()
        return super().read(indices)


class PrintingReader(ClipReader):
    """Something that it uses prints, through Python and past it."""

    def read(self, indices: Sequence[int]) -> ClipArrays:
        """Read clips, and print."""
        sys.stdout.write("a library's greeting")
        sys.stdout.flush()
        os.write(1, b"another one\n")
        return super().read(indices)
