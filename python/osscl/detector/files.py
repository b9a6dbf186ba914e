"""A model that scores files: one, several, or candidates of which some are known to be unusable."""

import logging
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing

from osscl.audio.bytestream import AudioSource
from osscl.audio.candidate import Candidate
from osscl.audio.reading import Fit
from osscl.audio.recorded_at import AS_RECORDED, RecordingTimes
from osscl.audio.windows import check_hop
from osscl.config import Channel, Padding
from osscl.detector.arrays import ScoresArrays
from osscl.detector.given import candidates_of, is_source
from osscl.errors import InputError
from osscl.machines.labels import MachineOf, machine_source
from osscl.scoring.left_out import LeftOut
from osscl.scoring.pipeline import score_batch, score_recordings
from osscl.scoring.record import SCORED_STATUSES, Record
from osscl.scoring.task import Task
from osscl.support.log import quiet_logger
from osscl.support.paths import printable

# named after the class that people hold
_log = quiet_logger("osscl.detector.detector")


class ScoresFiles(ScoresArrays):
    """What an opened model does with files."""

    @property
    def machines(self) -> tuple[str, ...]:
        """Machine IDs that can be scored.

        The network's classes in their order, then those with a memory alone.
        """
        return self._judges.machines

    @property
    def clip_s(self) -> float:
        """Seconds of sound that one score is of."""
        clip, settings = self._manifest.clip, self._manifest.front_end.settings
        return clip.n_samples / settings.sample_rate_hz

    def score_files(
        self,
        sources: AudioSource | Iterable[AudioSource],
        machine: str | Iterable[str] | None = None,
        *,
        resample: bool = False,
        channel: Channel | None = None,
        pad: Padding | None = None,
        hop_s: float | None = None,
    ) -> Iterator[Record]:
        """Score files lazily and in order: one record a file, also for those that cannot be scored.

        Of longer recordings the first ten seconds are scored, which the logger ``osscl`` tells at the end;
        or, by `hop_s`, windows of ten seconds, streamed from disk.

        Parameters
        ----------
        sources : path-like, bytes, binary file object or upload, or iterable of them
            The files, or what they hold; never held in memory as a whole. One alone counts as a list of one.
        machine : str or iterable of str, optional
            Machine ID of all files, or of each; by default each file's folder and name say it, as DCASE
            writes them.
        resample : bool
            Convert other sample rates, as `osscl.read_audio` does.
        channel : int, "mean" or None
            Channel to take of several, counted from 0, or their mean.
        pad : {"repeat", "zero"} or None
            How short recordings are filled up, and the ends of those that are cut into windows.
        hop_s : float, optional
            Seconds from the beginning of one window to that of the next, from 0.01.

        Yields
        ------
        Record
            What became of each file. With `hop_s`: of each window, and behind them the largest score of the
            recording, the mean and the 95 % quantile, see `Record.scope`.

        Raises
        ------
        ConfigError
            There is no such hop.
        InputError
            A source is none of these, or there are more or fewer machines than files.
        MachineError
            The model does not know the machine of all files. Where each has one, its record says so.
        BackendError
            The detector is closed.
        """
        machine_of = machine_source(self.machines, machine if isinstance(machine, str) else None)
        left_out = LeftOut()
        fit = Fit(resample, channel, pad)
        candidates = candidates_of(sources, machine)
        yield from self.score_candidates(candidates, machine_of, fit, hop_s=hop_s, left_out=left_out)
        for note in left_out.notes(self.clip_s, "hop_s =", "pad='repeat' or 'zero'"):
            _log.warning(note)

    def score_file(
        self,
        source: AudioSource,
        machine: str | None = None,
        *,
        resample: bool = False,
        channel: Channel | None = None,
        pad: Padding | None = None,
    ) -> Record:
        """Score one file: its first ten seconds.

        Parameters
        ----------
        source : path-like, bytes, binary file object or upload
            The file, or what it holds; of an upload as FastAPI's it is that of its `file`.
        machine : str, optional
            Its machine ID; by default its folder and name say it, as DCASE writes them.
        resample : bool
            As for `score_files`.
        channel : int, "mean" or None
            As for `score_files`.
        pad : {"repeat", "zero"} or None
            As for `score_files`.

        Returns
        -------
        Record
            What became of it; also where it cannot be scored.

        Raises
        ------
        InputError
            It is none of these.
        MachineError
            The model does not know `machine`.
        BackendError
            The detector is closed.
        """
        if not is_source(source):
            raise InputError(
                "score_file takes one path, bytes or binary file object, not an object of type "
                f"{type(source).__name__}; score_files takes several"
            )
        [record] = self.score_files(source, machine, resample=resample, channel=channel, pad=pad)
        return record

    def score_candidates(
        self,
        candidates: Iterable[Candidate],
        machine_of: MachineOf,
        fit: Fit,
        times: RecordingTimes = AS_RECORDED,
        *,
        hop_s: float | None = None,
        left_out: LeftOut | None = None,
    ) -> Iterator[Record]:
        """Score files some of which are known to be unusable, their machines named anyhow.

        Parameters
        ----------
        candidates : iterable of Candidate
            The files.
        machine_of : callable
            Names the machine of a path.
        fit : Fit
            How recordings that do not fit are made to fit.
        times : RecordingTimes
            When they began, where neither names nor headers tell.
        hop_s : float, optional
            As for `score_files`.
        left_out : LeftOut, optional
            Counts what is not scored of long recordings.

        Returns
        -------
        iterator of Record
            What became of each file, in order.

        Raises
        ------
        ConfigError
            There is no such hop.
        BackendError
            The detector is closed.
        """
        backend = self._computing.backend()
        threads = self._computing.options.shared_out().n_threads
        if hop_s is not None:
            check_hop(hop_s)
        task = Task(
            machine_of,
            fit,
            self._computing.batch_size(backend),
            threads,
            self._judges,
            times,
            hop_s,
            LeftOut() if left_out is None else left_out,
        )
        return _told(score_recordings(candidates, task, self._manifest, backend))

    def score_batch(
        self, candidates: Sequence[Candidate], machine_of: MachineOf, fit: Fit, threads: int = 1
    ) -> list[Record]:
        """Score a few recordings at once in the caller's thread, for those who gather batches themselves.

        Parameters
        ----------
        candidates : sequence of Candidate, [B]
            At most `Lanes.batch` of them.
        machine_of : callable
            Names the machine of a path.
        fit : Fit
            How recordings that do not fit are made to fit.
        threads : int
            Processors to read and to compute features with.

        Returns
        -------
        list of Record, [B]
            What `score_candidates` gives of them.

        Raises
        ------
        BackendError
            The detector is closed, or the device failed.
        """
        backend = self._computing.backend()
        task = Task(machine_of, fit, len(candidates), threads, self._judges)
        return score_batch(list(candidates), task, self._manifest, backend)


def _told(records: Generator[Record, None, None]) -> Iterator[Record]:
    with closing(records):
        for record in records:
            _tell(record)
            yield record


def _tell(record: Record) -> None:
    """Log a file without a score, and at the level of debugging each score."""
    is_scored = record.status in SCORED_STATUSES
    if not _log.isEnabledFor(logging.DEBUG if is_scored else logging.INFO):
        return  # before anything is spelled for it
    if is_scored:
        _log.debug("%s: %s scores %s", printable(record.path), record.machine, record.score)
    else:
        _log.info("%s: %s: %s", printable(record.path), record.status, record.reason)
