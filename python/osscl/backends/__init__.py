"""What computes a model: one module a backend, opened by name."""

from importlib import import_module
from importlib.util import find_spec

from osscl.backends.base import Backend, Outputs, Ticket
from osscl.backends.streams import StreamedBackend, Streams
from osscl.bundle import Bundle
from osscl.errors import BackendError

__all__ = ["BACKENDS", "Backend", "Outputs", "Streams", "Ticket", "open_backend"]

BACKENDS = {"onnxruntime": "OnnxRuntimeBackend", "openvino": "OpenVinoBackend"}
"""Backends by name, the preferred one first; each is a class in the module of that name."""


def open_backend(bundle: Bundle, device: str, backend: str | None, streams: Streams) -> Backend:
    """Open a model on a device; never on another one than was asked for.

    Parameters
    ----------
    bundle : Bundle
        The model.
    device : str
        "auto" or "cpu".
    backend : str, optional
        Name out of `BACKENDS`; by default the first one installed that computes the model's precision.
    streams : Streams
        Batches computed side by side, and threads for each.

    Returns
    -------
    Backend
        Ready to compute.

    Raises
    ------
    BackendError
        This version has no such device or backend, or the backend does not compute the model's precision.
    MissingExtraError
        The package that the backend needs is not installed.
    """
    if device not in ("auto", "cpu"):
        raise BackendError(
            f"device '{device}' was asked for, but this version of osscl computes on 'cpu' alone: "
            "choose 'cpu' or 'auto'"
        )
    if backend not in (None, *BACKENDS):
        raise BackendError(f"backend '{backend}' does not exist; choose one of: {', '.join(BACKENDS)}")
    precision = bundle.manifest.precision
    able = [name for name in BACKENDS if precision in _class_of(name).precisions]
    if backend is not None and backend not in able:
        raise BackendError(
            f"{bundle.path}: the model is {precision}, which {backend} does not compute; "
            f"choose {' or '.join(able)}, or export the model in fp32"
        )
    installed = [name for name in able if find_spec(name) is not None]
    # without any, the preferred one says what to install
    return _class_of(backend or (installed or able)[0])(bundle, streams)


def _class_of(name: str) -> type[StreamedBackend]:
    """Class of a backend; its module loads the runtime only when it is opened."""
    backend: type[StreamedBackend] = getattr(import_module(f"osscl.backends.{name}"), BACKENDS[name])
    return backend
