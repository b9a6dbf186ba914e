"""GPUs: driver, cards, the front end for them, and what computes networks on them."""

from collections.abc import Iterator
from typing import Literal

from osscl.errors import BackendError, ConfigError, DeviceError, MissingExtraError, OutputError
from osscl.health.finding import Check, Finding, unusable
from osscl.support.installed import version_of
from osscl.support.own_cache import FOLDER_VARIABLE
from osscl.support.paths import printable
from osscl.support.plurals import counted

_RUNTIMES = ("tensorrt", "onnxruntime-gpu")


def _cards() -> Iterator[Finding]:
    from osscl.cuda.devices import count_devices

    try:
        count = count_devices()
    except (MissingExtraError, DeviceError) as error:
        yield unusable("gpu", _where_gpus_are_not_wanted(), error)
        return
    for number in range(count):
        yield _card(number)


def _card(number: int) -> Finding:
    from osscl.cuda.devices import open_device

    try:
        device = open_device(number)
    except DeviceError as error:
        return unusable("gpu", "broken", error)
    capability = ".".join(map(str, device.compute_capability))
    return Finding(
        "gpu",
        "ok",
        f"cuda:{number}, {device.name}, compute capability {capability}, {device.total_memory / 1e9:.0f} GB, "
        f"driver for CUDA {device.driver_version}",
    )


def _where_gpus_are_not_wanted() -> Literal["missing", "broken"]:
    """Where nothing for GPUs is installed none is wanted, and there is nothing to mend."""
    return "broken" if any(map(version_of, _RUNTIMES)) else "missing"


def _front_end() -> Iterator[Finding]:
    from osscl.cuda.front_end import VARIABLE, front_end_code, reason_without

    try:
        code = front_end_code()
    except ConfigError as error:
        yield Finding("front end on GPUs", "broken", str(error), f"unset {VARIABLE}")
        return
    if code is None:
        found = f"{reason_without()}: the processor's is used in its place"
        yield Finding("front end on GPUs", "missing", found)
    else:
        yield Finding("front end on GPUs", "ok", f"{len(code)} bytes of PTX")


def _tensorrt() -> Iterator[Finding]:
    installed = version_of("tensorrt")
    if installed is None:
        return
    from osscl.backends.tensorrt.package import check_version

    try:
        check_version(installed)
    except BackendError as error:
        yield unusable("tensorrt", "broken", error)


def _engine_cache() -> Iterator[Finding]:
    from osscl.backends.tensorrt.cache import EngineCache, default_folder
    from osscl.backends.tensorrt.entries import list_entries, why_prune

    try:
        cache = EngineCache(default_folder())
        entries = list_entries(cache)
    except OutputError as error:
        yield unusable("engine cache", _where_gpus_are_not_wanted(), error)
        return
    except OSError as error:
        found = f"{printable(error.filename)} cannot be read: {error.strerror}"
        remedy = f"set {FOLDER_VARIABLE} to a folder that this user may write"
        yield Finding("engine cache", _where_gpus_are_not_wanted(), found, remedy)
        return
    where = printable(cache.folder)
    tensorrt = version_of("tensorrt")
    reasons = (
        why_prune(entry, everything=False, older_than_days=None, installed_tensorrt=tensorrt)
        for entry in entries
    )
    useless = [why for why in reasons if why is not None]
    if useless:
        found = f"{len(useless)} of {counted(len(entries), 'engine')} in {where} cannot be used: {useless[0]}"
        yield Finding("engine cache", "broken", found, "osscl engine prune; scoring builds them anew")
    else:
        yield Finding("engine cache", "ok", f"{counted(len(entries), 'engine')} in {where}")


GPU_CHECKS: dict[str, Check] = {
    "gpu": _cards,
    "front end on GPUs": _front_end,
    "tensorrt": _tensorrt,
    "engine cache": _engine_cache,
}
"""Everything that scoring on GPUs needs: the driver and each card first, then the software for them."""
