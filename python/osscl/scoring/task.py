"""What the pipeline is told: how recordings are read, cut, named and judged."""

from dataclasses import dataclass, field

from osscl.audio.reading import Fit
from osscl.audio.recorded_at import AS_RECORDED, RecordingTimes
from osscl.machines.labels import MachineOf
from osscl.scoring.judges import Judges
from osscl.scoring.left_out import LeftOut


@dataclass(frozen=True, slots=True)
class Task:
    """How recordings are read and named.

    Attributes
    ----------
    machine_of : callable
        Names the machine of a path.
    fit : Fit
        How recordings that do not fit are made to fit.
    batch_size : int
        Clips read and computed at once.
    threads : int
        Processors to read with; with 1, batches are read in between, without a thread.
    judges : Judges
        Score and decide the clips of each machine.
    times : RecordingTimes
        Tells when recordings began.
    hop_s : float or None
        Seconds from the beginning of one window to that of the next; None scores the beginnings of recordings
        alone.
    left_out : LeftOut
        Counts what is not scored of the recordings.
    """

    machine_of: MachineOf
    fit: Fit
    batch_size: int
    threads: int
    judges: Judges
    times: RecordingTimes = AS_RECORDED
    hop_s: float | None = None
    left_out: LeftOut = field(default_factory=LeftOut)

    @property
    def readers(self) -> int:
        """Batches read side by side, ahead of the computation."""
        return readers_for(self.threads, self.batch_size)


def readers_for(threads: int, batch_size: int) -> int:
    """Batches to read side by side where so many processors are to be used: none where one shall do all.

    The files of a batch are shared out among up to `threads` of them. So single files need that many readers,
    and large batches two: one makes records while the files of the other are read.
    """
    return 0 if threads == 1 else max(2, -(-threads // batch_size))
