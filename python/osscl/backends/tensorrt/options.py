"""What an engine is built for."""

from osscl.config import Settings
from osscl.errors import ConfigError


class BuildOptions(Settings, frozen=True, kw_only=True):
    """Batches that an engine takes, and memory that its build may use.

    Attributes
    ----------
    max_batch : int
        Clips that it computes at once at most; it takes any number from 1 up to it.
    opt_batch : int
        Clips in the batch that the engine is made fastest for.
    workspace_bytes : int or None
        Memory of the card that one layer may use for intermediate results; by default all of it.
    """

    max_batch: int
    opt_batch: int
    workspace_bytes: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.opt_batch <= self.max_batch:
            raise ConfigError(
                f"opt_batch, max_batch are {self.opt_batch}, {self.max_batch}; "
                "expected 1 <= opt_batch <= max_batch"
            )
        if self.workspace_bytes is not None and self.workspace_bytes < 1:
            raise ConfigError(f"workspace_bytes is {self.workspace_bytes}; it must be positive")
