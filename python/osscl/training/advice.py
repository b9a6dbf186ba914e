"""What a modeller should hear before a training starts."""

from osscl.support.plurals import counted, verb
from osscl.training.clips import TrainingData
from osscl.training.decided import MOSTLY_FORGOTTEN, decided, n_steps_of
from osscl.training.execution import Execution
from osscl.training.hold_out import split_hold_out
from osscl.training.log_mel_cache import other_front_ends
from osscl.training.moving_average import initialisation_left
from osscl.training.train_config import TrainConfig

FEW_CLASSES = 8


def warnings_before(data: TrainingData, config: TrainConfig, execution: Execution) -> list[str]:
    """Sentences a modeller should read before a training is started.

    Parameters
    ----------
    data : TrainingData
        The clips.
    config : TrainConfig
        The recipe.
    execution : Execution
        Device, workers, cache.

    Returns
    -------
    list of str
        Empty where nothing is odd.
    """
    said = []
    if len(data.classes) < FEW_CLASSES:
        said.append(
            f"{counted(len(data.classes), 'class')} are few: the network learns what is normal by telling "
            "machines apart, and with few of them it needs little of the sound for that, so that it "
            "misses faults in "
            "the rest; add recordings of more machines (the published models have 41), or decide by memories "
            "(osscl enroll)"
        )
    n_training = len(split_hold_out(data, config.hold_out, config.seed).training)
    n_steps = n_steps_of(config, n_training)
    left = initialisation_left(n_steps, warmup=bool(decided(config, n_training).ema_warmup))
    if left > MOSTLY_FORGOTTEN:
        said.append(
            f"after all {counted(n_steps, 'step')}, {left:.0%} of the averaged weights will still be the "
            "random ones that the training began with; train longer, or use --ema-warmup"
        )
    if execution.cache is not None and other_front_ends(execution.cache):
        said.append(
            f"{execution.cache} holds log-mels of another front end; they are left alone, and those of this "
            "one are computed anew"
        )
    if n := data.n_repeated:
        repeat = verb(n, "repeats others, and counts", "repeat others, and count")
        said.append(f"{counted(n, 'recording')} {repeat} once")
    return said
