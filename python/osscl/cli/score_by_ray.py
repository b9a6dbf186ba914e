"""What ``osscl score --runner ray`` does and says: workers score, this process writes the table in parts."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from osscl.audio.candidate import Candidate
from osscl.cli import signals
from osscl.cli.asked import Asked
from osscl.cli.console import FileProgress
from osscl.cli.messages import EXIT_SOME_UNSCORED, say, say_interrupted
from osscl.cli.runner_options import RunnerOptions
from osscl.cli.surveyed import met_by, say_published_sets, survey_of
from osscl.distributed.ray_cluster import chosen_address, connected
from osscl.distributed.ray_scoring import RayScoring
from osscl.distributed.sharing import shared
from osscl.distributed.work import Work, named_model
from osscl.machines.label_table import unmet_rows
from osscl.machines.labels import BY_PATHS, machine_source
from osscl.model_file.bundle import read_bundle
from osscl.runs.folder import find_recordings
from osscl.runs.parquet_parts import PartsTable
from osscl.runs.run import score_to_table
from osscl.runs.tally import Tally
from osscl.scoring.judges import Judges
from osscl.scoring.record import Record
from osscl.storage.urls import Place, place_of
from osscl.support.paths import printable
from osscl.support.plurals import plural


def refuse_what_ray_has_not(output: Place | None, given: Mapping[str, Any]) -> None:
    """Refuse options that mean nothing where workers score.

    Parameters
    ----------
    output : Path, Url or None
        The table.
    given : mapping
        Options by name, those that have no meaning, with what they were given.

    Raises
    ------
    typer.BadParameter
        One of them was given, or there is no output.
    """
    if output is None:
        raise typer.BadParameter(
            "--runner ray writes a folder of Parquet parts, no lines on stdout; add --output NAME.parquet"
        )
    if not isinstance(output, Path):
        raise typer.BadParameter(
            "--runner ray writes a folder of Parquet parts on this machine, and none into a store; give "
            "--output a path, and copy the folder once it is whole"
        )
    instead = {
        "--json": "it writes Parquet, not JSON Lines",
        "--explain": "explain flagged recordings of the table afterwards, by osscl explain",
        "--audacity": "labels are written by osscl score without --runner",
        "--raven": "labels are written by osscl score without --runner",
        "--retry-failed": "such a run keeps no journal: it scores everything, with --overwrite anew",
    }
    for name, remedy in instead.items():
        if given[name]:
            raise typer.BadParameter(f"{name} does not go with --runner ray: {remedy}")


def score_by_ray(
    asked: Asked,
    model: Place,
    output: Path,
    runner: RunnerOptions,
    candidates: Iterable[Candidate],
    *,
    overwrite: bool,
) -> tuple[int, Tally, RayScoring]:
    """Score recordings by workers, make the table, and say so.

    Parameters
    ----------
    asked : Asked
        What lines depend on.
    model : Path or Url
        The model file, or demo.
    output : Path
        Folder of the table.
    runner : RunnerOptions
        Where the workers are, and how many.
    candidates : iterable of Candidate
        The recordings.
    overwrite : bool
        Replace a table that stands there.

    Returns
    -------
    int
        As for `osscl score`, but for what was flagged.
    Tally
        What is in the table.
    RayScoring
        What scored.
    """
    address = chosen_address(runner.address)
    table = PartsTable(output, overwrite=overwrite, inputs=[model, asked.names.labels, *asked.paths])
    bundle = read_bundle(model)
    judges = Judges(bundle.manifest, *asked.decide)
    machine_of = machine_source(judges.machines, *asked.names)  # what cannot be used is told at once
    labels = asked.names.labels
    work = Work(
        named_model(bundle, model),
        bundle.file_sha256,
        asked.names._replace(labels=None if labels is None else str(place_of(labels).absolute())),
        asked.fit,
        asked.times,
        asked.hop_s,
        **asked.decide._asdict(),
        compute=asked.compute,
    )
    tally = Tally()
    try:
        with connected(address) as cluster:
            share = shared(cluster.nodes, runner.workers, asked.compute)
            scoring = RayScoring(cluster, share, work, bundle, judges)
            if asked.names == BY_PATHS:
                say_published_sets(survey_of(find_recordings(asked.paths)))
            say(_started(scoring))
            _score(scoring, met_by(machine_of, candidates), table, asked, runner, tally)
    except KeyboardInterrupt:
        say_interrupted(f"interrupted after {tally}; nothing is written, and no worker is left")
        raise typer.Exit(signals.exit_code()) from None
    if scoring.n_ended:
        ended = f"{scoring.n_ended} {plural(scoring.n_ended, 'worker')} ended in the middle of a batch"
        say(f"{ended}, which others scored again: each file stands in the table once")
    say(f"{tally} -> {printable(output)} ({table.n_parts} {plural(table.n_parts, 'part')})")
    for note in unmet_rows(machine_of):
        say(note)
    return EXIT_SOME_UNSCORED if tally.n_failed else 0, tally, scoring


def _score(
    scoring: RayScoring,
    candidates: Iterable[Candidate],
    table: PartsTable,
    asked: Asked,
    runner: RunnerOptions,
    tally: Tally,
) -> None:
    with FileProgress(asked.paths) as progress:

        def show(_: Record) -> None:
            progress.show(tally.n_files, f"{tally.n_failed} not scored" if tally.n_failed else "")

        score_to_table(
            scoring,
            scoring.scored(candidates),
            table,
            options={**asked.options(), **runner._asdict()},
            tally=tally,
            keeps=(lambda record: record.is_anomaly is True) if asked.only else None,
            on_record=show,
            on_run=lambda _: None,
        )


def _started(scoring: RayScoring) -> str:
    facts = asdict(scoring.share)
    each = f"{facts['threads']} {plural(facts['threads'], 'processor')}" + (
        " and a GPU" if facts["gpus"] else ""
    )
    workers = scoring.share.workers
    return f"Ray on {scoring.cluster.where}: {workers} {plural(workers, 'worker')} of {each} each"
