"""What computes a model: one module a backend, opened by name."""

from osscl.backends.base import Backend, Outputs, Ticket
from osscl.bundle import Bundle
from osscl.errors import BackendError

__all__ = ["BACKENDS", "Backend", "Outputs", "Ticket", "open_backend"]

BACKENDS = ("onnxruntime",)
"""Names of the backends, the preferred one first."""


def open_backend(bundle: Bundle, device: str, backend: str | None, threads: int) -> Backend:
    """Open a model on a device; never on another one than was asked for.

    Parameters
    ----------
    bundle : Bundle
        The model.
    device : str
        "auto" or "cpu".
    backend : str, optional
        Name out of `BACKENDS`; by default the first.
    threads : int
        Processors to use.

    Returns
    -------
    Backend
        Ready to compute.

    Raises
    ------
    BackendError
        This version has no such device or backend.
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
    # imported here: importing osscl loads no runtime
    from osscl.backends.onnxruntime import OnnxRuntimeBackend

    return OnnxRuntimeBackend(bundle, threads)
