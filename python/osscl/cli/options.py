"""Options that several commands share: on what a model is computed, and how."""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from osscl.backends import ComputeOptions

EngineFolder: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--engine-cache",
        help="Folder of TensorRT's engines; by default below OSSCL_CACHE_DIR or the user's cache.",
        metavar="FOLDER",
    ),
]


def _asked(
    device: Annotated[
        str, typer.Option(help="auto, cpu, cuda (the first GPU), cuda:1, cuda:0,1 or cuda:all.")
    ] = "auto",
    backend: Annotated[
        str | None,
        typer.Option(
            help="onnxruntime, openvino (CPU) or tensorrt (GPU); by default the first that knows the model's "
            "precision."
        ),
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Processors to use; by default all.")] = None,
    streams: Annotated[
        int | None,
        typer.Option(
            help="Batches computed side by side on the CPU, sharing the threads; by default one a thread."
        ),
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Clips computed at once; by default what suits the device.")
    ] = None,
    engine_cache: EngineFolder = None,
) -> ComputeOptions:
    return ComputeOptions(device, backend, threads, streams, batch_size, engine_cache)


def takes_compute_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `_asked` in place of its parameter `compute`.

    typer makes the options of a command from the signature of its function, and knows no groups of them.

    Parameters
    ----------
    command : callable
        Has a parameter ``compute: ComputeOptions``.

    Returns
    -------
    callable
        Has the options as parameters, and calls `command` with what they make.
    """
    shared = inspect.signature(_asked).parameters
    own = inspect.signature(command).parameters
    parameters: list[inspect.Parameter] = []
    for name, parameter in own.items():
        parameters += shared.values() if name == "compute" else [parameter]

    @functools.wraps(command)
    def with_options(**given: Any) -> None:
        asked = {name: given.pop(name) for name in shared}
        command(**given, compute=_asked(**asked))

    with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return with_options
