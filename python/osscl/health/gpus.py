"""GPUs: driver, cards, the front end for them, and what computes networks on them."""

from collections.abc import Iterator
from typing import Literal

from osscl.backends.tensorrt.cache import EngineCache, default_folder
from osscl.backends.tensorrt.entries import list_entries, why_prune
from osscl.backends.tensorrt.package import import_tensorrt
from osscl.cuda.devices import count_devices, open_device
from osscl.cuda.front_end import VARIABLE, front_end_code, reason_without
from osscl.errors import ConfigError, DeviceError, MissingExtraError, OssclError
from osscl.health.finding import Finding
from osscl.support.installed import version_of
from osscl.support.paths import printable

_RUNTIMES = ("tensorrt", "onnxruntime-gpu")


def check_gpus() -> Iterator[Finding]:
    """Check everything that scoring on GPUs needs.

    Yields
    ------
    Finding
        Driver first, then each card, then the software for them.
    """
    yield from _cards()
    yield _front_end()
    yield from _tensorrt()
    yield _engine_cache()


def _cards() -> Iterator[Finding]:
    try:
        count = count_devices()
    except (MissingExtraError, DeviceError) as error:
        # where nothing for GPUs is installed none is wanted, and there is nothing to mend
        state: Literal["missing", "broken"] = "broken" if any(map(version_of, _RUNTIMES)) else "missing"
        yield _unusable(state, error)
        return
    for number in range(count):
        yield _card(number)


def _card(number: int) -> Finding:
    try:
        device = open_device(number)
    except DeviceError as error:
        return _unusable("broken", error)
    capability = ".".join(map(str, device.compute_capability))
    return Finding(
        "gpu",
        "ok",
        f"cuda:{number}, {device.name}, compute capability {capability}, {device.total_memory / 1e9:.0f} GB, "
        f"driver for CUDA {device.driver_version}",
    )


def _unusable(state: Literal["missing", "broken"], error: OssclError) -> Finding:
    """A sentence of the form "what is: what to do" as a finding."""
    what, _, remedy = str(error).partition(": ")
    return Finding("gpu", state, what, remedy or None)


def _front_end() -> Finding:
    try:
        code = front_end_code()
    except ConfigError as error:
        return Finding("front end on GPUs", "broken", str(error), f"unset {VARIABLE}")
    if code is None:
        found = f"{reason_without()}: the processor's is used in its place"
        return Finding("front end on GPUs", "missing", found)
    return Finding("front end on GPUs", "ok", f"{len(code)} bytes of PTX")


def _tensorrt() -> Iterator[Finding]:
    if not version_of("tensorrt"):
        return
    try:
        import_tensorrt()
    except OssclError as error:
        yield Finding("tensorrt", "broken", str(error), 'pip install --force-reinstall "osscl[tensorrt]"')


def _engine_cache() -> Finding:
    cache = EngineCache(default_folder())
    where = printable(cache.folder)
    try:
        entries = list_entries(cache)
    except OSError as error:
        found = f"{where} cannot be listed: {error.strerror}"
        return Finding("engine cache", "broken", found, "name another folder by OSSCL_CACHE_DIR")
    tensorrt = version_of("tensorrt")
    reasons = (
        why_prune(entry, everything=False, older_than_days=None, installed_tensorrt=tensorrt)
        for entry in entries
    )
    useless = [why for why in reasons if why is not None]
    if useless:
        found = f"{len(useless)} of {len(entries)} engines in {where} cannot be used: {useless[0]}"
        return Finding("engine cache", "broken", found, "osscl engine prune; scoring builds them anew")
    return Finding("engine cache", "ok", f"{len(entries)} engines in {where}")
