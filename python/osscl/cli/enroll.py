"""``osscl enroll``: normal recordings in, memories of their machines out."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import rich.markup
import rich.table
import typer

from osscl.audio.reading import AS_THEY_ARE, AUDIO_SUFFIXES, Fit
from osscl.backends import DEFAULT_OPTIONS, ComputeOptions
from osscl.cli import signals
from osscl.cli.advice import advise
from osscl.cli.completion import models
from osscl.cli.console import (
    MAX_NAMED,
    WorkProgress,
    as_json,
    percent,
    say_unusable,
    wide_console,
)
from osscl.cli.decision_facts import least_percent
from osscl.cli.limit_lines import in_one_line
from osscl.cli.messages import EXIT_SOME_UNSCORED, emit, say, say_interrupted
from osscl.cli.naming_options import LabelsOfAll, MachineOfAll, PatternOfAll, RecordingPattern
from osscl.cli.next_command import say_network_takes_no_part, say_next
from osscl.cli.options import HopSeconds, RequiredRate, takes_shared_options
from osscl.cli.places import check_urls, refuse_model_among
from osscl.cli.surveyed import say_survey
from osscl.enrolment import EnrolledMachine, Enrolment, EnrolOptions
from osscl.enrolment import enroll as enroll_recordings
from osscl.enrolment.options_of_scoring import options_of_scoring
from osscl.machines.labels import MachineNames
from osscl.model_file.bundle import DEMO, read_bundle
from osscl.model_file.manifest import Manifest
from osscl.sensitivity import SensitivityOptions, SensitivityReport
from osscl.sensitivity.measuring import measured, with_limits
from osscl.sensitivity.report import WHAT_IT_IS
from osscl.support.links import missing
from osscl.support.listing import listed, listed_by_reason
from osscl.support.paths import printable
from osscl.support.urls import is_url

EXAMPLES = """[bold]Examples[/bold]\n
  osscl enroll press_recordings --machine press/id_09 --output press.onnx\n
  osscl enroll model.onnx dcase2020 --output enrolled.onnx --false-alarm-rate 0.01\n
  osscl enroll normal --machine-pattern '{machine}_{time}' --output press.onnx\n
  osscl enroll model.onnx sessions --recording folder --output enrolled.onnx\n
  osscl enroll press.onnx this_was_fine.wav --machine press/id_09 --add --output press2.onnx\n
  osscl enroll press_recordings --machine press/id_09 --limits --output press.onnx\n
  osscl enroll moved/train --by-domain --output moved.onnx\n
  osscl enroll press.onnx --forget 1f0c5be2a94d7733 --output press2.onnx\n
  osscl enroll model.onnx press_recordings --rule embedding --machine press/id_09 --output enrolled.onnx\n
\n
Exit code: 0 all enrolled, 1 failed, 2 wrong usage, 3 done but some files could not be used; interrupted, with
nothing written: 130.
"""


@takes_shared_options()
def enroll(
    places: Annotated[
        list[str],
        typer.Argument(
            help="A model file that the memories go into (or demo), and folders of normal recordings, "
            "searched at any depth. Without a model file the output holds memories alone.",
            metavar="[MODEL] NORMALS",
            autocompletion=models,
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Model file to write.", metavar="NEW_MODEL", readable=False)
    ],
    machine: MachineOfAll = None,
    labels: LabelsOfAll = None,
    machine_pattern: PatternOfAll = None,
    recording: RecordingPattern = None,
    hop: HopSeconds = None,
    by_domain: Annotated[
        bool,
        typer.Option(
            "--by-domain",
            help="A memory of each domain of a machine, for machines that were moved: the word source or "
            "target in names of files or of their folders tells it.",
        ),
    ] = False,
    add: Annotated[
        bool, typer.Option("--add", help="Put the recordings into memories that MODEL holds already.")
    ] = False,
    forget: Annotated[
        list[str] | None,
        typer.Option(
            help="A clip that memories give up: its file or its hash; may be repeated.", metavar="CLIP"
        ),
    ] = None,
    background: Annotated[
        Path | None,
        typer.Option(
            help="Folder of normal recordings of 4 or more machines, which tell how clips of one machine "
            "vary. By default MODEL's own, or what ships with osscl; for embeddings MODEL's own, or none.",
            metavar="FOLDER",
        ),
    ] = None,
    false_alarm_rate: RequiredRate = None,
    rule: Annotated[
        str,
        typer.Option(
            help="What is kept of clips: memory, their features; or embedding, where MODEL's network puts "
            "them, which then decides.",
            metavar="memory|embedding",
        ),
    ] = "memory",
    limits: Annotated[
        bool,
        typer.Option(
            "--limits",
            help="Measure from which size on a few changes of the sound are found, and store that too: some "
            "seconds a machine. osscl sensitivity --store measures all of them.",
        ),
    ] = False,
    fit: Fit = AS_THEY_ARE,
    compute: ComputeOptions = DEFAULT_OPTIONS,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is at NEW_MODEL.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
) -> None:
    """Make memories of machines from normal recordings: anomalies are found without a training."""
    check_urls(places)
    model, normals = _told_apart(places, is_complete=bool(forget))
    refuse_model_among(normals)
    for path in (model, *normals, background, labels):
        if path is not None and path != DEMO and (problem := missing(path)) is not None:
            raise typer.BadParameter(problem)
    options = EnrolOptions(
        machine=machine,
        machine_pattern=machine_pattern,
        recording=recording,
        fit=fit,
        hop_s=hop,
        by_domain=by_domain,
        add=add,
        forget=forget or (),
        background=background,
        false_alarm_rate=false_alarm_rate,
        labels=labels,
        rule=rule,  # type: ignore[arg-type]  # the options check the word
    )
    if rule == "memory" and compute != DEFAULT_OPTIONS:
        raise typer.BadParameter(
            "--device, --threads and the like are for --rule embedding: memories of features need no network"
        )
    if limits and rule != "memory":
        raise typer.BadParameter("--limits are measured with memories of features; leave out --rule")
    if limits and hop is not None:
        raise typer.BadParameter(
            "--limits measures on the beginnings of recordings, and --hop takes windows of them: choose one"
        )
    if limits and by_domain:
        raise typer.BadParameter(
            "--limits measures machines with one memory alone, not by domain: choose one"
        )
    if limits and not normals:
        raise typer.BadParameter("--limits lays changes into normal recordings; name a folder of them")
    try:
        with WorkProgress("clips") as progress:
            measurement = _Limits(normals, options, progress) if limits else None
            made = enroll_recordings(
                normals,
                output,
                model,
                options,
                compute,
                overwrite=overwrite,
                on_survey=say_survey,
                on_total=progress.set_total,
                on_clip=progress.advance,
                finish=measurement or _as_it_is,
            )
    except KeyboardInterrupt:
        say_interrupted("interrupted; nothing was written")
        raise typer.Exit(signals.exit_code()) from None
    report = None if measurement is None else measurement.report
    _report(made, report, output, options, json=json)
    names = MachineNames(options.machine, options.labels, options.machine_pattern)
    advise(Counter(each.status for each in made.unusable), normals, names)
    raise typer.Exit(EXIT_SOME_UNSCORED if made.unusable or (report and report.refused) else 0)


class _Limits:
    """Measures the limits of memories that are about to be written, in the same progress."""

    def __init__(self, normals: list[str], options: EnrolOptions, progress: WorkProgress) -> None:
        self._normals, self._progress = normals, progress
        self._options = SensitivityOptions(
            rule="memory",
            false_alarm_rate=options.false_alarm_rate,
            machine=options.machine,
            machine_pattern=options.machine_pattern,
            recording=options.recording,
            labels=options.labels,
            fit=options.fit,
            coarse=True,
        )
        self.report: SensitivityReport | None = None

    def __call__(self, manifest: Manifest) -> Manifest:
        """Measure, and put what was measured into the manifest."""
        done = self._progress.done
        self.report = measured(
            manifest,
            self._normals,
            self._options,
            on_total=lambda total: self._progress.set_total(done + total),
            on_clip=self._progress.advance,
        )
        return with_limits(manifest, self.report.machines)


def _as_it_is(manifest: Manifest) -> Manifest:
    return manifest


def _told_apart(places: list[str], *, is_complete: bool) -> tuple[str | None, list[str]]:
    """The model file, where one is named first, and the folders of recordings."""
    first = places[0]
    if is_url(first):  # it is not looked at for this
        is_model = first.lower().endswith(".onnx")
    else:
        is_model = first == DEMO or not (Path(first).is_dir() or first.lower().endswith(AUDIO_SUFFIXES))
    if not is_model:
        return None, places
    if len(places) == 1 and not is_complete:
        if first != DEMO and (problem := missing(first)) is not None:
            raise typer.BadParameter(problem)
        raise typer.BadParameter(
            f"{printable(first)} is no folder of recordings; name one, after the model file if that is one"
        )
    return first, places[1:]


def _report(
    made: Enrolment,
    limits: SensitivityReport | None,
    output: Path,
    options: EnrolOptions,
    *,
    json: bool,
) -> None:
    # what lies there and is not taken is said once
    for warning in dict.fromkeys((*made.warnings, *(limits.warnings if limits else ()))):
        say(f"warning: {warning}")
    if made.left_out:
        say(f"left out, said to be anomalous: {listed(made.left_out, MAX_NAMED)}")
    say_unusable("not enrolled", [(each.path, each.reason) for each in made.unusable])
    for refusal in listed_by_reason((limits.refused if limits else {}).items(), MAX_NAMED):
        say(f"no limits: {refusal}")
    if json:
        document = {"output": str(output), "n_bytes": output.stat().st_size, "enrolment": made}
        emit(as_json(document | ({"limits": limits.machines} if limits else {})))
        return
    wide_console().print(_table(made.machines))
    of_embeddings = sum(each.kind == "embedding" for each in made.machines)
    counted = [
        f"{n} {'memory' if n == 1 else 'memories'}{what}"
        for n, what in ((len(made.machines) - of_embeddings, ""), (of_embeddings, " of embeddings"))
        if n
    ]
    say(f"{' and '.join(counted)} -> {printable(output)} (background: {made.background or 'none'})")
    if limits:
        for each in limits.machines:
            say(in_one_line(each))
        say(WHAT_IT_IS)
    if of_embeddings < len(made.machines) and read_bundle(output).manifest.has_network:
        say_network_takes_no_part()
    asked = options_of_scoring(options)
    say_next("osscl", "score", output, "NEW_RECORDINGS", *asked, "--output", "scores.csv")


def _table(machines: tuple[EnrolledMachine, ...]) -> rich.table.Table:
    table = rich.table.Table(box=None, pad_edge=False, collapse_padding=True)
    table.add_column("machine", no_wrap=True)  # one line each: somebody searches for it
    for name in ("clips", "recordings", "smallest rate", "decides at", "rule", "equal", "suspicious"):
        table.add_column(name, justify="right")
    for each in machines:
        cells: tuple[Any, ...] = (
            each.owner,
            each.n_clips,
            each.n_recordings,
            least_percent(each.smallest_rate),
            percent(each.rate),
            each.rule,
            each.n_equal,
            len(each.suspicious),
        )
        table.add_row(*(rich.markup.escape(str(cell)) for cell in cells))
    return table
