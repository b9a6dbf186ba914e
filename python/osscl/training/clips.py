"""The clips of a training, by class: what they are, and their fingerprint."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.errors import ClipError, TrainingDataError
from osscl.machines.dcase import type_of
from osscl.support.plurals import counted
from osscl.training.train_config import ClassKind, TrainConfig


@dataclass(frozen=True, slots=True)
class TrainingClip:
    """One clip that may be trained on.

    Attributes
    ----------
    path : str
        The recording.
    machine : str
        Its machine, ``type/id_NN``.
    sha256 : str
        Hash of its waveform, whatever the file's format.
    class_name : str
        Its class: the machine, or the machine under some conditions.
    """

    path: str
    machine: str
    sha256: str
    class_name: str = ""

    def __post_init__(self) -> None:
        if not self.class_name:
            object.__setattr__(self, "class_name", self.machine)


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
        Names of the classes, sorted without regard to case.
    bad : tuple of BadClip
        What was left out.
    n_repeated : int
        Recordings left out because another one has the same content.
    fit : Fit
        How recordings that do not fit were made to fit.
    features : dict of str to ndarray of float32, [360]
        Features of each clip, dB, by its hash: what a background is made of.
    kind : {"machine", "section", "attributes"}
        What the classes are.
    n_anomalous, n_unlabelled : int
        Recordings among those for training that are said to be anomalous, or of which a table of labels
        leaves open what they are: left out.
    n_without_row : int
        Clips that a table of attributes lies beside, and has no row for: their names alone tell.
    """

    clips: tuple[TrainingClip, ...]
    classes: tuple[str, ...]
    bad: tuple[BadClip, ...]
    n_repeated: int
    fit: Fit = AS_THEY_ARE
    features: dict[str, npt.NDArray[np.float32]] = field(default_factory=dict, compare=False, repr=False)
    kind: ClassKind = "machine"
    n_anomalous: int = 0
    n_unlabelled: int = 0
    n_without_row: int = 0

    @property
    def fingerprint(self) -> str:
        """SHA-256 over class and hash of every clip."""
        lines = "".join(f"{clip.class_name} {clip.sha256}\n" for clip in self.clips)
        return hashlib.sha256(lines.encode()).hexdigest()

    @property
    def machines(self) -> tuple[str, ...]:
        """Machine of each class, in their order."""
        machine_of = {clip.class_name: clip.machine for clip in self.clips}
        return tuple(machine_of[name] for name in self.classes)

    @property
    def class_machines(self) -> tuple[str, ...] | None:
        """Machine of each class; None where each class is a machine."""
        return None if self.machines == self.classes else self.machines

    @property
    def types(self) -> tuple[str, ...]:
        """Machine types, in the order of the classes."""
        return tuple(dict.fromkeys(map(type_of, self.machines)))

    def of_type(self, machine_type: str) -> "TrainingData":
        """Take the clips of one machine type alone.

        Parameters
        ----------
        machine_type : str
            One of `types`.

        Returns
        -------
        TrainingData
            At least two classes.

        Raises
        ------
        TrainingDataError
            It has one class alone.
        """
        clips = tuple(clip for clip in self.clips if type_of(clip.machine) == machine_type)
        classes = classes_of(clips)
        check_counts(clips, classes, self.kind)
        return replace(self, clips=clips, classes=classes)

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
        return self.classes.index(clip.class_name)


def fit_of(config: TrainConfig) -> Fit:
    """How a recipe makes recordings fit."""
    return Fit(config.resample, config.channel, config.pad)


def classes_of(clips: Sequence[TrainingClip]) -> tuple[str, ...]:
    """Names of the classes of clips, sorted without regard to case."""
    return tuple(sorted({clip.class_name for clip in clips}, key=lambda name: (name.casefold(), name)))


def check_counts(clips: Sequence[TrainingClip], classes: tuple[str, ...], kind: ClassKind) -> None:
    """Refuse clips of a single class, or of classes of which none can be held out; `TrainingDataError`."""
    if len(classes) < 2:
        found = f"{counted(len(clips), 'clip')} of {classes[0]} alone" if clips else "no usable clip"
        raise TrainingDataError(
            f"{found}; expected recordings of at least two machines: the method learns to tell them apart"
        )
    counts = Counter(clip.class_name for clip in clips)
    lonely = [name for name in classes if counts[name] < 2]
    if kind == "attributes" and len(lonely) == len(classes):
        raise TrainingDataError(
            f"each of {counted(len(classes), 'class')} has one clip only, and none can be held out; "
            "expected at least two of one of them: add recordings, or choose --classes machine"
        )
    if lonely and kind != "attributes":  # of rare conditions one clip may be all there is: it is trained on
        raise TrainingDataError(
            f"one clip only for {', '.join(lonely)}; expected at least two of each machine, "
            "one to train on and one to hold out: add recordings, or leave the machine out"
        )
