"""Options that several commands share: on what a model is computed, and how."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

Device: TypeAlias = Annotated[
    str, typer.Option("--device", help="auto, cpu, cuda (the first GPU), cuda:1, cuda:0,1 or cuda:all.")
]
Backend: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="onnxruntime, openvino (CPU) or tensorrt (GPU); by default the first that knows the model's "
        "precision."
    ),
]
EngineFolder: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--engine-cache",
        help="Folder of TensorRT's engines; by default below OSSCL_CACHE_DIR or the user's cache.",
        metavar="FOLDER",
    ),
]
Threads: TypeAlias = Annotated[int | None, typer.Option(help="Processors to use; by default all.")]
StreamCount: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--streams",
        help="Batches computed side by side on the CPU, sharing the threads; by default one a thread.",
    ),
]
BatchSize: TypeAlias = Annotated[
    int | None, typer.Option(help="Clips computed at once; by default what suits the device.")
]
