"""``osscl embed``: what models see of recordings, as numbers for whoever computes further."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.backends import DEFAULT_OPTIONS, ComputeOptions
from osscl.cli import signals
from osscl.cli.completion import models
from osscl.cli.console import BuildProgress, FileProgress, as_json, say_unusable
from osscl.cli.messages import EXIT_SOME_UNSCORED, emit, say, say_interrupted
from osscl.cli.options import takes_shared_options
from osscl.cli.places import check_urls
from osscl.detector import Detector
from osscl.errors import MachineError
from osscl.machines.layout import MachineFromLayout
from osscl.model_file.bundle import read_bundle
from osscl.runs.embedding import SIZES, NumberedClip, check_format, write_numbers
from osscl.runs.featured import Embed, FeaturedClip, Unusable, featured_clips
from osscl.runs.folder import find_some_recordings
from osscl.runs.passed_over import PassedOver
from osscl.support.links import missing
from osscl.support.outputs import check_output
from osscl.support.paths import printable
from osscl.support.plurals import counted

EXAMPLES = """[bold]Examples[/bold]\n
  osscl embed recordings --output features.parquet\n
  osscl embed model.onnx recordings --output numbers.npz --what embedding\n
\n
Exit code: 0 all done, 1 failed, 2 wrong usage, 3 done but some files could not be used; interrupted, with
nothing written: 130.
"""
BOTH = "both"


@takes_shared_options()
def embed(
    places: Annotated[
        list[str],
        typer.Argument(
            help="A model file (or demo), for embeddings, and a folder of recordings, searched at any depth.",
            metavar="[MODEL] FOLDER",
            autocompletion=models,
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write: .parquet or .npz.", readable=False)
    ],
    what: Annotated[
        str | None,
        typer.Option(
            help="features (360 of a memory), embedding (128 of the network) or both; by default all that "
            "there is.",
            metavar="features|embedding|both",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Summary as JSON.")] = False,
    fit: Fit = AS_THEY_ARE,
    compute: ComputeOptions = DEFAULT_OPTIONS,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the output of an earlier run.")
    ] = False,
) -> None:
    """Embeddings and memory features of a folder, with the path and machine of each recording."""
    check_urls(places)
    *models, folder = places
    if len(models) > 1:
        raise typer.BadParameter("give one folder, after the model file if there is one")
    model = models[0] if models else None
    columns = _columns(what, model)
    if (problem := missing(folder)) is not None:
        raise typer.BadParameter(problem)
    check_format(output)
    check_output(output, overwrite=overwrite, inputs=[*models, folder])
    passed_over, summary = PassedOver(), _Summary()
    candidates = find_some_recordings([folder], passed_over)
    with ExitStack() as opened:
        of_network: Embed | None = None
        if "embedding" in columns:
            assert model is not None
            with BuildProgress() as building:
                how = replace(compute, on_build=building.show_phase)
                of_network = opened.enter_context(Detector(model, how, rule="network")).embed
        progress = opened.enter_context(FileProgress([folder], "clips"))
        clips = featured_clips(
            candidates, fit, threads=compute.threads, embed=of_network, on_clip=progress.advance
        )
        try:
            write_numbers(_numbered(clips, folder, columns, summary), output, columns)
        except KeyboardInterrupt:
            interrupted = True
        else:
            interrupted = False
    if interrupted:
        say_interrupted("interrupted; nothing was written")
        raise typer.Exit(signals.exit_code())
    for note in passed_over.notes():
        say(note)
    _report(summary, output, columns, json=json)
    raise typer.Exit(EXIT_SOME_UNSCORED if summary.unusable else 0)


@dataclass(slots=True)
class _Summary:
    """What a folder gave."""

    machines: Counter[str | None] = field(default_factory=Counter)
    unusable: list[Unusable] = field(default_factory=list)


def _columns(what: str | None, model: str | None) -> list[str]:
    """What to compute, as the user or else the model file says."""
    if what not in (None, BOTH, *SIZES):
        raise typer.BadParameter(f"--what is '{what}'; expected features, embedding or both")
    if model is None:
        if what in ("embedding", BOTH):
            raise typer.BadParameter("embeddings are a network's: name its model file before the folder")
        return ["features"]
    has_network = read_bundle(model).manifest.has_network
    if what is None:
        return list(SIZES) if has_network else ["features"]
    return list(SIZES) if what == BOTH else [what]


def _numbered(
    clips: Iterator[FeaturedClip | Unusable], folder: str, columns: list[str], summary: _Summary
) -> Iterator[NumberedClip]:
    machine_of = MachineFromLayout(folder)
    for clip in clips:
        if isinstance(clip, Unusable):
            summary.unusable.append(clip)
            continue
        try:
            machine = machine_of(clip.path)
        except MachineError:
            machine = None
        summary.machines[machine] += 1
        yield NumberedClip(clip.path, machine, clip.sha256, {name: getattr(clip, name) for name in columns})


def _report(summary: _Summary, output: Path, columns: list[str], *, json: bool) -> None:
    say_unusable("left out", [(each.path, each.problem) for each in summary.unusable])
    unknown = summary.machines.pop(None, 0)
    if json:
        found: dict[str, Any] = {
            "output": printable(output),
            "n_clips": summary.machines.total() + unknown,
            "columns": {name: SIZES[name] for name in columns},
            "machines": dict(sorted(summary.machines.items())),
            "n_without_machine": unknown,
            "unusable": [
                {"path": printable(each.path), "status": each.problem.status, "reason": str(each.problem)}
                for each in summary.unusable
            ],
        }
        emit(as_json(found))
        return
    sizes = " and ".join(f"{name} [{SIZES[name]}]" for name in columns)
    without = f", {unknown} without a machine in their path" if unknown else ""
    say(f"{counted(summary.machines.total() + unknown, 'clip')}: {sizes}{without} -> {printable(output)}")
