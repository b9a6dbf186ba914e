"""The network while it learns: with pseudo-classes, and with what reads features from its embeddings."""

from collections.abc import Mapping

from torch import Tensor

from osscl.model import OSSCL
from osscl.training.feature_loss import FeatureReading
from osscl.training.pseudo_classes import all_classes
from osscl.training.train_config import TrainConfig

_CLASS_WEIGHT, _READING = "arcface.weight", "feature_reading."


class LearningNetwork(OSSCL):
    """The network of a recipe, and what exists in training alone.

    Parameters
    ----------
    config : TrainConfig
        The recipe.
    classes : tuple of str
        The K real classes.
    """

    feature_reading: FeatureReading

    def __init__(self, config: TrainConfig, classes: tuple[str, ...]) -> None:
        super().__init__(config.model(all_classes(classes, config)))
        self._n_rows = len(classes) * config.sub_centres
        if config.feature_loss:
            self.feature_reading = FeatureReading()

    def kept(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Weights of this network, or of its average, as a network of the real classes alone has them.

        Parameters
        ----------
        weights : mapping of str to Tensor
            All of them.

        Returns
        -------
        dict of str to Tensor
            Those of an `OSSCL`: what is exported and scored.
        """
        return {
            name: value[: self._n_rows] if name == _CLASS_WEIGHT else value
            for name, value in weights.items()
            if not name.startswith(_READING)
        }
