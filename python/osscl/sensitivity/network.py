"""The network's scores of changed clips, where a rule needs them; opened when the first machine asks."""

import os
import time
from typing import Self

import numpy as np
import numpy.typing as npt

from osscl.audio.samples import Samples
from osscl.backends import ComputeOptions
from osscl.config import CLIP
from osscl.detector import Detector

_CLIPS_TO_TIME = 16


class Network:
    """The network of a model file, used as a context manager.

    Parameters
    ----------
    model : path-like
        The model file.
    compute : ComputeOptions
        On what it is computed.
    """

    def __init__(self, model: str | os.PathLike[str], compute: ComputeOptions) -> None:
        self._model, self._compute = model, compute
        self._detector: Detector | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._detector is not None:
            self._detector.close()

    def scores(self, machine: str, waveforms: Samples) -> npt.NDArray[np.float64]:
        """Score waveforms, as ``osscl score --rule network`` does.

        Parameters
        ----------
        machine : str
            Whose they are.
        waveforms : ndarray of int16 or float32, [B, 160000]
            The clips.

        Returns
        -------
        ndarray of float64, [B]
            Nats.
        """
        return self._opened().score(waveforms, machine).score.astype(np.float64)

    def clips_a_second(self, machine: str) -> float:
        """Measure how fast it is here.

        Parameters
        ----------
        machine : str
            One that it knows.

        Returns
        -------
        float
            Clips a second, of a few.
        """
        noise = np.random.default_rng(0).normal(0.0, 0.1, (_CLIPS_TO_TIME, CLIP.n_samples)).astype(np.float32)
        self.scores(machine, noise)  # what it does once is not counted
        began = time.perf_counter()
        self.scores(machine, noise)
        return _CLIPS_TO_TIME / (time.perf_counter() - began)

    def _opened(self) -> Detector:
        if self._detector is None:
            self._detector = Detector(self._model, self._compute, rule="network")
        return self._detector
