"""Every error that osscl raises on purpose.

::

    OssclError
    ├── ConfigError            a setting lies outside its range
    ├── InputError             an array handed to the library has the wrong shape, type, rate or level
    ├── ClipError              one clip of many cannot be scored
    │   ├── AudioError             an audio file cannot be scored as it is
    │   │   ├── AudioReadError         it cannot be opened or read at all
    │   │   │   └── FolderReadError        it is a folder of recordings that cannot be listed
    │   │   ├── AudioCorruptError      it holds no sound recording, or a damaged one
    │   │   └── AudioUnfitError        it has another sample rate, channel count or length
    │   └── MachineError           its machine is not known, or not to the model
    ├── NoRecordingsError      folders hold no recording to work on
    ├── LabelTableError        the table of machine labels cannot be used
    ├── ModelFileError         the model file is damaged, foreign, or needs another osscl
    ├── CheckpointError        a checkpoint does not hold what its layout promises
    ├── TrainingDataError      recordings cannot be trained on
    ├── TrainingError          a training cannot start, go on or be resumed
    │   └── WorkerLostError        a process that reads recordings ended, or cannot be started
    ├── ParityError            an exported graph does not compute what its checkpoint computes
    ├── AccuracyError          a reduced precision ranks clips too differently from fp32
    ├── DecisionError          features or scores cannot be remembered or decided on as they are
    ├── EvaluationError        scores and labels do not fit together, or a list of either cannot be used
    ├── BenchmarkError         there is nothing to measure speed on, or a measurement failed
    ├── BackendError           the device or backend asked for cannot be used
    │   └── DeviceError            a GPU cannot be used, or failed
    │       ├── DeviceMemoryError      its memory does not hold what was asked for
    │       └── DeviceLostError        it stopped working in the middle of the work
    ├── StorageError           an object store is out of reach, or refuses what is asked of it
    ├── DistributedError       processes on other machines cannot be reached, or end in the middle of the work
    ├── MissingExtraError      an optional package is needed and not installed
    └── OutputError            results cannot be written where they should go
        └── JournalError           the journal of a run cannot be used, or is another run's

Each message names what was got, what was expected and what to do.
"""

from typing import ClassVar


class OssclError(Exception):
    """Root of every error the library raises on purpose."""


class ConfigError(OssclError, ValueError):
    """A setting lies outside its range."""


class InputError(OssclError, ValueError):
    """An array handed to the library has the wrong shape, type, sample rate or level."""


class ClipError(OssclError):
    """One clip of many cannot be scored; a folder run records it and goes on.

    Attributes
    ----------
    status : str
        The word that stands in the ``status`` column of a result table.
    """

    status: ClassVar[str]


class AudioError(ClipError):
    """An audio file cannot be scored as it is.

    Attributes
    ----------
    sample_rate_hz : int or None
        Sample rate that the file's header names; None where no header could be read.
    duration_s : float or None
        Length of the whole recording in seconds, as far as the header could be read.
    """

    sample_rate_hz: int | None = None
    duration_s: float | None = None


class AudioReadError(AudioError):
    """An audio file cannot be opened or read at all."""

    status = "unreadable"


class FolderReadError(AudioReadError):
    """A folder cannot be listed, and may hold recordings."""


class AudioCorruptError(AudioError):
    """A file holds no sound recording, or a damaged one."""

    status = "corrupt"


class AudioUnfitError(AudioError):
    """A recording has another sample rate, channel count or length than the model takes."""

    status = "unfit"


class MachineError(ClipError):
    """The machine of a clip is not known, or not to the model."""

    status = "unknown_machine"


class NoRecordingsError(OssclError):
    """Folders hold no recording to work on."""


class LabelTableError(OssclError):
    """The table of machine labels cannot be used."""


class ModelFileError(OssclError):
    """A model file is damaged, foreign, or needs another version of osscl."""


class CheckpointError(OssclError):
    """A checkpoint does not hold what its layout promises."""


class TrainingDataError(OssclError):
    """Recordings cannot be trained on."""


class TrainingError(OssclError):
    """A training cannot start, go on or be resumed."""


class WorkerLostError(TrainingError):
    """A process that reads recordings for a training ended, or cannot be started."""


class ParityError(OssclError):
    """An exported graph does not compute what its checkpoint computes."""


class AccuracyError(OssclError):
    """A reduced precision ranks clips too differently from fp32."""


class DecisionError(OssclError, ValueError):
    """Features or scores of normal clips cannot be remembered, or decided on, as they are."""


class EvaluationError(OssclError):
    """Scores and labels do not fit together, or a list of either cannot be used."""


class BenchmarkError(OssclError):
    """There is nothing to measure speed on, or a measurement failed."""


class BackendError(OssclError):
    """The device or backend asked for cannot be used."""


class DeviceError(BackendError):
    """A GPU cannot be used, or failed."""


class DeviceMemoryError(DeviceError):
    """The memory of a GPU does not hold what was asked for."""


class DeviceLostError(DeviceError):
    """A GPU stopped working in the middle of the work."""


class StorageError(OssclError):
    """An object store is out of reach, or refuses what is asked of it.

    Attributes
    ----------
    is_missing : bool
        Whether there is nothing at the place.
    """

    def __init__(self, message: str, *, is_missing: bool = False) -> None:
        super().__init__(message)
        self.is_missing = is_missing


class DistributedError(OssclError):
    """Processes on other machines cannot be reached, or end in the middle of the work."""


class MissingExtraError(OssclError, ImportError):
    """An optional package is needed and not installed."""


class OutputError(OssclError):
    """Results cannot be written where they should go."""


class JournalError(OutputError):
    """The journal of a run cannot be used: it is damaged, of another run, or another run writes it."""
