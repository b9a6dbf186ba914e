"""Detector: an exported model, opened on a device, that scores waveforms and files."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from osscl.audio.candidate import Candidate
from osscl.audio.reading import Fit
from osscl.audio.recorded_at import AS_RECORDED, RecordingTimes
from osscl.audio.samples import Samples, as_samples
from osscl.backends import DEFAULT_OPTIONS, Backend, ComputeOptions, OnBuild, Outputs, open_backend
from osscl.backends.no_network import NoNetwork
from osscl.config import EMBEDDING_SIZE, Channel, Padding
from osscl.errors import BackendError, InputError
from osscl.features import memory_features
from osscl.machines.dcase import check_machine
from osscl.machines.labels import MachineOf, machine_source
from osscl.model_file.bundle import DEMO, Bundle, read_bundle
from osscl.model_file.decisions import Rule
from osscl.model_file.manifest import Manifest
from osscl.scoring.judge import Judge
from osscl.scoring.judges import Judges
from osscl.scoring.pipeline import Task, score_recordings
from osscl.scoring.quality import doubts
from osscl.scoring.record import Record
from osscl.scoring.rule import anomaly_score
from osscl.scoring.scores import Scores


def load(
    model: str | os.PathLike[str],
    device: str = "auto",
    backend: str | None = None,
    *,
    threads: int | None = None,
    streams: int | None = None,
    batch_size: int | None = None,
    engine_cache: str | os.PathLike[str] | None = None,
    on_build: OnBuild | None = None,
    rule: Rule | None = None,
    false_alarm_rate: float | None = None,
) -> "Detector":
    """Open an exported model.

    Parameters
    ----------
    model : path-like
        File that ``osscl-export`` wrote; or the word "demo", for the demonstration model.
    device : str
        "cpu"; "cuda" (the first GPU), "cuda:1", "cuda:0,1" or "cuda:all"; "auto" takes a GPU that can be used
        where what computes the model there is installed, else the CPU.
    backend : str, optional
        "onnxruntime", "openvino" (CPU) or "tensorrt" (GPU); by default the first one installed that computes
        the model's precision on the device.
    threads : int, optional
        Processors to use, at least 1; 1 starts no thread. By default all that the process may use.
    streams : int, optional
        Batches computed side by side, sharing the threads evenly. By default as many as threads, which gives
        the most clips a second; 1 gives the shortest time for a single clip.
    batch_size : int, optional
        Clips computed at once, at least 1; by default what the backend prefers. On a GPU it is halved, with a
        warning, until it fits into the card's memory.
    engine_cache : path-like, optional
        Folder where TensorRT's engines are kept; by default the user's own.
    on_build : callable, optional
        Takes what is being done, how much of it is done and how much there is, while an engine is built.
    rule : {"network", "memory", "both"}, optional
        Which score decides of all machines; by default the one that the model file names for each, or else
        the network's.
    false_alarm_rate : float, optional
        Share of normal clips that may be called anomalous, in (0, 1). By default 0.05, or the smallest rate
        that a machine's normal recordings can speak of.

    Returns
    -------
    Detector
        A context manager; several threads may use it.

    Raises
    ------
    ModelFileError
        The file is damaged, foreign, or needs another version of osscl.
    BackendError
        The device or backend cannot be used; DeviceError where it is a GPU.
    MissingExtraError
        The package that the backend needs is not installed.
    ConfigError
        `threads` is no whole number from 1 to 4096, `batch_size` none from 1 to 65535, `streams` does not
        divide `threads`, or `engine_cache` is no path; or the file holds nothing that `rule` could go by.
    DecisionError
        `false_alarm_rate` lies outside (0, 1).
    """
    options = ComputeOptions(device, backend, threads, streams, batch_size, engine_cache, on_build)
    return Detector(model, options, rule=rule, false_alarm_rate=false_alarm_rate)


class Detector:
    """An exported model, opened on a device; made by `osscl.load`.

    Several threads may use it at once. It pickles as its absolute path and its options. Used in a forked
    child, it opens the model again; one on a GPU refuses.

    Parameters
    ----------
    model : path-like
        As for `osscl.load`.
    options : ComputeOptions, optional
        On what the model is computed, and how.
    rule : {"network", "memory", "both"}, optional
        As for `osscl.load`.
    false_alarm_rate : float, optional
        As for `osscl.load`.

    Attributes
    ----------
    manifest : Manifest
        What the model file says of itself.
    """

    def __init__(
        self,
        model: str | os.PathLike[str],
        options: ComputeOptions = DEFAULT_OPTIONS,
        *,
        rule: Rule | None = None,
        false_alarm_rate: float | None = None,
    ) -> None:
        self._options = replace(options, on_build=None)  # what opens it again is shown to nobody
        self._closed = False
        self._bundle = read_bundle(model)
        self._model = DEMO if os.fspath(model) == DEMO else str(self._bundle.path.absolute())
        self._rule, self._false_alarm_rate = rule, false_alarm_rate
        self._judges = Judges(self.manifest, rule, false_alarm_rate)
        self._opened = os.getpid(), self._open(options)

    @property
    def manifest(self) -> Manifest:
        """What the model file says of itself."""
        return self._bundle.manifest

    @property
    def bundle(self) -> Bundle:
        """The model file, with its hashes."""
        return self._bundle

    @property
    def machines(self) -> tuple[str, ...]:
        """Machine IDs that can be scored.

        The network's classes in their order, then those with a memory alone.
        """
        return self._judges.machines

    @property
    def judges(self) -> Judges:
        """How each machine is scored and decided."""
        return self._judges

    @property
    def backend(self) -> Backend:
        """What computes the model in this process."""
        return self._backend()

    @property
    def facts(self) -> dict[str, str]:
        """What really computes: backend, its version, device, precision, threads."""
        return dict(self._backend().facts)

    def score(
        self,
        waveforms: npt.ArrayLike,
        machine: str | Sequence[str],
        sample_rate_hz: int = 16_000,
    ) -> Scores:
        """Score waveforms against the machines they claim to be.

        Parameters
        ----------
        waveforms : array_like, [160000] or [B, 160000]
            int16 samples, or float samples at full scale ±1.
        machine : str or sequence of str
            Machine ID of all clips, or of each of them, such as "fan/id_00".
        sample_rate_hz : int
            Sample rate of the waveforms; any other than the model's is refused.

        Returns
        -------
        Scores
            One score a clip.

        Raises
        ------
        InputError
            Samples of the wrong rate, shape, type or level; or more or fewer machines than clips.
        MachineError
            A machine that the model does not know.
        BackendError
            The detector is closed.

        References
        ----------
        Huang, Fang, He: "One-Stage Supervised Contrastive Learning for anomalous sound detection",
        ICASSP 2025, arXiv 2509.13853.
        """
        expected_hz = self.manifest.front_end.settings.sample_rate_hz
        if sample_rate_hz != expected_hz:
            raise InputError(
                f"sample_rate_hz is {sample_rate_hz}, expected {expected_hz}; resample the waveforms first"
            )
        clips = self._clips(waveforms)
        machines = (machine,) * len(clips) if isinstance(machine, str) else tuple(machine)
        if len(machines) != len(clips):
            raise InputError(f"{len(machines)} machines for {len(clips)} clips; give one name, or one a clip")
        for name in machines:
            check_machine(name, self.machines)
        return self._judged(clips, machines)

    def embed(self, waveforms: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Embeddings of waveforms.

        Parameters
        ----------
        waveforms : array_like, [160000] or [B, 160000]
            int16 samples, or float samples at full scale ±1, at the model's sample rate.

        Returns
        -------
        ndarray of float32, [B, 128]
            Vectors of Euclidean norm 1.

        Raises
        ------
        InputError
            Samples of the wrong shape, type or level.
        BackendError
            The detector is closed, or opened for memories alone.
        ModelFileError
            The file holds no network.
        """
        clips = self._clips(waveforms)
        self.manifest.network  # noqa: B018 - raises where there is none
        if not self._judges.may_need_network:
            raise BackendError(
                "the detector was opened for memories alone; load the model with rule='network'"
            )
        return self._run(clips).embedding

    def score_files(
        self,
        paths: Iterable[str | os.PathLike[str]],
        machine: str | None = None,
        *,
        resample: bool = False,
        channel: Channel | None = None,
        pad: Padding | None = None,
    ) -> Iterator[Record]:
        """Score files lazily and in order: one record a file, also for those that cannot be scored.

        Parameters
        ----------
        paths : iterable of path-like
            The files; never held in memory as a whole.
        machine : str, optional
            Machine ID of all files; by default each file's folder and name say it, as DCASE writes them.
        resample : bool
            Convert other sample rates, as `osscl.read_audio` does.
        channel : int, "mean" or None
            Channel to take of several, counted from 0, or their mean.
        pad : {"repeat", "zero"} or None
            How short recordings are filled up.

        Yields
        ------
        Record
            What became of each file.

        Raises
        ------
        MachineError
            The model does not know `machine`.
        BackendError
            The detector is closed.
        """
        machine_of = machine_source(self.machines, machine)
        candidates = (Candidate(os.fsdecode(path)) for path in paths)
        yield from self.score_candidates(candidates, machine_of, Fit(resample, channel, pad))

    def score_candidates(
        self,
        candidates: Iterable[Candidate],
        machine_of: MachineOf,
        fit: Fit,
        times: RecordingTimes = AS_RECORDED,
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

        Returns
        -------
        iterator of Record
            What became of each file, in order.

        Raises
        ------
        BackendError
            The detector is closed.
        """
        backend = self._backend()
        threads = self._options.shared_out().n_threads
        task = Task(machine_of, fit, self._batch_size(backend), threads, self._judges, times)
        return score_recordings(candidates, task, self.manifest, backend)

    def close(self) -> None:
        """Give back threads and memory; what others score meanwhile ends in a BackendError."""
        self._closed = True
        process, backend = self._opened
        if process == os.getpid():
            backend.close()

    def __enter__(self) -> "Detector":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        how = {"rule": self._rule, "false_alarm_rate": self._false_alarm_rate}
        return partial(Detector, **how), (self._model, self._options)  # type: ignore[arg-type]

    def _backend(self) -> Backend:
        """The backend of this process: a forked child has the parent's threads only in name."""
        if self._closed:
            raise BackendError("the detector is closed; load the model again")
        process, backend = self._opened
        if process != os.getpid():
            if not backend.can_fork:
                raise BackendError(
                    "a model on a GPU cannot be used in a forked process; start processes by 'spawn' "
                    '(multiprocessing.get_context("spawn")), or load the model in the child alone'
                )
            self._opened = os.getpid(), self._open(self._options)
        return self._opened[1]

    def _open(self, options: ComputeOptions) -> Backend:
        """The network, where some machine asks for it."""
        if self._judges.may_need_network:
            return open_backend(self._bundle, options)
        return NoNetwork(options.shared_out())

    def _batch_size(self, backend: Backend) -> int:
        """As asked for, or as the backend prefers; no more than it takes."""
        size = self._options.batch_size or backend.preferred_batch
        return size if backend.max_batch is None else min(size, backend.max_batch)

    def _judged(self, clips: Samples, machines: tuple[str, ...]) -> Scores:
        """Score clips [B, n_samples], those of one machine at once."""
        places: dict[str, list[int]] = {}
        for place, name in enumerate(machines):
            places.setdefault(name, []).append(place)
        scores, threads = Scores.empty(machines), self._options.shared_out().n_threads
        for name, of_machine in places.items():
            judge, of_clips = self._judges.of(name), clips[of_machine]
            by_network = self._network_scores(of_clips, judge) if judge.needs_network else None
            features = memory_features(of_clips, threads=threads) if judge.needs_memory else None
            scores.put(of_machine, judge.rule, judge.judge(by_network, features))
            for place, quality in zip(of_machine, self._doubts(of_clips, judge, features), strict=True):
                scores.quality[place] = quality
        return scores

    def _doubts(
        self, clips: Samples, judge: Judge, features: npt.NDArray[np.float32] | None
    ) -> list[str | None]:
        """Why to doubt clips [B, n_samples] of one machine."""
        rate_hz = self.manifest.front_end.settings.sample_rate_hz
        by_place = {} if features is None else dict(enumerate(features))
        threads = self._options.shared_out().n_threads
        return doubts(clips, [judge.doubter] * len(clips), by_place, {}, rate_hz, threads=threads)

    def _network_scores(self, clips: Samples, judge: Judge) -> npt.NDArray[np.float64]:
        model = self.manifest.network.model
        labels = np.full(len(clips), judge.label)
        return anomaly_score(self._run(clips).cosine, labels, margin=model.margin, scale=model.scale)

    def _clips(self, waveforms: npt.ArrayLike) -> Samples:
        samples = as_samples(waveforms, InputError)
        n_samples = self.manifest.clip.n_samples
        if samples.ndim not in (1, 2) or samples.shape[-1] != n_samples:
            raise InputError(
                f"waveforms has shape {list(samples.shape)}; expected [{n_samples}] or [clips, {n_samples}]"
            )
        return samples.reshape(-1, n_samples)

    def _run(self, clips: Samples) -> Outputs:
        """Samples [B, n_samples] -> outputs of B clips, whatever the batch size."""
        backend = self._backend()
        size = self._batch_size(backend)
        tickets = [backend.submit(clips[i : i + size]) for i in range(0, len(clips), size)]
        outputs = [backend.collect(ticket) for ticket in tickets]
        if not outputs:
            return Outputs(
                np.empty((0, EMBEDDING_SIZE), np.float32),
                np.empty((0, len(self.manifest.network.model.classes)), np.float32),
            )
        return Outputs(
            np.concatenate([output.embedding for output in outputs]),
            np.concatenate([output.cosine for output in outputs]),
        )
