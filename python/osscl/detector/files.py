"""A model that scores files: one, several, or candidates of which some are known to be unusable."""

import logging
import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing

from msgspec.structs import replace

from osscl.audio.bytestream import AudioSource
from osscl.audio.candidate import Candidate
from osscl.audio.reading import Fit
from osscl.audio.recorded_at import AS_RECORDED, RecordingTimes
from osscl.audio.windows import check_hop
from osscl.config import Channel, Padding
from osscl.detector.explained_lines import Explaining
from osscl.detector.explains import ExplainsClips
from osscl.detector.given import candidates_of, check_names, is_source, why_a_folder
from osscl.errors import InputError
from osscl.machines.labels import MachineOf, check_one_way, machine_source
from osscl.scoring.left_out import LeftOut
from osscl.scoring.pipeline import score_batch, score_recordings
from osscl.scoring.record import SCORED_STATUSES, Record, undecided_by
from osscl.scoring.task import Task
from osscl.support.log import quiet_logger
from osscl.support.paths import printable
from osscl.support.two_spellings import in_python

# named after the class that people hold
_log = quiet_logger("osscl.detector.detector")


class ScoresFiles(ExplainsClips):
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
        machine_pattern: str | None = None,
        root: str | os.PathLike[str] | None = None,
        explain: bool = False,
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
            writes them. One name for all is checked at once; of several, and of those that places tell, the
            record says which one the model does not know.
        machine_pattern : str, optional
            Finds machines in paths instead: a template such as "{machine}_{time}.wav", or a regular
            expression, as ``osscl score --machine-pattern`` takes them.
        root : path-like, optional
            Folder that the pattern counts below; without it, it counts for the name of each file alone.
        explain : bool
            Say of flagged files what is heard in them: their records have an `explanation`.
        resample : bool
            Convert other sample rates, as `osscl.read_audio` does.
        channel : int, "mean" or None
            Channel to take of several, counted from 0, or their mean.
        pad : {"repeat", "zero"} or None
            How short recordings are filled up, and the ends of those that are cut into windows.
        hop_s : float, optional
            Seconds from the beginning of one window to that of the next, from 0.01.

        Returns
        -------
        iterator of Record
            What became of each file. With `hop_s`: of each window, and behind them the largest score of the
            recording, the mean and the 95 % quantile, see `Record.scope`.

        Raises
        ------
        ConfigError
            There is no such hop; or the pattern cannot be used, or stands beside a machine.
        InputError
            A source is none of these, or there are more or fewer machines than files.
        MachineError
            The model does not know the machine of all files. Where each has one, its record says so.
        BackendError
            The detector is closed.
        """
        machine_of = self._machine_of(machine, machine_pattern, root)
        if hop_s is not None:
            check_hop(hop_s)
        candidates = candidates_of(sources, machine)
        return self._scored(candidates, machine_of, Fit(resample, channel, pad), hop_s, explains=explain)

    def _machine_of(
        self,
        machine: str | Iterable[str] | None,
        machine_pattern: str | None,
        root: str | os.PathLike[str] | None,
    ) -> MachineOf:
        """Choose what names the machines of recordings that bring no name; one for all is checked."""
        if machine is not None:
            check_names(machine, "recording")
        if machine_pattern is not None:
            check_one_way(None if machine is None else "given", None, machine_pattern)
        roots = () if root is None else (os.fsdecode(root),)
        for_all = machine if isinstance(machine, str) else None
        return machine_source(self.machines, for_all, machine_pattern=machine_pattern, roots=roots)

    def _scored(
        self,
        candidates: Iterator[Candidate],
        machine_of: MachineOf,
        fit: Fit,
        hop_s: float | None,
        *,
        explains: bool,
    ) -> Iterator[Record]:
        """Score recordings for callers in Python, who have no run that says once what holds for all."""
        left_out = LeftOut()
        explaining = Explaining(self, fit) if explains else None
        given = candidates if explaining is None else explaining.noted(candidates)
        for record in self.score_candidates(given, machine_of, fit, hop_s=hop_s, left_out=left_out):
            told = undecided_by(record, self._judges.why_undecided(record))
            told = replace(told, reason=why_a_folder(told) or in_python(told.reason))
            yield told if explaining is None else explaining.explained(told)
        for note in left_out.notes(self.clip_s, "hop_s =", "pad='repeat' or 'zero'"):
            _log.warning(note)

    def score_file(
        self,
        source: AudioSource,
        machine: str | None = None,
        *,
        name: str | None = None,
        machine_pattern: str | None = None,
        root: str | os.PathLike[str] | None = None,
        explain: bool = False,
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
        name : str, optional
            What it is called: `Record.path`, and what tells machine, time and domain. By default its path, or
            what the upload or open file calls itself.
        machine_pattern : str, optional
            As for `score_files`.
        root : path-like, optional
            As for `score_files`.
        explain : bool
            As for `score_files`.
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
        machine_of = self._machine_of(machine, machine_pattern, root)
        fit = Fit(resample, channel, pad)
        candidates = candidates_of(source, machine, name)
        [record] = self._scored(candidates, machine_of, fit, None, explains=explain)
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
