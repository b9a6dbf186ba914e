"""Readers of clips whose processes meet with an accident."""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from osscl.training.clip_reader import ClipArrays, ClipReader
from osscl.training.order import Planned


class DyingReader(ClipReader):
    """Its process is killed, as by a system out of memory, when clip `deadly` is to be read."""

    deadly = 3

    def read(self, batch: Sequence[Planned]) -> ClipArrays:
        """Read clips, or die."""
        if any(planned.number == self.deadly for planned in batch):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().read(batch)


class WaitingReader(ClipReader):
    """Waits for somebody to write to a pipe that has a name, as for a disk that does not answer."""

    pipe: Path

    def read(self, batch: Sequence[Planned]) -> ClipArrays:
        """Wait, then read clips."""
        self.pipe.read_bytes()
        return super().read(batch)


class PrintingReader(ClipReader):
    """Something that it uses prints, through Python and past it."""

    def read(self, batch: Sequence[Planned]) -> ClipArrays:
        """Read clips, and print."""
        sys.stdout.write("a library's greeting")
        sys.stdout.flush()
        os.write(1, b"another one\n")
        return super().read(batch)
