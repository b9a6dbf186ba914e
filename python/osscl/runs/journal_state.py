"""What a journal tells of its run, and the model that decides its rows."""

from pathlib import Path
from typing import Any

import msgspec

from osscl.errors import JournalError, ModelFileError
from osscl.journal.contents import Contents
from osscl.journal.differing import differences, in_words
from osscl.journal.settings import scorers_of
from osscl.model_file.bundle import Bundle, read_bundle
from osscl.runs.exporting import Wanted
from osscl.scoring.judge_making import AUTO
from osscl.scoring.judges import Judges
from osscl.scoring.record import SCORED_STATUSES
from osscl.storage.urls import Place, place_of
from osscl.support.paths import path_of, printable


class State(msgspec.Struct, frozen=True, kw_only=True):
    """How far a run has come.

    Attributes
    ----------
    journal : str
        Where it is.
    state : {"running", "complete", "interrupted"}
        Whether a run writes it; else whether the last one met all files there were.
    held_by : str or None
        The run that writes it.
    started, ended : str or None
        Of the first run, and of the last.
    sessions : int
        Runs over it.
    n_files, n_failed : int
        Files that are done, and those of them that could not be scored.
    counts : dict of str to int
        Files by status.
    model : str or None
        The model file of the last run.
    settings : dict
        What the scores depend on.
    rules : dict of str to str
        By what rule its machines are scored, those alone that files were scored as.
    false_alarm_rate : float or None
        What the last run decides at; None for the rate of each machine.
    """

    journal: str
    state: str
    held_by: str | None
    started: str | None
    ended: str | None
    sessions: int
    n_files: int
    n_failed: int
    counts: dict[str, int]
    model: str | None
    settings: dict[str, Any]
    rules: dict[str, str]
    false_alarm_rate: float | None


def state_of(contents: Contents) -> State:
    """Tell how far the run of a journal has come.

    Parameters
    ----------
    contents : Contents
        The journal.

    Returns
    -------
    State
        What was committed by now.
    """
    settings = contents.settings
    known = settings.get("machines", {})
    holder, sessions, counts = contents.holder, contents.sessions(), contents.counts()
    last = sessions[-1] if sessions else None
    ended = "complete" if last is not None and last.is_whole else "interrupted"
    return State(
        journal=printable(contents.path),
        state=ended if holder is None else "running",
        held_by=None if holder is None else str(holder),
        started=sessions[0].started if sessions else None,
        ended=None if holder is not None or last is None else last.ended,
        sessions=len(sessions),
        n_files=sum(counts.values()),
        n_failed=sum(count for status, count in counts.items() if status not in SCORED_STATUSES),
        counts=counts,
        model=None if last is None else last.how.get("model"),
        settings=settings,
        rules={machine: known[machine]["rule"] for machine in contents.machines() if machine in known},
        false_alarm_rate=None if last is None else _options(last.how).get("false_alarm_rate"),
    )


def deciding_bundle(contents: Contents, model: Place | None) -> Bundle:
    """Read the model file that decides the rows of a journal.

    Parameters
    ----------
    contents : Contents
        The journal.
    model : Path, Url or None
        The file; None for the one that its last run was given.

    Returns
    -------
    Bundle
        One that gives the very scores of the journal; its calibrations may be others.

    Raises
    ------
    JournalError
        The journal names none, or it would give other scores.
    ModelFileError
        It cannot be read.
    """
    sessions = contents.sessions()
    how = sessions[-1].how if sessions else {}
    if model is None:
        if not isinstance(how.get("model"), str):
            raise JournalError(f"{printable(contents.path)} names no model file that decides it: add --model")
        model = place_of(path_of(how["model"]))
        if isinstance(model, Path) and not model.exists():
            raise ModelFileError(
                f"{printable(model)}, by which {printable(contents.path)} was scored, is not there any more: "
                "name the model file by --model"
            )
    bundle = read_bundle(model)
    judges = _judges(bundle, how)
    given, stored = scorers_of(bundle.manifest, judges), contents.settings
    differing = [*differences({name: stored.get(name) for name in given}, given)]
    if differing:
        raise JournalError(
            f"{printable(model)} would give other scores than those in {printable(contents.path)}: "
            f"{in_words(differing)}; name the model file that it was scored by, with --model"
        )
    return bundle


def wanted_of(contents: Contents, bundle: Bundle) -> Wanted:
    """Tell how the last run of a journal wants its table.

    Parameters
    ----------
    contents : Contents
        The journal.
    bundle : Bundle
        What decides.

    Returns
    -------
    Wanted
        As it was asked for.
    """
    sessions = contents.sessions()
    options = _options(sessions[-1].how if sessions else {})
    return Wanted(
        model_sha256=bundle.file_sha256,
        false_alarm_rate=options.get("false_alarm_rate"),
        only=options.get("only"),
        explain=bool(options.get("explain")),
    )


def record_of_run(contents: Contents, bundle: Bundle) -> dict[str, Any]:
    """Tell how the rows of a journal came about, for the record beside a table that is made of it.

    Parameters
    ----------
    contents : Contents
        The journal.
    bundle : Bundle
        What decides.

    Returns
    -------
    dict
        Ready for JSON; what is in the table is not among it.
    """
    sessions, state = contents.sessions(), state_of(contents)
    how = sessions[-1].how if sessions else {}
    judges = _judges(bundle, how)
    known = [machine for machine in contents.machines() if machine in judges.machines]
    return {
        "completed": state.state == "complete",
        "started": state.started,
        "ended": None,
        "sessions": len(sessions),
        **how,
        "model": printable(bundle.path.absolute()),
        "model_sha256": bundle.file_sha256,
        "scored_by": {machine: judges.fingerprint(machine) for machine in known},
    }


def _judges(bundle: Bundle, how: dict[str, Any]) -> Judges:
    """How the machines were judged by the run that a journal tells of."""
    options = _options(how)
    return Judges(bundle.manifest, options.get("rule"), domain=options.get("domain", AUTO))


def _options(how: dict[str, Any]) -> dict[str, Any]:
    options = how.get("options")
    return options if isinstance(options, dict) else {}
