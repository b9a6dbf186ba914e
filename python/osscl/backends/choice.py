"""Which backend computes a model on which device: never another one than was asked for."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

from osscl import frontend
from osscl.backends import native_tfgram
from osscl.backends.base import Backend
from osscl.backends.gpu.card import Card
from osscl.backends.gpu.fleet import Fleet
from osscl.backends.options import ComputeOptions
from osscl.cuda import front_end
from osscl.cuda.device import Device
from osscl.cuda.devices import named_devices, open_device
from osscl.errors import BackendError, DeviceError, MissingExtraError
from osscl.model_file.bundle import Bundle
from osscl.support.installed import has_module, version_of
from osscl.support.log import quiet_logger

_log = quiet_logger(__name__)


class _Entry(NamedTuple):
    """A backend: the module and class that do it, and whether its package is there."""

    module: str
    name: str
    is_installed: Callable[[], bool]

    def load(self) -> Any:
        """Its class; the module loads the runtime only when the backend is opened."""
        return getattr(import_module(f"osscl.backends.{self.module}"), self.name)


def _has_onnxruntime_for_gpus() -> bool:
    return version_of("onnxruntime-gpu") is not None and has_module("onnxruntime")


_CPU = {
    "onnxruntime": _Entry("onnxruntime", "OnnxRuntimeBackend", partial(has_module, "onnxruntime")),
    "openvino": _Entry("openvino", "OpenVinoBackend", partial(has_module, "openvino")),
}
_CUDA = {
    "tensorrt": _Entry("tensorrt.backend", "TensorRtBackend", partial(has_module, "tensorrt")),
    "onnxruntime": _Entry("onnxruntime_cuda", "OnnxRuntimeCudaBackend", _has_onnxruntime_for_gpus),
}


def open_backend(bundle: Bundle, options: ComputeOptions) -> Backend:
    """Open a model on a device; never on another one than was asked for.

    Parameters
    ----------
    bundle : Bundle
        The model.
    options : ComputeOptions
        On what it is computed, and how. The device "auto" is a GPU that can be used, where what computes the
        model there is installed, else the CPU.

    Returns
    -------
    Backend
        Ready to compute.

    Raises
    ------
    BackendError
        The backend does not compute the model's precision, or not on that device.
    DeviceError
        A GPU was asked for that cannot be used.
    MissingExtraError
        The package that the backend needs is not installed.
    ConfigError
        A setting, an environment variable of osscl's, holds an unknown word, used here or not.
    """
    _check_settings()
    device, backend = options.device, options.backend
    if device == "auto":
        device = "cuda" if _prefers_gpu(bundle, backend) else "cpu"
    if device == "cpu":
        opened: Backend = _chosen(_CPU, bundle, backend, "the CPU")(bundle, options.shared_out())
        return opened
    numbers = named_devices(device)
    card = _chosen(_CUDA, bundle, backend, "GPUs")
    return _open_on_cards(partial(card, bundle, options=options), numbers)


def require_runtime(precision: str) -> None:
    """Make sure that what computes a precision on the CPU is installed, before there is a model to compute.

    Parameters
    ----------
    precision : str
        Arithmetic of the heavy layers, such as "bf16".

    Raises
    ------
    MissingExtraError
        None of the packages that compute it is installed, or the preferred one is broken.
    """
    able = _able(_CPU, precision)
    entry = able[_preferred(able)]
    import_module(f"osscl.backends.{entry.module}").load_runtime()


def _check_settings() -> None:
    """Refuse words that no setting knows, also where this device or backend would not read them."""
    frontend.instruction_set()
    native_tfgram.is_wanted()
    front_end.reason_without()


def _prefers_gpu(bundle: Bundle, backend: str | None) -> bool:
    """Whether a GPU can be used, and what computes the model there is installed."""
    able = _able(_CUDA, bundle.manifest.network.precision)
    if not any(able[name].is_installed() for name in able if backend in (None, name)):
        return False
    try:
        open_device(named_devices("cuda")[0])
    except (DeviceError, MissingExtraError) as error:
        _log.info("no GPU is used: %s", error)
        return False
    return True


def _open_on_cards(open_card: Callable[[Device], Card], numbers: Iterable[int]) -> Backend:
    with ExitStack() as opened:
        cards = []
        for number in numbers:
            cards.append(open_card(open_device(number)))
            opened.callback(cards[-1].close)
        opened.pop_all()
    return cards[0] if len(cards) == 1 else Fleet(cards)


def _chosen(entries: dict[str, _Entry], bundle: Bundle, backend: str | None, where: str) -> Any:
    """Class of the backend that was asked for, or of the first one that will do."""
    precision = bundle.manifest.network.precision
    able = _able(entries, precision)
    if backend is not None and backend not in entries:
        raise BackendError(f"backend '{backend}' does not compute on {where}; choose {' or '.join(entries)}")
    if not able or (backend is not None and backend not in able):
        advice = f"choose {' or '.join(able)}, or export the model in fp32" if able else "export it in fp32"
        raise BackendError(
            f"{bundle.path}: the model is {precision}, which {backend or where} does not compute; {advice}"
        )
    return able[backend or _preferred(able)].load()


def _preferred(able: dict[str, _Entry]) -> str:
    """The first that is installed; without any, the first of all, which says what to install."""
    installed = [name for name, entry in able.items() if entry.is_installed()]
    return (installed or list(able))[0]


def _able(entries: dict[str, _Entry], precision: str) -> dict[str, _Entry]:
    return {name: entry for name, entry in entries.items() if precision in entry.load().precisions}
