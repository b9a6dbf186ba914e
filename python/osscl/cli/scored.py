"""All recordings of a list scored at once, in memory, for commands that need every line before they speak."""

from collections.abc import Sequence

import typer

from osscl.audio.candidate import Candidate
from osscl.audio.reading import Fit
from osscl.cli import signals
from osscl.cli.console import WorkProgress
from osscl.cli.messages import say, say_interrupted
from osscl.detector import Detector
from osscl.machines.labels import MachineNames, machine_source
from osscl.scoring.left_out import LeftOut
from osscl.scoring.record import Record
from osscl.support.plurals import plural


def scored_records(
    detector: Detector, candidates: Sequence[Candidate], names: MachineNames, fit: Fit, lost: str
) -> list[Record]:
    """Score recordings behind a progress bar.

    Parameters
    ----------
    detector : Detector
        The model.
    candidates : sequence of Candidate
        The recordings.
    names : MachineNames
        How their machines are named.
    fit : Fit
        How recordings that do not fit are made to fit.
    lost : str
        What an interruption costs, such as "nothing was evaluated".

    Returns
    -------
    list of Record
        A line a recording, in order.

    Raises
    ------
    typer.Exit
        The run was interrupted.
    """
    machine_of = machine_source(detector.machines, *names)
    records: list[Record] = []
    n_failed = 0
    left_out = LeftOut()
    with WorkProgress("files", len(candidates)) as progress:
        try:
            for record in detector.score_candidates(candidates, machine_of, fit, left_out=left_out):
                records.append(record)
                n_failed += record.score is None
                progress.advance(f"{n_failed} not scored" if n_failed else "")
        except KeyboardInterrupt:
            interrupted = True
        else:
            interrupted = False
    if interrupted:
        say_interrupted(
            f"interrupted after {len(records)} of {len(candidates)} {plural(len(candidates), 'file')}; {lost}"
        )
        raise typer.Exit(signals.exit_code())
    for note in left_out.notes(detector.clip_s, "osscl score --hop", "--pad"):
        say(note)
    return records
