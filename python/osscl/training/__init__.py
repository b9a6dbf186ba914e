"""Training of OS-SCL in PyTorch; needs the extra ``train``."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from osscl.support.failed_import import needing

if TYPE_CHECKING:
    from osscl.training.clips import TrainingData
    from osscl.training.execution import Execution
    from osscl.training.reading import read_training_data
    from osscl.training.runs import Outcome, train
    from osscl.training.train_config import TrainConfig

__all__ = ["Execution", "Outcome", "TrainConfig", "TrainingData", "read_training_data", "train"]

# loaded when first used: processes that only read recordings stay without torch
_HOMES = {
    "Execution": "osscl.training.execution",
    "Outcome": "osscl.training.runs",
    "TrainConfig": "osscl.training.train_config",
    "TrainingData": "osscl.training.clips",
    "read_training_data": "osscl.training.reading",
    "train": "osscl.training.runs",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'osscl.training' has no attribute '{name}'")
    with needing(f"osscl.training.{name}", "train"):
        return getattr(import_module(_HOMES[name]), name)
