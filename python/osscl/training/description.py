"""What a checkpoint of a training says of it, before its first step."""

from osscl.config import CLIP, FRONTEND
from osscl.training.background import background_of
from osscl.training.checkpoint import CheckpointInfo
from osscl.training.clips import TrainingData
from osscl.training.execution import Execution, git_revision, package_versions
from osscl.training.hold_out import Split
from osscl.training.progress import Progress
from osscl.training.train_config import TrainConfig


def described(config: TrainConfig, data: TrainingData, split: Split, execution: Execution) -> CheckpointInfo:
    """Describe a training that begins.

    Parameters
    ----------
    config : TrainConfig
        The recipe, with what was decided.
    data : TrainingData
        All clips.
    split : Split
        Which of them are trained on.
    execution : Execution
        Device, workers, cache.

    Returns
    -------
    CheckpointInfo
        Without progress and verdict.
    """
    return CheckpointInfo(
        content="training_state",
        config=config,
        classes=data.classes,
        front_end=FRONTEND,
        clip=CLIP,
        front_end_sha256=FRONTEND.sha256,
        data_fingerprint=data.fingerprint,
        training_clips=tuple(clip.sha256 for clip in split.training),
        hold_out_clips=tuple(clip.sha256 for clip in split.hold_out),
        progress=Progress(),
        device=execution.device_name(),
        versions=package_versions(),
        git_revision=git_revision(),
        background=background_of(data, split.training),
        class_machines=data.class_machines,
    )
