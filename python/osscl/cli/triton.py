"""``osscl triton``: a model file as a repository of models of Triton Inference Server."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from osscl.backends import DEFAULT_OPTIONS, ComputeOptions
from osscl.cli.completion import models
from osscl.cli.console import as_json, print_facts
from osscl.cli.messages import emit, say
from osscl.cli.options import BY_DEFAULT, DecisionOptions, takes_shared_options
from osscl.cli.streams import refuse_closed_stdout
from osscl.support.paths import printable
from osscl.triton.batching import Batching
from osscl.triton.repository import Repository, write_repository

EXAMPLES = """[bold]Examples[/bold]\n
  osscl triton enrolled.onnx --output models\n
  osscl triton enrolled.onnx --output models --name press_hall --queue-delay 5 --max-batch 64\n
  osscl triton model.onnx --output models --device cuda:all --plan ~/.cache/osscl/engines/KEY.engine\n
  tritonserver --model-repository models\n
"""


@takes_shared_options()
def triton(
    model: Annotated[
        Path,
        typer.Argument(
            help="Model file that osscl-export or enroll wrote, or demo.",
            metavar="MODEL",
            autocompletion=models,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="Repository to write to; it may hold other models.",
            metavar="REPO",
            readable=False,
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option(
            help="Name of the models in Triton: NAME, NAME_network, NAME_plan; by default that of the file.",
            metavar="NAME",
        ),
    ] = None,
    plan: Annotated[
        list[Path] | None,
        typer.Option(
            help="Engine that osscl engine built of this model, for Triton's TensorRT; may be repeated, one "
            "for each kind of card.",
            metavar="ENGINE",
        ),
    ] = None,
    max_batch: Annotated[int, typer.Option(help="Clips that Triton hands on at once at most.")] = 32,
    preferred_batch: Annotated[
        list[int] | None,
        typer.Option(
            help="Clips that are handed on at once, without waiting for more; may be repeated. By default 4, "
            "8, 16 ... up to the largest batch.",
        ),
    ] = None,
    queue_delay: Annotated[
        float, typer.Option(help="Milliseconds that a request waits at most for others.", metavar="MS")
    ] = 2.0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace models that this command wrote under the same name.")
    ] = False,
    decide: DecisionOptions = BY_DEFAULT,
    compute: ComputeOptions = DEFAULT_OPTIONS,
    json: Annotated[bool, typer.Option("--json", help="What was written, as JSON.")] = False,
) -> None:
    """Write a model repository for Triton Inference Server: samples and a machine ID in, decision out."""
    if json:
        refuse_closed_stdout()
    written = write_repository(
        model,
        output,
        name=name,
        plans=plan or (),
        batching=Batching(max_batch, tuple(preferred_batch or ()), queue_delay),
        compute=compute,
        **decide._asdict(),
        overwrite=overwrite,
    )
    for note in written.notes:
        say(note)
    if json:
        emit(as_json(_document(written)))
        return
    print_facts({each.name: each.what for each in written.models})
    say(f"tritonserver --model-repository {shlex.quote(printable(output))} serves them")


def _document(written: Repository) -> dict[str, object]:
    return {
        "repository": str(written.folder),
        "models": [
            {
                "name": each.name,
                "folder": str(written.folder / each.name),
                "files": sorted(each.files),
                "what": each.what,
            }
            for each in written.models
        ],
        "notes": list(written.notes),
    }
