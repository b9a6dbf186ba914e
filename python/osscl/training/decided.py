"""What a recipe leaves open, decided by the data at hand: whether averages start with a short memory."""

from msgspec.structs import replace

from osscl.support.plurals import counted
from osscl.training.moving_average import initialisation_left
from osscl.training.order import n_batches
from osscl.training.train_config import TrainConfig

MOSTLY_FORGOTTEN = 0.1
"""Share of the averaged weights that may still be the initialisation at the end."""


def n_steps_of(config: TrainConfig, n_training_clips: int) -> int:
    """Steps of a whole training."""
    return config.epochs * n_batches(n_training_clips, config.batch_size)


def decided(config: TrainConfig, n_training_clips: int) -> TrainConfig:
    """Decide what a recipe leaves open.

    Parameters
    ----------
    config : TrainConfig
        The recipe, as it was asked for.
    n_training_clips : int
        Clips trained on.

    Returns
    -------
    TrainConfig
        With `ema_warmup` on where, without it, more than a tenth of the averaged weights would be the
        initialisation at the end.
    """
    if config.ema_warmup is not None:
        return config
    left = initialisation_left(n_steps_of(config, n_training_clips), warmup=False)
    return replace(config, ema_warmup=left > MOSTLY_FORGOTTEN)


def warmup_notice(asked: TrainConfig, now: TrainConfig, n_steps: int) -> str | None:
    """Say that the warm-up is on by itself.

    Parameters
    ----------
    asked, now : TrainConfig
        The recipe before and after what it leaves open was decided.
    n_steps : int
        Steps of the whole training.

    Returns
    -------
    str or None
        None where it was stated, or is off.
    """
    if asked.ema_warmup is not None or not now.ema_warmup:
        return None
    left = initialisation_left(n_steps, warmup=False)
    return (
        f"--ema-warmup is on: without it, {left:.0%} of the averaged weights would still be the random ones "
        f"that the training began with, because it has {counted(n_steps, 'step')} alone; --no-ema-warmup "
        "switches it off"
    )
