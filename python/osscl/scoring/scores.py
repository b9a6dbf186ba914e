"""What scoring a batch of waveforms gives."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osscl.errors import CalibrationError

FloatArray = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Anomaly scores of a batch, and decisions where the machines are calibrated.

    Attributes
    ----------
    machine : tuple of str
        Machine ID that each clip claims to be.
    score : ndarray of float32, [B]
        Anomaly score in nats; higher is more anomalous.
    p_value : ndarray of float64, [B]
        Share of normal clips of this machine that score at least as high, in [0, 1]; NaN where uncalibrated.
    threshold : ndarray of float64, [B]
        Score from which a clip counts as anomalous; NaN where uncalibrated.
    """

    machine: tuple[str, ...]
    score: npt.NDArray[np.float32]
    p_value: npt.NDArray[np.float64]
    threshold: npt.NDArray[np.float64]

    @property
    def is_anomaly(self) -> npt.NDArray[np.bool_]:
        """Whether each score reaches its threshold, [B].

        Raises
        ------
        CalibrationError
            A machine of the batch has no threshold.
        """
        uncalibrated = sorted({self.machine[i] for i in np.flatnonzero(np.isnan(self.threshold))})
        if uncalibrated:
            raise CalibrationError(
                f"no threshold is known for {', '.join(uncalibrated)}: compare the scores with a threshold "
                "of your own, set from normal clips of the same machine"
            )
        return self.score >= self.threshold
