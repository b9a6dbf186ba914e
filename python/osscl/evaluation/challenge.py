"""The scores and decisions of a submission to the DCASE challenge, read back from its files.

A submission has files as `osscl.evaluation.challenge_files` lists them: one with scores a machine ID, or from
2021 on a section, and beside it one with decisions.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from osscl.errors import EvaluationError
from osscl.evaluation.challenge_files import ChallengeFile, Kind, read_name, spell_name
from osscl.evaluation.challenge_lines import DECISION, read_bits, read_scores
from osscl.evaluation.labelled import few, refuse_repeated
from osscl.scoring.record import Record
from osscl.support.paths import printable

T = TypeVar("T")

SCORE_FILES, DECISION_FILES = "anomaly_score_*.csv", "decision_result_*.csv"


def read_score_folder(folder: str | os.PathLike[str]) -> list[Record]:
    """Read the scores of a submission, and its decisions where there are any.

    Parameters
    ----------
    folder : path-like
        Folder with files ``anomaly_score_<type>_id_<ID>.csv`` or
        ``anomaly_score_<type>_section_<NN>_test.csv``, with or without a domain before ``_test``, and
        ``decision_result_...`` beside them; others in it are left alone.

    Returns
    -------
    list of Record
        A line a clip; `path` is the file name as it stands in the file, in a folder ``source_test`` or
        ``target_test`` where the name of the file says the domain.

    Raises
    ------
    EvaluationError
        There are no such files, two are of the same clips, decisions do not match the scores, or a file
        cannot be read.
    """
    files = _found(folder, "anomaly_score", SCORE_FILES)
    if not files:
        raise EvaluationError(
            f"{printable(folder)} holds no score files; expected names like anomaly_score_fan_id_01.csv or "
            "anomaly_score_fan_section_00_test.csv"
        )
    decisions = _found(folder, "decision_result", DECISION_FILES)
    for file, path in decisions.items():
        if file not in files:
            raise EvaluationError(
                f"{printable(path)} has no {spell_name('anomaly_score', file)} beside it, whose scores it "
                "decides; add that, or move this one away"
            )
    return [record for file in files for record in _records(file, files[file], decisions.get(file))]


def _found(folder: str | os.PathLike[str], kind: Kind, pattern: str) -> dict[ChallengeFile, Path]:
    found: dict[ChallengeFile, Path] = {}
    of_machine: dict[str, ChallengeFile] = {}
    for path in sorted(Path(folder).glob(pattern)):
        file = read_name(kind, path.name)
        if file is None:
            raise EvaluationError(
                f"{printable(path)}: its name does not say the machine; expected one like "
                f"{kind}_fan_id_01.csv or {kind}_fan_section_00_test.csv"
            )
        other = of_machine.setdefault(file.machine, file)
        if file in found or (other != file and None in (other.domain, file.domain)):
            raise EvaluationError(
                f"{printable(found[other])} and {printable(path)} are both of {file.machine}: move one away"
            )
        found[file] = path
    return found


def _records(file: ChallengeFile, scores: Path, decisions: Path | None) -> Iterator[Record]:
    score_of = _once_each(scores, read_scores(scores))
    flagged: dict[str, bool] = {}
    if decisions is not None:
        flagged = _once_each(decisions, read_bits(decisions, file, DECISION))
        _refuse_mismatch(scores, set(score_of), decisions, set(flagged))
    folder = "" if file.domain is None else f"{file.domain}_test/"
    for name, score in score_of.items():
        yield Record(path=folder + name, machine=file.machine, score=score, is_anomaly=flagged.get(name))


def _once_each(path: Path, pairs: Iterable[tuple[str, T]]) -> dict[str, T]:
    found: dict[str, T] = {}
    repeated: dict[str, None] = {}
    for name, value in pairs:
        if name in found:
            repeated[name] = None
        found[name] = value
    refuse_repeated(repeated, printable(path))
    return found


def _refuse_mismatch(scores: Path, scored: set[str], decisions: Path, decided: set[str]) -> None:
    problems = []
    if missing := sorted(scored - decided):
        problems.append(f"{few(missing, 'clip')} without a decision")
    if strangers := sorted(decided - scored):
        problems.append(f"{few(strangers, 'decision')} of clips without a score")
    if problems:
        raise EvaluationError(f"{printable(decisions)} does not match {scores.name}: {'; '.join(problems)}")
