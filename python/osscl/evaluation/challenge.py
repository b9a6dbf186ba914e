"""The files of the DCASE challenge with scores, as they are submitted.

A submission has one file a machine, ``anomaly_score_<type>_id_<ID>.csv``, with a line
``<file name>,<score>`` a clip and no header. Source: rules of DCASE 2020 Challenge Task 2.
"""

import io
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path

from osscl.errors import EvaluationError, OutputError
from osscl.evaluation.challenge_lines import LineError, finite, rows_of
from osscl.evaluation.labelled import LabelledScore
from osscl.scoring.record import Record
from osscl.support.atomic import write_atomically
from osscl.support.csv_rows import CsvWriter
from osscl.support.outputs import check_output_folder
from osscl.support.paths import printable

SCORE_FILES = "anomaly_score_*.csv"
_SCORE_FILE = re.compile(r"anomaly_score_(?P<type>.+)_(?P<id>(?:id|section)_[0-9]+)\.csv")


def read_score_folder(folder: str | os.PathLike[str]) -> list[Record]:
    """Read the scores of a submission.

    Parameters
    ----------
    folder : path-like
        Folder with files ``anomaly_score_<type>_id_<ID>.csv``; others in it are left alone.

    Returns
    -------
    list of Record
        A line a clip; `path` is the file name as it stands in the file.

    Raises
    ------
    EvaluationError
        There are no such files, or one cannot be read.
    """
    paths = sorted(Path(folder).glob(SCORE_FILES))
    if not paths:
        raise EvaluationError(
            f"{printable(folder)} holds no score files; expected names like anomaly_score_fan_id_01.csv"
        )
    return [record for path in paths for record in _read_score_file(path)]


def write_score_folder(
    folder: str | os.PathLike[str], scores: Iterable[LabelledScore], *, overwrite: bool = False
) -> list[Path]:
    """Write scores as the challenge takes them.

    Parameters
    ----------
    folder : path-like
        Where to; made if it is not there.
    scores : iterable of LabelledScore
        The scores; their labels are not written.
    overwrite : bool
        Replace score files of an earlier run.

    Returns
    -------
    list of Path
        The files, each of them whole.

    Raises
    ------
    EvaluationError
        A machine has no name of the form ``type/id_NN``, which the file would be called after.
    OutputError
        The folder cannot be written to, or holds score files already.
    """
    folder = Path(folder)
    rows: dict[Path, list[tuple[str, float]]] = defaultdict(list)
    for clip in scores:
        rows[folder / _score_file_name(clip.machine)].append((clip.name, clip.score))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        check_score_folder(folder, overwrite=overwrite)
        for path, of_machine in rows.items():
            text = io.StringIO()
            writer = CsvWriter(text)
            for row in sorted(of_machine):
                writer.write(row)
            write_atomically(path, [text.getvalue().encode()])
    except OSError as error:
        raise OutputError(f"{printable(folder)} cannot be written to: {error.strerror}") from error
    return sorted(rows)


def check_score_folder(folder: str | os.PathLike[str], *, overwrite: bool) -> None:
    """Refuse a folder that holds the scores of another run, which would mix with new ones.

    Parameters
    ----------
    folder : path-like
        Where scores shall be written; it need not be there.
    overwrite : bool
        Whether they may be replaced.

    Raises
    ------
    OutputError
        They may not, or it is no folder that can be written to.
    """
    check_output_folder(Path(folder))
    taken = sorted(Path(folder).glob(SCORE_FILES))
    if taken and not overwrite:
        raise OutputError(f"{printable(taken[0])} is already there; move it away, or use --overwrite")


def refuse_among_scores(output: Path, folder: Path) -> None:
    """Refuse to write another file where the scores go by a name that theirs may have.

    Parameters
    ----------
    output : Path
        The other file.
    folder : Path
        Where scores shall be written.

    Raises
    ------
    OutputError
        One would replace the other.
    """
    if os.path.realpath(output.parent) == os.path.realpath(folder) and fnmatch(output.name, SCORE_FILES):
        raise OutputError(
            f"{printable(output)} is named like the scores that go into the same folder; name it otherwise"
        )


def _read_score_file(path: Path) -> Iterator[Record]:
    named = _SCORE_FILE.fullmatch(path.name)
    if named is None:
        raise EvaluationError(
            f"{printable(path)}: its name does not say the machine; expected one like "
            "anomaly_score_fan_id_01.csv"
        )
    is_empty = True
    with rows_of(path) as rows:
        for row in rows:
            if not row:
                continue
            is_empty = False
            if len(row) != 2:
                raise LineError(f"has {len(row)} values, expected file name and score")
            yield Record(path=row[0], machine=f"{named['type']}/{named['id']}", score=finite(row[1]))
    if is_empty:  # as a full disk leaves it; a machine would be missing from every mean
        raise EvaluationError(
            f"{printable(path)}: holds no score; write it again, or move it away if its machine is not meant"
        )


def _score_file_name(machine: str) -> str:
    name = f"anomaly_score_{machine.replace('/', '_')}.csv"
    named = _SCORE_FILE.fullmatch(name)
    if named is None or f"{named['type']}/{named['id']}" != machine:
        raise EvaluationError(
            f"machine {machine} has no name like fan/id_01, after which the challenge calls its score files"
        )
    return name
