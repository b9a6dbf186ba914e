"""The files of the DCASE challenge: scores as they are submitted, and ground truth as it is published.

A submission has one file a machine, ``anomaly_score_<type>_id_<ID>.csv``, with a line
``<file name>,<score>`` a clip and no header. The ground truth, ``eval_data_list.csv``, has a line
``<file name>,<name with its label>,<0 normal or 1 anomalous>`` a clip, and between the blocks of two
types a line with the name of the type alone. Source: rules and evaluator of DCASE 2020 Challenge Task 2.
"""

import io
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path

from osscl.errors import EvaluationError, OutputError
from osscl.evaluation.challenge_lines import Clip, LineError, finite, read_list, rows_of
from osscl.evaluation.labelled import Labelled, LabelledScore, few, labelled_score, refuse_repeated
from osscl.runs.passed_over import COMPANION_PREFIX
from osscl.scoring.record import Record
from osscl.support.atomic import write_atomically
from osscl.support.csv_rows import CsvWriter
from osscl.support.outputs import check_output_folder
from osscl.support.paths import printable
from osscl.support.spelling import composed, file_names

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


class GroundTruth:
    """Which clips are anomalous, as the challenge published it after its end.

    Parameters
    ----------
    source : str
        Where the list was read, for messages.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._is_anomaly: dict[Clip, bool] = {}

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> "GroundTruth":
        """Read the list of the challenge, or one list a type.

        Parameters
        ----------
        path : path-like
            A file with the machine type on a line of its own above each block; a file
            ``ground_truth_<type>.csv`` or ``eval_data_list_<type>.csv`` without such lines; or a folder
            of such files.

        Returns
        -------
        GroundTruth
            All clips.

        Raises
        ------
        EvaluationError
            It cannot be read, or does not say type, machine ID and label of each clip once.
        """
        path = Path(path)
        files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
        files = [file for file in files if file == path or not file.name.startswith(COMPANION_PREFIX)]
        if not files:
            raise EvaluationError(f"{printable(path)} holds no .csv file; expected ground_truth_<type>.csv")
        truth = cls(printable(path))
        repeated: dict[str, None] = {}
        for file in files:
            for clip, is_anomaly in read_list(file):
                if clip in truth._is_anomaly:
                    repeated[_spelled(clip)] = None
                truth._is_anomaly[clip] = is_anomaly
        refuse_repeated(repeated, truth._source)
        if not truth._is_anomaly:
            raise EvaluationError(f"{truth._source} lists no clip")
        return truth

    def label(self, records: Iterable[Record]) -> Labelled:
        """Put beside each score what the list says.

        Parameters
        ----------
        records : iterable of Record
            Lines of a result table: exactly the clips of the list. Folders do not count, machines do; names
            count as they are spelled, or else with their accents composed (Unicode's NFC), or else with
            backslashes read as what separates names.

        Returns
        -------
        Labelled
            Scores with labels, and lines without a score.

        Raises
        ------
        EvaluationError
            Clips that the list does not hold, clips of the list that are not there, or twice; or a name
            that may stand for several clips of the list.
        """
        labelled = Labelled()
        strangers: list[str] = []
        repeated: dict[str, None] = {}
        seen: set[Clip] = set()
        for record in records:
            clip = self._clip_of(record)
            if clip in seen:
                repeated[_spelled(clip)] = None
            seen.add(clip)
            if clip not in self._is_anomaly:
                strangers.append(_spelled(clip))
            elif record.score is None:
                labelled.unscored.append(record)
            else:
                labelled.scores.append(labelled_score(record, clip[1], self._is_anomaly[clip]))
        refuse_repeated(repeated, "the scores")
        self._refuse_mismatch([_spelled(clip) for clip in self._is_anomaly if clip not in seen], strangers)
        return labelled

    def truth_of(self, record: Record) -> bool | None:
        """Whether the clip of one line is anomalous; it matters not what else the list holds.

        Parameters
        ----------
        record : Record
            A line of a result table, which names its machine.

        Returns
        -------
        bool or None
            None where the list does not hold the clip.

        Raises
        ------
        EvaluationError
            The name may stand for several clips of the list.
        """
        return self._is_anomaly.get(self._clip_of(record))

    def _clip_of(self, record: Record) -> Clip:
        """The clip of the list that a line speaks of; where there is none, what the line itself says."""
        machine, names = record.machine or "", file_names(record.path)
        as_spelled = (machine, names[0])
        if as_spelled in self._is_anomaly:
            return as_spelled
        for name in names:
            meant = self._by_composed_name.get((machine, composed(name)), [])
            if len(meant) > 1:
                raise EvaluationError(
                    f"{_spelled(as_spelled)} may be {few(list(map(_spelled, meant)), 'clip')} of "
                    f"{self._source}, which differ in how accents are spelled; spell it as one of them"
                )
            if meant:
                return meant[0]
        return as_spelled

    @cached_property
    def _by_composed_name(self) -> dict[Clip, list[Clip]]:
        found: dict[Clip, list[Clip]] = defaultdict(list)
        for machine, name in self._is_anomaly:
            found[machine, composed(name)].append((machine, name))
        return dict(found)

    def _refuse_mismatch(self, missing: list[str], strangers: list[str]) -> None:
        problems = []
        if missing:
            problems.append(f"{few(missing, 'clip')} of the list without a score")
        if strangers:
            problems.append(f"{few(strangers, 'score')} of clips that the list does not hold")
        if problems:
            raise EvaluationError(f"the scores do not match {self._source}: {'; '.join(problems)}")


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


def _spelled(clip: Clip) -> str:
    machine, name = clip
    return f"{machine or 'machine unknown'}: {name}"
