"""``osscl bench``: how fast a model is on this machine, and how near to what the hardware can do."""

import os
from pathlib import Path
from typing import Annotated

import typer

from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.backends import DEFAULT_OPTIONS, ComputeOptions
from osscl.bench import AccuracyRequest, Benchmark, BenchmarkPlan, run_benchmark
from osscl.cli import signals
from osscl.cli.bench_table import print_benchmark
from osscl.cli.console import WorkProgress, as_json
from osscl.cli.folders import check_listable
from osscl.cli.messages import EXIT_FAILED, complain, emit, say_interrupted
from osscl.cli.options import takes_shared_options
from osscl.cli.places import ModelFile
from osscl.cli.streams import refuse_closed_stdout
from osscl.support.atomic import write_atomically
from osscl.support.outputs import cannot_be_written, check_output

EXAMPLES = """[bold]Examples[/bold]\n
  osscl bench demo\n
  osscl bench model.onnx recordings --clips 500 --seconds 20 --output bench.json\n
  osscl bench model.onnx --backend openvino --threads 8 --streams 4 --json\n
  osscl bench model.onnx --device cuda --seconds 20\n
  osscl bench model_bf16.onnx --accuracy --gate dcase2020 --reference model.onnx\n
\n
Stages take turns in an order that changes each round; figures are medians. Files are read from the system's
memory, as they are after a first run.\n
Exit code: 0 measured, 1 failed or the accuracy gate is not passed, 2 wrong usage; interrupted:
130 by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP.
"""


@takes_shared_options()
def bench(
    model: ModelFile,
    folder: Annotated[
        Path | None,
        typer.Argument(
            help="Folder, searched for .wav, .flac, .w64 and .rf64 files at any depth. By default synthetic "
            "recordings, made for the time of the benchmark.",
            metavar="FOLDER",
        ),
    ] = None,
    clips: Annotated[int, typer.Option(help="Recordings to make, or to take from the folder at most.")] = 48,
    seconds: Annotated[
        float, typer.Option(help="Time for each stage, shared by the ways in which it is run.")
    ] = 5.0,
    fit: Fit = AS_THEY_ARE,
    compute: ComputeOptions = DEFAULT_OPTIONS,
    accuracy: Annotated[
        bool, typer.Option("--accuracy", help="Also compare the scores with fp32, by the accuracy gate.")
    ] = False,
    gate: Annotated[
        Path | None,
        typer.Option(
            help="Folder of recordings for --accuracy; by default the gate set of osscl synth.",
            metavar="CLIPS",
        ),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(
            help="Model in fp32 to compare with, for --accuracy: the one that a reduced precision was made "
            "from; an fp32 model is compared with itself by ONNX Runtime.",
            metavar="FP32_MODEL",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write all figures to, as JSON.", readable=False),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier output.")] = False,
    json: Annotated[bool, typer.Option("--json", help="All figures as JSON on stdout.")] = False,
) -> None:
    """Measure a model on this machine: front end, decoding, network, files to scores, latency of one clip."""
    if (gate or reference) and not accuracy:
        raise typer.BadParameter("--gate and --reference say what --accuracy compares: add --accuracy")
    if fit.stated() and folder is None and gate is None:
        raise typer.BadParameter(
            "--resample, --channel and --pad say how recordings are read: name a FOLDER, or some with --gate"
        )
    for each in (folder, gate):
        if each is not None and not os.path.isfile(each):  # noqa: PTH113 - Path.is_file raises where it is closed
            check_listable(each)
    if output is not None:
        check_output(output, overwrite=overwrite, inputs=[model, reference, folder, gate])
    else:
        refuse_closed_stdout()
    plan = BenchmarkPlan(
        clips=folder,
        n_clips=clips,
        fit=fit,
        compute=compute,
        seconds=seconds,
        accuracy=AccuracyRequest(gate, reference, fit) if accuracy else None,
    )
    try:
        with _Steps() as steps:
            benchmark = run_benchmark(model, plan, steps.advance_one)
    except KeyboardInterrupt:
        say_interrupted("interrupted: nothing is measured")
        raise typer.Exit(signals.exit_code()) from None
    if output is not None:
        _write(output, benchmark)
    if json:
        emit(as_json(benchmark))
    else:
        print_benchmark(benchmark)
    if benchmark.accuracy is not None and benchmark.accuracy.flaw is not None:
        complain(benchmark.accuracy.flaw)
        raise typer.Exit(EXIT_FAILED)


class _Steps:
    """A progress bar for each thing that is done in turn."""

    def __init__(self) -> None:
        self._what = ""
        self._bar: WorkProgress | None = None

    def __enter__(self) -> "_Steps":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.__exit__()

    def advance_one(self, what: str, total: int) -> None:
        """One more is done of what is now being done."""
        if what != self._what or self._bar is None:
            self.__exit__()
            self._what, self._bar = what, WorkProgress(what, total or None).__enter__()
        self._bar.advance()


def _write(output: Path, benchmark: Benchmark) -> None:
    try:
        write_atomically(output, [as_json(benchmark).encode(), b"\n"])
    except OSError as error:
        raise cannot_be_written(output, error) from error
