"""The C++ core of osscl: log-mel, a memory's features, the quality of recordings, TFgram, the WAV reader."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__version__: str

def instruction_sets() -> list[str]: ...
def multiply_add_precisions() -> list[str]: ...
def multiply_adds(*, precision: str, n_steps: int, n_threads: int) -> float: ...
def read_wav(
    *, path: bytes, n_samples: int, channel: int | None, sample_rate_hz: int, level_limit: float
) -> tuple[npt.NDArray[np.int16] | npt.NDArray[np.float32], int] | None: ...
def read_wavs(
    *,
    paths: list[bytes],
    samples: npt.NDArray[np.int16] | npt.NDArray[np.float32],
    channel: int | None,
    sample_rate_hz: int,
    level_limit: float,
    n_threads: int,
) -> list[tuple[bool, int] | None]: ...
def measure_quality(
    *,
    samples: npt.NDArray[np.int16] | npt.NDArray[np.float32],
    numbers: npt.NDArray[np.float32],
    instruction_set: str,
    n_threads: int,
) -> None: ...

class Tfgram:
    def __init__(
        self,
        *,
        weights: Sequence[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]],
        lengths: Sequence[int],
        instruction_set: str,
    ) -> None: ...
    def transform(
        self,
        samples: npt.NDArray[np.int16] | npt.NDArray[np.float32],
        maps: npt.NDArray[np.float32],
        n_threads: int,
    ) -> None: ...

class LogMel:
    def __init__(
        self,
        *,
        sample_rate_hz: float,
        hop_length: int,
        n_mels: int,
        f_min_hz: float,
        f_max_hz: float,
        power_floor: float,
        instruction_set: str,
    ) -> None: ...
    @property
    def instruction_set(self) -> str: ...
    def window(self) -> npt.NDArray[np.float32]: ...
    def mel_filters(self) -> npt.NDArray[np.float32]: ...
    def kernel_tables(self) -> dict[str, npt.NDArray[np.float32] | npt.NDArray[np.int32]]: ...
    def transform(
        self,
        samples: npt.NDArray[np.int16] | npt.NDArray[np.float32],
        log_mel: npt.NDArray[np.float32],
        n_threads: int,
    ) -> None: ...

class Features:
    def __init__(self, log_mel: LogMel) -> None: ...
    def transform(
        self,
        samples: npt.NDArray[np.int16] | npt.NDArray[np.float32],
        features: npt.NDArray[np.float32],
        log_mel: npt.NDArray[np.float32] | None,
        n_threads: int,
    ) -> None: ...
