"""All that changes in the course of a training: networks, optimiser, progress; saved and brought back."""

from collections.abc import Mapping

import torch
from torch import Tensor

from osscl.errors import CheckpointError
from osscl.model import OSSCL
from osscl.training.moving_average import MovingAverage
from osscl.training.progress import Progress
from osscl.training.pseudo_classes import all_classes
from osscl.training.randomness import Purpose, generator
from osscl.training.train_config import TrainConfig

BETAS = (0.9, 0.999)
EPSILON = 1e-8
_MOMENTS = ("step", "exp_avg", "exp_avg_sq")


class TrainingState:
    """A training between two steps.

    Parameters
    ----------
    config : TrainConfig
        Settings; the seed decides the initialisation.
    classes : tuple of str
        Machine IDs; the networks have the recipe's pseudo-classes behind them.
    device : torch.device
        Where it is computed.

    Attributes
    ----------
    model : OSSCL
        The live network, in training mode.
    average : MovingAverage
        The averaged one.
    optimizer : torch.optim.AdamW
        Of the live network.
    progress : Progress
        How far the training has come.
    """

    def __init__(self, config: TrainConfig, classes: tuple[str, ...], device: torch.device) -> None:
        with torch.random.fork_rng(devices=[]):
            seed = int(generator(config.seed, Purpose.INITIALISATION).integers(2**63))
            torch.manual_seed(seed)
            model = OSSCL(config.model(all_classes(classes, config)))
        if config.precision == "bf16":
            # faster, but batch norm sums less exactly: gradients then miss the published ones by up to 0.6 %
            model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model = model.to(device).train()
        self.average = MovingAverage(self.model)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(),
            lr=config.learning_rate,
            betas=BETAS,
            eps=EPSILON,
            weight_decay=config.weight_decay,
        )
        self.progress = Progress()

    def set_learning_rate(self, rate: float) -> None:
        """Learning rate of the steps to come."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def tensors(self) -> dict[str, Tensor]:
        """Everything that a training needs to go on, by name."""
        tensors = {f"live.{name}": value for name, value in self.model.state_dict().items()}
        tensors |= {f"ema.{name}": value for name, value in self.average.model.state_dict().items()}
        for name, parameter in self.model.named_parameters():
            moments = self.optimizer.state.get(parameter, {})
            tensors |= {f"adamw.{key}.{name}": moments[key] for key in _MOMENTS if key in moments}
        return tensors

    def is_finite(self) -> bool:
        """Whether all weights, averages and moments are numbers."""
        return all(bool(value.isfinite().all()) for value in self.tensors().values())

    def restore(self, tensors: Mapping[str, Tensor], progress: Progress) -> None:
        """Bring back what `tensors` gave.

        Parameters
        ----------
        tensors : mapping of str to Tensor
            As `tensors` gave them.
        progress : Progress
            How far the training had come.

        Raises
        ------
        CheckpointError
            A tensor is missing or of another shape.
        """
        try:
            for prefix, model in (("live.", self.model), ("ema.", self.average.model)):
                model.load_state_dict(
                    {name: tensors[prefix + name] for name in model.state_dict()}, strict=True
                )
            if progress.n_steps:
                for name, parameter in self.model.named_parameters():
                    self.optimizer.state[parameter] = {
                        key: _laid_out_like(parameter, tensors[f"adamw.{key}.{name}"]) for key in _MOMENTS
                    }
        except (KeyError, RuntimeError) as error:
            raise CheckpointError(f"the training state does not fit the network: {error}") from error
        self.progress = progress


def _laid_out_like(parameter: Tensor, value: Tensor) -> Tensor:
    """A moment as the optimiser itself would have made it; the number of steps stays on the CPU."""
    return torch.empty_like(parameter).copy_(value) if value.ndim else value.clone()
