"""The clips of a training: found in the DCASE layout, read once, checked and fingerprinted."""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from osscl.audio.candidate import Candidate
from osscl.audio.reading import AS_THEY_ARE, Fit, read_clip
from osscl.audio.samples import clip_sha256
from osscl.errors import AudioCorruptError, ClipError, FolderReadError, MachineError, TrainingDataError
from osscl.features import memory_features
from osscl.machines.dcase import id_of_file
from osscl.machines.folders import training_type
from osscl.runs.folder import find_recordings
from osscl.runs.passed_over import PassedOver
from osscl.support.links import missing
from osscl.support.paths import printable
from osscl.support.threads import usable_cpus
from osscl.training.train_config import TrainConfig

_MAX_LISTED, _MAX_FOLDERS = 20, 4096
_PLACE = "<type>/train, such as fan/train/normal_id_00_00000000.wav"


@dataclass(frozen=True, slots=True)
class TrainingClip:
    """One clip that may be trained on.

    Attributes
    ----------
    path : str
        The recording.
    machine : str
        Its class, ``type/id_NN``.
    sha256 : str
        Hash of its waveform, whatever the file's format.
    """

    path: str
    machine: str
    sha256: str


class _Read(NamedTuple):
    """A clip, and its features [360]."""

    clip: TrainingClip
    features: npt.NDArray[np.float32]


class BadClip(NamedTuple):
    """A recording that cannot be trained on, and why."""

    path: str
    problem: ClipError


@dataclass(frozen=True, slots=True)
class TrainingData:
    """All clips of a training, in an order that depends on their content alone.

    Attributes
    ----------
    clips : tuple of TrainingClip
        Sorted by class and hash.
    classes : tuple of str
        Machine IDs, sorted without regard to case.
    bad : tuple of BadClip
        What was left out.
    n_repeated : int
        Recordings left out because another one has the same content.
    fit : Fit
        How recordings that do not fit were made to fit.
    features : dict of str to ndarray of float32, [360]
        Features of each clip, dB, by its hash: what a background is made of.
    """

    clips: tuple[TrainingClip, ...]
    classes: tuple[str, ...]
    bad: tuple[BadClip, ...]
    n_repeated: int
    fit: Fit = AS_THEY_ARE
    features: dict[str, npt.NDArray[np.float32]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over class and hash of every clip."""
        lines = "".join(f"{clip.machine} {clip.sha256}\n" for clip in self.clips)
        return hashlib.sha256(lines.encode()).hexdigest()

    def label(self, clip: TrainingClip) -> int:
        """Number the class of a clip.

        Parameters
        ----------
        clip : TrainingClip
            One of `clips`.

        Returns
        -------
        int
            Index into `classes`.
        """
        return self.classes.index(clip.machine)


def find_training_files(
    roots: Sequence[str | os.PathLike[str]], passed_over: PassedOver | None = None
) -> Iterator[tuple[Candidate, str]]:
    """Find recordings in folders named ``train``; the folder above names the machine type.

    Parameters
    ----------
    roots : sequence of path-like
        Folders, searched at any depth; or files.
    passed_over : PassedOver, optional
        Counts what lies there and is not taken.

    Yields
    ------
    candidate, machine type : Candidate, str
        Each file; each folder that cannot be listed, and each root that is no folder and not in one named
        ``train``, as a candidate with a problem.
    """
    met = PassedOver() if passed_over is None else passed_over
    named = {os.fsdecode(root) for root in roots}
    type_of_folder = lru_cache(_MAX_FOLDERS)(training_type)
    for candidate in find_recordings(roots, met):
        machine_type = type_of_folder(os.path.dirname(candidate.path))  # noqa: PTH120 - Path costs more
        if machine_type is not None:
            yield candidate, machine_type
        elif isinstance(candidate.problem, FolderReadError):
            yield candidate, ""
        elif candidate.path in named:
            yield Candidate(candidate.path, MachineError(f"it lies in no folder {_PLACE}")), ""
        else:
            met.n_elsewhere += candidate.problem is None


def read_training_data(
    roots: Sequence[str | os.PathLike[str]],
    *,
    fit: Fit = AS_THEY_ARE,
    skip_bad: bool = False,
    passed_over: PassedOver | None = None,
    on_clip: Callable[[int, int], None] = lambda done, total: None,
) -> TrainingData:
    """Read every clip once: check it, name its class, hash it.

    Parameters
    ----------
    roots : sequence of path-like
        Folders in the DCASE layout: ``<type>/train/normal_id_NN_*.wav``, ``.flac``, ``.w64`` or ``.rf64``,
        at any depth; what several of them hold of one type is merged.
    fit : Fit
        How recordings that do not fit are made to fit.
    skip_bad : bool
        Leave out clips that cannot be used, instead of refusing them all.
    passed_over : PassedOver, optional
        Counts what the search met and did not take.
    on_clip : callable
        Called with the number of clips done, and of all.

    Returns
    -------
    TrainingData
        At least two classes of at least two clips each.

    Raises
    ------
    TrainingDataError
        A root is not there; there are no clips, or too few; clips cannot be used, which are named; or one
        recording stands for two machines.
    """
    for root in roots:
        if (problem := missing(root)) is not None:
            raise TrainingDataError(problem)
    met = PassedOver() if passed_over is None else passed_over
    files = list(find_training_files(roots, met))
    if not files:
        raise TrainingDataError(met.refusal(roots, f"in a folder {_PLACE},"))
    good, bad = _read_all(files, fit, on_clip)
    if bad and not skip_bad:
        raise TrainingDataError(_listed(bad))
    unique = _without_repeats([each.clip for each in good])
    classes = tuple(sorted({clip.machine for clip in unique}, key=lambda name: (name.casefold(), name)))
    _check_counts(unique, classes)
    features = {each.clip.sha256: each.features for each in good}
    return TrainingData(tuple(unique), classes, tuple(bad), len(good) - len(unique), fit, features)


def fit_of(config: TrainConfig) -> Fit:
    """How a recipe makes recordings fit."""
    return Fit(config.resample, config.channel, config.pad)


def _read_all(
    files: list[tuple[Candidate, str]], fit: Fit, on_clip: Callable[[int, int], None]
) -> tuple[list[_Read], list[BadClip]]:
    good: list[_Read] = []
    bad: list[BadClip] = []
    with ThreadPoolExecutor(usable_cpus(), "osscl-scan") as pool:
        try:
            for done, clip in enumerate(pool.map(partial(_read, fit), files), start=1):
                if isinstance(clip, _Read):
                    good.append(clip)
                else:
                    bad.append(clip)
                on_clip(done, len(files))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return good, bad


def _read(fit: Fit, file: tuple[Candidate, str]) -> _Read | BadClip:
    candidate, machine_type = file
    path = candidate.path
    try:
        if candidate.problem is not None:
            raise candidate.problem
        if not machine_type:
            raise MachineError("no folder above train names the machine type; expected <type>/train")
        machine = f"{machine_type}/{id_of_file(path)}"
        clip = read_clip(path, fit)
        if clip.silence is not None:  # nothing is learned from it but what silence is
            raise AudioCorruptError(f"{clip.silence}: a dead microphone or channel?")
        features = memory_features(
            clip.samples, threads=1
        )  # while it is in memory: most of the work is reading
        return _Read(TrainingClip(path, machine, clip_sha256(clip.samples)), features)
    except ClipError as error:
        return BadClip(path, error)


def _without_repeats(clips: list[TrainingClip]) -> list[TrainingClip]:
    """Keep one of several equal clips: held out and trained on at once, they would flatter the hold-out."""
    unique: dict[str, TrainingClip] = {}
    for clip in clips:
        first = unique.setdefault(clip.sha256, clip)
        if first.machine != clip.machine:
            raise TrainingDataError(
                f"{printable(first.path)} of {first.machine} and {printable(clip.path)} of {clip.machine} "
                "are the same recording; keep the one whose machine is right"
            )
    return sorted(unique.values(), key=lambda clip: (clip.machine, clip.sha256))


def _check_counts(clips: list[TrainingClip], classes: tuple[str, ...]) -> None:
    if len(classes) < 2:
        found = f"{len(clips)} clips of {classes[0]} alone" if clips else "no usable clip"
        raise TrainingDataError(
            f"{found}; expected recordings of at least two machines: the method learns to tell them apart"
        )
    counts = Counter(clip.machine for clip in clips)
    lonely = [name for name in classes if counts[name] < 2]
    if lonely:
        raise TrainingDataError(
            f"one clip only for {', '.join(lonely)}; expected at least two of each machine, "
            "one to train on and one to hold out: add recordings, or leave the machine out"
        )


def _listed(bad: list[BadClip]) -> str:
    if len(bad) == 1:
        path, problem = bad[0]
        return f"{printable(path)} cannot be trained on: {problem}; mend or remove it, or use --skip-bad"
    shown = "".join(f"\n  {printable(clip.path)}: {clip.problem}" for clip in bad[:_MAX_LISTED])
    more = f"\n  and {len(bad) - _MAX_LISTED} more" if len(bad) > _MAX_LISTED else ""
    remedy = "mend or remove them, or leave them out with --skip-bad"
    return f"{len(bad)} clips cannot be trained on:{shown}{more}\n{remedy}"
