"""Log-mels kept on disk between epochs and trainings, one file a clip, keyed by front end and content."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from osscl import frontend
from osscl.audio.samples import Samples
from osscl.config import CLIP, FRONTEND
from osscl.errors import OutputError
from osscl.support.atomic import write_atomically

Float32 = npt.NDArray[np.float32]
_SHAPE = (FRONTEND.n_mels, FRONTEND.n_frames(CLIP.n_samples))


class LogMelCache:
    """Folder of log-mels.

    Those of one front end lie in a folder named after the hash of its settings: another front end never
    reads them, and makes its own.

    Parameters
    ----------
    root : Path
        The cache; made where it does not exist.

    Raises
    ------
    OutputError
        The folder cannot be made.
    """

    def __init__(self, root: Path) -> None:
        self._folder = root / FRONTEND.sha256
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"--cache {root}: the folder cannot be made: {error.strerror}") from error

    def get(self, clip_sha256: str, samples: Samples) -> Float32:
        """Read the log-mel of a clip; compute and keep it where the cache has none, or a damaged one.

        Parameters
        ----------
        clip_sha256 : str
            Hash of the clip's waveform.
        samples : ndarray of int16 or float32, [160000]
            The clip.

        Returns
        -------
        ndarray of float32, [128, 313]
            The log-mel, dB.

        Raises
        ------
        OutputError
            It cannot be written.
        """
        path = self._folder / clip_sha256[:2] / f"{clip_sha256}.f32"
        try:
            stored = np.fromfile(path, dtype="<f4")
        except FileNotFoundError:
            stored = np.empty(0, "<f4")
        if stored.size == np.prod(_SHAPE) and np.isfinite(stored).all():
            return stored.astype(np.float32, copy=False).reshape(_SHAPE)
        log_mel = frontend.log_mel(samples, threads=1)
        try:
            path.parent.mkdir(exist_ok=True)
            write_atomically(path, [log_mel.astype("<f4").tobytes()])
        except OSError as error:
            raise OutputError(f"{path}: the log-mel cannot be written: {error.strerror}") from error
        return log_mel


def other_front_ends(root: Path) -> list[str]:
    """Hashes of other front ends whose log-mels lie in a cache."""
    if not root.is_dir():
        return []
    return sorted(path.name for path in root.iterdir() if path.is_dir() and path.name != FRONTEND.sha256)
