"""The table of a journal: made at any time, also while a run writes; here scores are decided."""

import os
from collections import Counter, deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from osscl.errors import JournalError, OutputError
from osscl.journal.contents import Contents
from osscl.journal.exports import hash_of
from osscl.journal.rows import Place
from osscl.runs.deciding import Decider
from osscl.runs.run import write_run_record
from osscl.runs.tables import OutputTable
from osscl.runs.tally import Tally
from osscl.scoring.record import Record
from osscl.support.paths import printable
from osscl.support.utc import utc_now

Explains = Callable[[Place, Record], Record]
"""Puts its explanation on a flagged line that has none."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What makes two tables of one journal differ.

    Attributes
    ----------
    model_sha256 : str
        The model file, whose calibrations decide.
    false_alarm_rate : float or None
        As for `Decider`.
    only : str or None
        "anomalies" leaves out all lines but those.
    explain : bool
        Whether flagged clips are explained.
    """

    model_sha256: str
    false_alarm_rate: float | None = None
    only: str | None = None
    explain: bool = False

    def differences(self, other: "Wanted") -> list[str]:
        """Name what another one asks for otherwise, such as "false_alarm_rate"."""
        return [name for name in self.__struct_fields__ if getattr(self, name) != getattr(other, name)]


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """A table that was made of a journal.

    Attributes
    ----------
    wanted : Wanted
        How.
    run : dict
        The record of the run that stands beside it.
    rates : list of float
        False-alarm rates that were decided at.
    failed : dict of str to list of Record
        Of each status without a score, the first lines.
    """

    wanted: Wanted
    run: dict[str, Any]
    rates: list[float]
    failed: dict[str, list[Record]] = {}

    def tally(self) -> Tally:
        """What is in it."""
        counts, anomalies = Counter(self.run["counts"]), Counter(self.run["anomalies"])
        return Tally(
            counts=counts,
            n_windows=self.run.get("n_windows", 0),
            n_decided=self.run["n_decided"],
            anomalies=anomalies,
            rates=set(self.rates),
            first_failed=self.failed,
        )


def current_export(contents: Contents, output: Path) -> Export | None:
    """Give the table that stands at a place, where it holds all that the journal holds.

    Parameters
    ----------
    contents : Contents
        The journal.
    output : Path
        Where the table is, or should be.

    Returns
    -------
    Export or None
        None where there is none, it is another one, or rows came since.
    """
    how = contents.exports.current(output)
    return msgspec.convert(how, Export) if how else None


def refuse_foreign(contents: Contents, output: Path) -> None:
    """Refuse to replace a file that was not made of the journal.

    Parameters
    ----------
    contents : Contents
        The journal.
    output : Path
        Where a table shall be.

    Raises
    ------
    OutputError
        Something else is there.
    """
    if os.path.lexists(output) and (output.is_symlink() or not contents.exports.knows(output)):
        raise OutputError(
            f"{printable(output)} exists and is not the table that was made of {printable(contents.path)}; "
            "move it away, and the same command makes the table anew; or name another file"
        )


def export_table(
    contents: Contents,
    output: Path,
    decider: Decider,
    wanted: Wanted,
    run: dict[str, Any],
    *,
    explains: Explains | None = None,
    noting: Contents | None = None,
    is_up_to_date: bool = False,
    overwrite: bool = False,
    on_record: Callable[[], object] = lambda: None,
) -> Tally:
    """Make the table of a journal and the record beside it.

    Parameters
    ----------
    contents : Contents
        The journal.
    output : Path
        Table to write; one that was made of the journal before is replaced.
    decider : Decider
        What decides.
    wanted : Wanted
        How it is made.
    run : dict
        What the record of the run says, but its end and its counts.
    explains : callable, optional
        Explains flagged clips whose rows hold no explanation yet.
    noting : Contents, optional
        The journal by a connection that may write: it knows the table as its own from then on.
    is_up_to_date : bool
        Whether nobody else can have added rows meanwhile: the table is then the one that all is in.
    overwrite : bool
        Replace what is there also where it was not made of the journal.
    on_record : callable
        Called after each line.

    Returns
    -------
    Tally
        What is in the journal; with `Wanted.only`, more than in the table.

    Raises
    ------
    OutputError
        It cannot be written, or what is there is another file; the journal keeps all rows.
    """
    tally = Tally()
    table = OutputTable(output, overwrite=True)
    made: dict[str, Any] = {}

    digest = ""

    def note(complete: Path) -> None:
        nonlocal digest
        if not overwrite:
            refuse_foreign(contents, output)
        if noting is not None:
            digest = hash_of(complete)
            export = Export(wanted=wanted, run=made, rates=sorted(tally.rates), failed=tally.first_failed)
            noting.exports.expect(digest, msgspec.to_builtins(export))

    try:
        for record, rate in _decided(contents, decider, wanted, explains):
            tally.add(record, rate)
            if wanted.only is None or record.is_anomaly:
                table.write(record)
            on_record()
        made.update(run | {"ended": utc_now()} | tally.facts())
        table.finish(made, note)
    except JournalError:
        raise
    except OutputError as error:
        raise OutputError(
            f"{error}; all rows are kept in {printable(contents.path)}: mend that, and the same command "
            "makes the table of them"
        ) from error
    finally:
        table.abandon()
    if noting is not None and is_up_to_date:
        noting.exports.is_there(digest)
    write_run_record(output, made)
    return tally


def _decided(
    contents: Contents, decider: Decider, wanted: Wanted, explains: Explains | None
) -> Iterator[tuple[Record, float | None]]:
    places: deque[Place] = deque()

    def records() -> Iterator[Record]:
        for place, record in contents.rows():
            places.append(place)
            yield record

    for record, rate in decider.decide(records()):
        place = places.popleft()
        if not wanted.explain or record.is_anomaly is not True:
            yield replace(record, explanation=None), rate
        elif record.explanation is None and explains is not None:
            yield explains(place, record), rate
        else:
            yield record, rate
