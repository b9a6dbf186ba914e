"""What varies between clips of one machine, told from the clips of a training: memories start from it."""

from collections.abc import Sequence

import numpy as np

from osscl.config import FEATURES
from osscl.decisions import pooled_background
from osscl.decisions.background import MIN_CLIPS, MIN_MACHINES
from osscl.errors import DecisionError
from osscl.model_file.decisions import StoredBackground
from osscl.model_file.restored import stored_background
from osscl.training.clips import TrainingClip, TrainingData

NO_BACKGROUND = (
    "the model will have no background, which tells memories how clips of one machine vary: it takes "
    f"{MIN_CLIPS} clips of each of {MIN_MACHINES} machines beside those held out; osscl enroll will take the "
    "one that ships with osscl, or osscl-export one that you name (--background)"
)


def background_of(data: TrainingData, training: Sequence[TrainingClip]) -> StoredBackground | None:
    """Make a background of the clips that are trained on.

    Parameters
    ----------
    data : TrainingData
        All clips, with their features.
    training : sequence of TrainingClip
        Those of them that are trained on.

    Returns
    -------
    StoredBackground or None
        None where they are too few, or do not vary.
    """
    of_machine: dict[str, list[TrainingClip]] = {}
    for clip in training:
        if clip.sha256 in data.features:
            of_machine.setdefault(clip.machine, []).append(clip)
    features = {
        machine: np.stack([data.features[clip.sha256] for clip in clips])
        for machine, clips in of_machine.items()
    }
    try:
        made = pooled_background(features, f"training clips, fingerprint {data.fingerprint}", FEATURES.sha256)
    except DecisionError:
        return None
    return stored_background(made)
