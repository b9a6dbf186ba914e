"""``osscl score`` without a journal: lines to stdout or into a store, as they come."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from osscl.cli import signals
from osscl.cli.console import FileProgress
from osscl.cli.messages import EXIT_SOME_UNSCORED, say, say_interrupted
from osscl.detector import Detector
from osscl.runs.explaining import Explainer
from osscl.runs.run import score_to_table, write_run_record_at
from osscl.runs.tables import OutputTable
from osscl.runs.tally import Tally
from osscl.scoring.record import Record
from osscl.support.paths import printable
from osscl.support.plurals import plural


def score_into_table(
    detector: Detector,
    paths: list[str],
    records: Iterable[Record],
    table: OutputTable,
    options: dict[str, Any],
    tally: Tally,
    explainer: Explainer | None,
    run_record: Path | None,
) -> int:
    """Write the lines into a table, and say so.

    Parameters
    ----------
    detector : Detector
        What scores; it is closed at the end.
    paths : list of str
        What was named, for the progress.
    records : iterable of Record
        The lines, lazily.
    table : OutputTable
        Where they go.
    options : dict
        What was asked for, for the record of the run.
    tally : Tally
        Counts each line.
    explainer : Explainer or None
        Explains flagged clips.
    run_record : Path or None
        Where it is written how lines on stdout came about; a table has that beside it.

    Returns
    -------
    int
        As for `osscl score`, but for what was flagged.
    """

    def keep(run: dict[str, Any]) -> None:
        if run_record is not None:
            write_run_record_at(run_record, run)

    with detector, FileProgress(paths) as progress:

        def show(_: Record) -> None:
            failed = f"{tally.n_failed} not scored" if tally.n_failed else ""
            windows = f"{tally.n_windows:,} {plural(tally.n_windows, 'window')}" if tally.n_windows else ""
            progress.show(tally.n_files, ", ".join(filter(None, (windows, failed))))

        try:
            score_to_table(
                detector,
                records,
                table,
                options=options,
                tally=tally,
                keeps=_is_flagged if options["only"] else None,
                explains=None if explainer is None else explainer.explained,
                on_record=show,
                on_run=keep,
            )
        except KeyboardInterrupt:
            interrupted = True
        else:
            interrupted = False
    where = "" if table.output is None else f" -> {printable(table.output)}"
    if interrupted:
        say_interrupted(f"interrupted after {tally}{_unwritten(table)}")
        return signals.exit_code()
    say(f"{tally}{where}")
    return EXIT_SOME_UNSCORED if tally.n_failed else 0


def _unwritten(table: OutputTable) -> str:
    """What an interruption costs where lines do not go to stdout."""
    if table.output is None:
        return ""
    return (
        f"; {printable(table.output)} was not written: with --output on this machine, a run goes on where it "
        "was interrupted"
    )


def _is_flagged(record: Record) -> bool:
    return record.is_anomaly is True
