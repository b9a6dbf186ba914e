"""Learning rate over the epochs."""

import math

from osscl.training.train_config import TrainConfig


def learning_rate(epoch: int, config: TrainConfig) -> float:
    """Learning rate of all steps of one epoch: half a cosine from the first towards the final one.

    Parameters
    ----------
    epoch : int
        Counted from 0.
    config : TrainConfig
        First and final rate, number of epochs.

    Returns
    -------
    float
        The final rate itself would be that of epoch number `config.epochs`, which is not trained.

    References
    ----------
    Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017,
    arXiv 1608.03983, equation 5, without restarts.
    """
    final = config.final_learning_rate_ratio * config.learning_rate
    return final + (config.learning_rate - final) * (1.0 + math.cos(math.pi * epoch / config.epochs)) / 2.0
