"""Calls of the CUDA driver, each checked: the only place that knows its package and its error codes."""

import functools
from types import ModuleType
from typing import Any

from osscl.errors import DeviceError, DeviceLostError, DeviceMemoryError
from osscl.support.failed_import import needing
from osscl.support.telemetry import import_quietly

OLDEST_DRIVER = 12_020
"""CUDA 12.2, which came with driver r535: what the front end's code needs."""

# After these the card's context computes no more, whatever is asked of it.
_LOST = {
    "CUDA_ERROR_ASSERT",
    "CUDA_ERROR_CONTAINED",
    "CUDA_ERROR_CONTEXT_IS_DESTROYED",
    "CUDA_ERROR_DEVICE_UNAVAILABLE",
    "CUDA_ERROR_ECC_UNCORRECTABLE",
    "CUDA_ERROR_EXTERNAL_DEVICE",
    "CUDA_ERROR_HARDWARE_STACK_ERROR",
    "CUDA_ERROR_ILLEGAL_ADDRESS",
    "CUDA_ERROR_ILLEGAL_INSTRUCTION",
    "CUDA_ERROR_INVALID_ADDRESS_SPACE",
    "CUDA_ERROR_INVALID_PC",
    "CUDA_ERROR_LAUNCH_FAILED",
    "CUDA_ERROR_LAUNCH_TIMEOUT",
    "CUDA_ERROR_MISALIGNED_ADDRESS",
    "CUDA_ERROR_MPS_CLIENT_TERMINATED",
    "CUDA_ERROR_MPS_RPC_FAILURE",
    "CUDA_ERROR_NVLINK_UNCORRECTABLE",
    "CUDA_ERROR_TENSOR_MEMORY_LEAK",
    "CUDA_ERROR_UNKNOWN",
}


@functools.cache
def driver() -> ModuleType:
    """The driver's Python module; it loads without a driver.

    Raises
    ------
    MissingExtraError
        The package is not installed, or broken.
    """
    with needing("computing on a GPU", "tensorrt", "cuda", package="cuda-bindings"):
        return import_quietly("cuda.bindings.driver")


def call(name: str, *arguments: Any) -> Any:
    """Call a function of the driver.

    Parameters
    ----------
    name : str
        Such as "cuMemAlloc".
    *arguments
        As the function takes them.

    Returns
    -------
    Any
        What the function gives: nothing, a value, or a tuple of several.

    Raises
    ------
    DeviceMemoryError
        The card's memory, or memory that it can copy from, is used up.
    DeviceLostError
        The card stopped working.
    DeviceError
        Any other failure, or a driver that does not know the function.
    """
    try:
        status, *values = getattr(driver(), name)(*arguments)
    except RuntimeError as error:  # no driver at all, or one that lacks the function
        raise DeviceError(f"the NVIDIA driver cannot do {name}: {error}") from error
    if status.name != "CUDA_SUCCESS":
        raise _error(name, status.name)
    return values[0] if len(values) == 1 else tuple(values) or None


def _error(function: str, status: str) -> DeviceError:
    if status == "CUDA_ERROR_OUT_OF_MEMORY":
        whose = "memory that the GPU can copy from" if "Host" in function else "the memory of the GPU"
        return DeviceMemoryError(
            f"{whose} is used up ({function}); end other programs that use it, or choose a smaller batch "
            "(osscl score --batch-size, osscl engine build --max-batch)"
        )
    reported = f"the NVIDIA driver reports {status} ({function})"
    if status in _LOST:
        return DeviceLostError(f"{reported}; this process can use the GPU no more: start another")
    return DeviceError(reported)
