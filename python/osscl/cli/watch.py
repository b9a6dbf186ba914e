"""``osscl watch``: a folder in, scores, alarms and events out, for as long as it is wanted."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.audio.recorded_at import AS_RECORDED, RecordingTimes
from osscl.audio.windows import check_hop
from osscl.backends import DEFAULT_OPTIONS, ComputeOptions
from osscl.cli.asked import Asked
from osscl.cli.console import BuildProgress, say_unusable
from osscl.cli.folders import check_listable
from osscl.cli.interruption import postponed_interrupt
from osscl.cli.messages import inform_on_stderr, say, tell_the_time
from osscl.cli.options import BY_DEFAULT, DecisionOptions, HopSeconds, takes_shared_options, window_of_alarm
from osscl.cli.places import ModelFile
from osscl.decisions.alarms import AlarmRule
from osscl.detector import Detector
from osscl.events.destinations import sink_for
from osscl.events.sink import Sink
from osscl.journal.contents import Contents
from osscl.journal.journal import Journal, journal_of
from osscl.live.metrics import served_metrics
from osscl.live.opening import WatchOptions, opened_watch
from osscl.live.progress import Progress
from osscl.live.service import Service
from osscl.live.telling import checked_which
from osscl.live.watching import Scoring
from osscl.machines.labels import BY_PATHS, MachineNames, machine_source
from osscl.runs.explaining import Explainer
from osscl.runs.journaled import JournaledRun, check_place
from osscl.runs.run import how_scored
from osscl.runs.tally import Tally
from osscl.scoring.record import Record
from osscl.support.listing import listed
from osscl.support.paths import printable
from osscl.support.plurals import are, verb

_MAX_NAMED = 5
EXAMPLES = """[bold]Examples[/bold]\n
  osscl watch enrolled.onnx incoming --output watch.csv\n
  osscl watch enrolled.onnx incoming --output watch.csv --event mqtt://localhost:1883 --explain\n
  osscl watch enrolled.onnx incoming -o watch.csv --event https://example.org/x --events alarms --alarm 4/6\n
  osscl watch enrolled.onnx /mnt/share --output watch.csv --poll 30 --event events.jsonl --metrics-port 9400\n
  osscl journal watch.csv.journal --output so_far.csv\n
\n
Exit code: 0 asked to stop, by Ctrl-C, SIGTERM or SIGHUP, and all that was scored is written; 1 failed, 2
wrong usage.
"""


@takes_shared_options()
def watch(
    model: ModelFile,
    folder: Annotated[
        Path,
        typer.Argument(
            help="Folder that recordings (.wav, .flac, .w64, .rf64) come into, at any depth.",
            metavar="FOLDER",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="Table to write at the end: .csv, .jsonl or .parquet; its journal, which holds it "
            "meanwhile, is beside it.",
            readable=False,
        ),
    ],
    event: Annotated[
        list[str] | None,
        typer.Option(
            help="Where events go: mqtt://HOST:1883/TOPIC, mqtts://, https://, FILE.jsonl, or - for stdout; "
            "may be given several times.",
            metavar="DEST",
        ),
    ] = None,
    events: Annotated[
        str,
        typer.Option(
            help="Which: alarms alone; anomalies and files that could not be scored too; or all clips.",
            metavar="anomalies|all|alarms",
        ),
    ] = "anomalies",
    alarm: Annotated[
        str,
        typer.Option(
            help="Raise an alarm when N of the last M clips of a machine are flagged.", metavar="N/M"
        ),
    ] = "3/5",
    hold: Annotated[int, typer.Option(help="Clips for which an alarm stands at least.", metavar="N")] = 0,
    cool_down: Annotated[
        int, typer.Option(help="Clips after an alarm in which none is raised.", metavar="N")
    ] = 0,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="Say of each flagged clip what is heard beyond the normal ones (reads it again).",
        ),
    ] = False,
    settle: Annotated[
        float,
        typer.Option(
            help="Seconds without a change after which a file is taken to be closed by its writer.",
            metavar="S",
        ),
    ] = 2.0,
    give_up: Annotated[
        float,
        typer.Option(
            help="Seconds after which a file that is not whole gets a line that says so.", metavar="S"
        ),
    ] = 3600.0,
    poll: Annotated[
        float | None,
        typer.Option(
            help="Look through the folder every so many seconds and listen to no notices of the system; by "
            "default so on file systems of a network, every 10 s.",
            metavar="S",
        ),
    ] = None,
    metrics_port: Annotated[
        int | None, typer.Option(help="Serve metrics for Prometheus on this port.", metavar="PORT")
    ] = None,
    metrics_address: Annotated[
        str, typer.Option(help="Address to serve them at.", metavar="ADDRESS")
    ] = "127.0.0.1",
    hop: HopSeconds = None,
    names: MachineNames = BY_PATHS,
    fit: Fit = AS_THEY_ARE,
    times: RecordingTimes = AS_RECORDED,
    decide: DecisionOptions = BY_DEFAULT,
    compute: ComputeOptions = DEFAULT_OPTIONS,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Begin anew, whatever an earlier run left there.")
    ] = False,
) -> None:
    """Score recordings as they come into a folder, raise alarms, and tell others of them."""
    check_listable(folder)
    if times.start is not None:
        raise typer.BadParameter(
            "--start-time counts files from the first one on, and here they come at any time: names or bext "
            "chunks tell when they began, or --file-times"
        )
    options = WatchOptions(
        settle_s=settle,
        give_up_s=give_up,
        poll_s=poll,
        which=checked_which(events),
        rule=AlarmRule(*window_of_alarm(alarm), hold, cool_down),
    )
    if hop is not None:
        check_hop(hop)
    sinks = [sink_for(each) for each in event or ()]
    check_place(output, overwrite=overwrite, inputs=[model, names.labels, folder])
    inform_on_stderr("osscl.live")
    inform_on_stderr("osscl.events")  # a receiver that is back
    names = names.below(folder)
    asked = Asked(
        paths=[str(folder)],
        names=names,
        fit=fit,
        times=times,
        hop_s=hop,
        decide=decide,
        compute=compute,
        explain=explain,
    )
    progress = Progress()
    with ExitStack() as open_now:
        if metrics_port is not None:
            where = open_now.enter_context(served_metrics(progress, metrics_address, metrics_port))
            say(f"metrics for Prometheus: {where}")
        with BuildProgress() as building:
            how = replace(compute, on_build=building.show_phase)
            detector = open_now.enter_context(Detector(model, how, **decide._asdict()))
        machine_of = machine_source(detector.machines, *names)
        explains = _explaining(Explainer(detector, fit)) if explain else None
        journal = open_now.enter_context(
            Journal.open(
                journal_of(output),
                asked.settings(detector),
                overwrite,
                how_scored(detector, asked.options()),
                given_up=output,
            )
        )
        scoring = Scoring(detector, machine_of, fit, times, hop, explains=explains)
        run = JournaledRun(
            detector, journal, output, asked.wanted(detector), asked.options(), overwrite=overwrite
        )
        tell_the_time()
        tally = _watch(folder, run, scoring, options, sinks, progress)
    in_all = f"; the table has {tally}" if tally.counts != progress.files else ""
    say(f"{progress}{in_all} -> {printable(output)}")
    for note in (
        *scoring.left_out.notes(detector.clip_s, "--hop", "--pad repeat|zero"),
        *detector.judges.notes(),
    ):
        say(note)


def _explaining(explainer: Explainer) -> Callable[[Record], Record]:
    """What explains flagged clips, and says at once which it cannot: a list of them would grow for weeks."""

    def explained(record: Record) -> Record:
        found = explainer.explained(record)
        say_unusable("not explained", explainer.unexplained)
        explainer.unexplained.clear()
        return found

    return explained


def gone_on_from(journal: Contents, standing: list[str]) -> str:
    """Where a watch goes on: what is done, and which alarms stand; nothing of one that begins."""
    n_files = sum(journal.counts().values())
    if not n_files:
        return ""
    alarms = verb(len(standing), "an alarm stands", "alarms stand")
    told = f"{alarms}: {listed(standing, _MAX_NAMED)}" if standing else "no alarm stands"
    return f": it goes on where it was, {are(n_files, 'file')} done; {told}"


def _watch(
    folder: Path,
    run: JournaledRun,
    scoring: Scoring,
    options: WatchOptions,
    sinks: list[Sink],
    progress: Progress,
) -> Tally:
    """Watch until a signal comes, finish what is being scored then, and make the table."""
    service = Service(lambda: str(progress))
    opened = opened_watch(
        str(folder), run.journal, scoring, options, sinks=sinks, progress=progress, beat=service.beat
    )
    run.note_overwriting()
    where = f"osscl journal {printable(run.journal.path)} --output {printable(run.output)}"
    first = (
        "asked to stop: what is being scored is finished, and the table is written; asked again, it stops at "
        f"once: what is scored is kept, and {where} makes the table"
    )
    with postponed_interrupt(first) as is_asked:
        with opened as watching:
            say(f"watching {printable(folder)}{gone_on_from(run.journal, watching.standing)}")
            service.ready()
            watching.run(is_asked)
            service.stopping()
            left = watching.unfinished()
            if watching.has_met_all:
                run.journal.note_whole()
        tally, _ = run.export(service.beat)
    if left:
        them = verb(len(left), "it", "them")
        say(f"not whole yet: {listed(left, _MAX_NAMED)}; the next watch takes {them} up")
    run.journal.check_in_place()
    return tally
