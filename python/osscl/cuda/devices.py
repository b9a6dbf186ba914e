"""Which GPUs there are, and which of them a user names."""

import re

from osscl.cuda.calls import OLDEST_DRIVER, call, driver
from osscl.cuda.device import Device, version_text
from osscl.errors import ConfigError, DeviceError

OLDEST_ARCHITECTURE = (7, 5)
"""Turing: what the front end's code and TensorRT need."""

_NAMES = re.compile(r"cuda(?::(all|\d+(?:,\d+)*))?")


def is_cuda(device: str) -> bool:
    """Whether a device's name speaks of GPUs."""
    return device.partition(":")[0] == "cuda"


def count_devices() -> int:
    """Ask the driver for its GPUs.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    MissingExtraError
        The package that talks to the driver is not installed.
    DeviceError
        There is no driver, it is too old, or it finds no GPU.
    """
    version = _driver_version()
    if version < OLDEST_DRIVER:
        raise DeviceError(
            f"the NVIDIA driver supports CUDA {version_text(version)}; osscl needs "
            f"{version_text(OLDEST_DRIVER)}, which driver r535 and newer support: update the driver"
        )
    try:
        call("cuInit", 0)
        count = int(call("cuDeviceGetCount"))
    except DeviceError as error:
        if "CUDA_ERROR_NO_DEVICE" not in str(error):
            raise
        count = 0
    if not count:
        raise DeviceError(
            "the NVIDIA driver finds no GPU that this process may use: check nvidia-smi, "
            "CUDA_VISIBLE_DEVICES and, in a container, that GPUs are passed on"
        )
    return count


def asked_devices(device: str) -> tuple[int, ...] | None:
    """Numbers of the GPUs that a device's name asks for, whether they are there or not.

    Parameters
    ----------
    device : str
        "cuda" (the first one), "cuda:1", "cuda:0,1" or "cuda:all".

    Returns
    -------
    tuple of int or None
        In the order in which they were named; None for all.

    Raises
    ------
    ConfigError
        The name is none of these, or names a GPU twice.
    """
    match = _NAMES.fullmatch(device)
    if match is None:
        raise ConfigError(
            f"device '{device}' is not known; expected cuda, cuda:N, cuda:N,M or cuda:all, with GPUs counted "
            "from 0"
        )
    if match[1] == "all":
        return None
    numbers = tuple(int(number) for number in (match[1] or "0").split(","))
    if len(set(numbers)) < len(numbers):
        raise ConfigError(f"device '{device}' names a GPU twice; name each once")
    return numbers


def named_devices(device: str) -> tuple[int, ...]:
    """Numbers of the GPUs that a device's name stands for.

    Parameters
    ----------
    device : str
        "cuda" (the first one), "cuda:1", "cuda:0,1" or "cuda:all".

    Returns
    -------
    tuple of int
        In the order in which they were named.

    Raises
    ------
    ConfigError
        The name is none of these, or names a GPU twice.
    MissingExtraError, DeviceError
        As `count_devices`; DeviceError also for a GPU that is not there.
    """
    numbers = asked_devices(device)
    try:
        count = count_devices()
    except DeviceError as error:
        raise type(error)(f"device '{device}' was asked for, but {error}; or choose device 'cpu'") from error
    if numbers is None:
        return tuple(range(count))
    for number in numbers:
        if number >= count:
            raise DeviceError(
                f"device '{device}' was asked for, but there are {count} GPUs, counted from 0: choose one of "
                "them, or cuda:all"
            )
    return numbers


def open_device(index: int) -> Device:
    """Open a GPU.

    Parameters
    ----------
    index : int
        Its number, out of `named_devices`.

    Returns
    -------
    Device
        Not active yet in any thread.

    Raises
    ------
    DeviceError
        It is of an architecture that is not supported.
    """
    device = Device(index)
    if device.compute_capability < OLDEST_ARCHITECTURE:
        found, oldest = (
            ".".join(map(str, version)) for version in (device.compute_capability, OLDEST_ARCHITECTURE)
        )
        raise DeviceError(
            f"cuda:{index} ({device.name}) has compute capability {found}; expected {oldest} (Turing) or "
            "newer: choose another GPU, or device 'cpu'"
        )
    return device


def _driver_version() -> int:
    driver()  # a missing package is not a missing driver
    try:
        version = int(call("cuDriverGetVersion"))
    except DeviceError as error:
        raise DeviceError(
            "there is no NVIDIA driver on this machine (libcuda.so.1 cannot be loaded): install driver r535 "
            "or newer"
        ) from error
    if version == 0:
        raise DeviceError("the NVIDIA driver is not running: load its kernel module, or restart the machine")
    return version
