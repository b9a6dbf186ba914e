"""How much memory a step takes on a CPU: counted from the network, and told before the first one."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from osscl.config import CLIP, FRONTEND
from osscl.errors import TrainingError
from osscl.model import OSSCL
from osscl.support.memory import available_memory
from osscl.support.plurals import counted
from osscl.training.train_config import TrainConfig, TrainingPrecision

_GIBIBYTE = 2**30
_SHAPES = {
    "waveform": (CLIP.n_samples,),
    "log_mel": (FRONTEND.n_mels, FRONTEND.n_frames(CLIP.n_samples)),
}
_BYTES_OF_A_VALUE: dict[TrainingPrecision, int] = {"fp32": 4, "bf16": 2}
_PEAK_OF_KEPT: dict[TrainingPrecision, float] = {"fp32": 1.7, "bf16": 1.9}
"""Peak of a step's memory, as a multiple of what its forward pass keeps for the backward one. On top of that
come gradients of the maps at hand, copies in the layout of the convolutions (for bf16 also in its precision),
and gaps in the heap, which `keep_freed_memory` does not give back. Measured: benchmarks/RESULTS.md."""


@dataclass(frozen=True, slots=True)
class StepMemory:
    """What a step takes, and what there is.

    Attributes
    ----------
    n_clips : int
        Clips of a step.
    clip_bytes : int
        What each of them takes at the peak, about.
    available_bytes : int or None
        What the process may still take; None where the system does not say.
    """

    n_clips: int
    clip_bytes: int
    available_bytes: int | None

    def __str__(self) -> str:
        needed = _gib(self.n_clips * self.clip_bytes)
        takes = f"a step of {counted(self.n_clips, 'clip')} takes about {needed} of memory"
        return takes if self.available_bytes is None else f"{takes}, of {_gib(self.available_bytes)} free"

    def check(self) -> None:
        """Refuse a step that does not fit.

        Raises
        ------
        TrainingError
            The machine, or the control group that the process is in, lacks the memory.
        """
        if self.available_bytes is None or self.n_clips * self.clip_bytes <= self.available_bytes:
            return
        n_fitting = self.available_bytes // self.clip_bytes
        remedy = f"--batch-size {n_fitting} fits" if n_fitting >= 2 else "not even --batch-size 2 fits"
        raise TrainingError(f"{self}: {remedy}; or end what else uses memory here, or allow the process more")


def step_memory(config: TrainConfig, n_training_clips: int) -> StepMemory:
    """Estimate the memory of a step on a CPU.

    Parameters
    ----------
    config : TrainConfig
        The recipe.
    n_training_clips : int
        Clips trained on; a step has no more.

    Returns
    -------
    StepMemory
        The peak of a step, without what the process holds already; true to about a fifth.
    """
    kept = _values_kept(config) * _BYTES_OF_A_VALUE[config.precision]
    clip_bytes = round(_PEAK_OF_KEPT[config.precision] * kept)
    return StepMemory(min(config.batch_size, n_training_clips), clip_bytes, available_memory())


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether PyTorch means that there is no memory left, a GPU's or the machine's."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


@lru_cache
def _values_kept(config: TrainConfig) -> int:
    """Values a clip that the forward pass keeps for the backward one: counted on tensors without memory."""
    n_clips = 2  # the least that batch norm takes
    with torch.device("meta"):
        model = OSSCL(config.model(("any",))).train()
        inputs = [torch.empty((n_clips, *_SHAPES[name])) for name in model.input_names]
    kept: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[id(storage)] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        vector = model.vector(*inputs)  # [2, 128]; its graph holds what was kept
    own = {id(value.untyped_storage()) for value in (*model.parameters(), *model.buffers())}
    n_bytes = sum(storage.nbytes() for number, storage in kept.items() if number not in own)
    return n_bytes // (n_clips * vector.element_size())


def _gib(n_bytes: int) -> str:
    return f"{n_bytes / _GIBIBYTE:.1f} GiB"
