"""What the network says of normal clips."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from osscl.audio.candidate import Candidate
from osscl.backends import ComputeOptions
from osscl.detector import Detector
from osscl.enrolment.calibrate_options import CalibrateOptions
from osscl.enrolment.normals import Normal
from osscl.errors import DecisionError
from osscl.support.paths import printable

Scores: TypeAlias = npt.NDArray[np.float64]


def network_scores(
    model: str | os.PathLike[str],
    chosen: Mapping[str, Sequence[Normal]],
    options: CalibrateOptions,
    compute: ComputeOptions,
    on_clip: Callable[[], object],
) -> dict[str, Scores]:
    """Ask the network about normal clips, as ``osscl score --rule network`` does.

    Parameters
    ----------
    model : path-like
        The model file.
    chosen : mapping of str to sequence of Normal
        Clips by machine.
    options : CalibrateOptions
        How their recordings are made to fit.
    compute : ComputeOptions
        On what the network is computed.
    on_clip : callable
        Called after each clip.

    Returns
    -------
    dict of str to ndarray of float64
        Scores of the clips of each machine, nats.

    Raises
    ------
    DecisionError
        A recording that was read before cannot be scored now.
    """
    paths = {normal.clip.path: machine for machine, normals in chosen.items() for normal in normals}
    found: dict[str, list[float]] = {machine: [] for machine in chosen}
    with Detector(model, compute, rule="network") as detector:
        for machine, normals in chosen.items():
            candidates = (Candidate(normal.clip.path, None, normal.clip.start_s) for normal in normals)
            for record in detector.score_candidates(
                candidates, lambda path: paths[os.fsdecode(path)], options.fit
            ):
                if record.score is None:
                    raise DecisionError(
                        f"{printable(record.path)} was read and could not be scored: {record.reason}; were "
                        "recordings changed meanwhile? Calibrate again"
                    )
                found[machine].append(record.score)
                on_clip()
    return {machine: np.array(scores) for machine, scores in found.items()}
