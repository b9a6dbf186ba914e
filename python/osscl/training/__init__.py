"""Training of OS-SCL in PyTorch; needs the extra ``train``."""

from osscl.config import TrainConfig
from osscl.training.clips import TrainingData, read_training_data
from osscl.training.execution import Execution
from osscl.training.runs import Outcome, train

__all__ = ["Execution", "Outcome", "TrainConfig", "TrainingData", "read_training_data", "train"]
