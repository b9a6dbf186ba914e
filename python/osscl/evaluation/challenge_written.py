"""The scores and decisions of a submission to the DCASE challenge, written for its evaluators to find."""

import io
import os
from collections import defaultdict
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path

from osscl.errors import EvaluationError, OutputError
from osscl.evaluation.challenge import DECISION_FILES, SCORE_FILES
from osscl.evaluation.challenge_files import ChallengeFile, Kind, spell_name
from osscl.evaluation.challenge_rules import ChallengeRules
from osscl.evaluation.labelled import LabelledScore
from osscl.support.atomic import write_atomically
from osscl.support.csv_rows import CsvWriter
from osscl.support.outputs import check_output_folder
from osscl.support.paths import printable
from osscl.support.plurals import plural


def write_score_folder(
    folder: str | os.PathLike[str],
    scores: Iterable[LabelledScore],
    rules: ChallengeRules | None = None,
    *,
    overwrite: bool = False,
) -> list[Path]:
    """Write scores as the challenge takes them; and decisions, of sections whose clips were all decided.

    Parameters
    ----------
    folder : path-like
        Where to; made if it is not there.
    scores : iterable of LabelledScore
        The scores; their labels are not written.
    rules : ChallengeRules, optional
        Those of a year: in 2021 a section has a file a domain, later one of both.
    overwrite : bool
        Replace score files of an earlier run.

    Returns
    -------
    list of Path
        The files, each of them whole.

    Raises
    ------
    EvaluationError
        A machine has no name like ``fan/id_01`` or ``fan/section_00``, or a clip no domain, after which the
        file would be called.
    OutputError
        The folder cannot be written to, or holds score files already.
    """
    folder = Path(folder)
    clips: dict[ChallengeFile, list[LabelledScore]] = defaultdict(list)
    for clip in scores:
        clips[_file_of(clip, rules)].append(clip)
    texts = {folder / name: text for file, of_file in clips.items() for name, text in _texts(file, of_file)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        check_score_folder(folder, overwrite=overwrite)
        for path, text in texts.items():
            write_atomically(path, [text.encode()])
        for file in clips:  # decisions of an earlier run would be read as these scores'
            stale = folder / _file_name("decision_result", file)
            if stale not in texts:
                stale.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{printable(folder)} cannot be written to: {error.strerror}") from error
    return sorted(texts)


def counted_files(files: Iterable[Path]) -> str:
    """Say how many files of a submission were written, such as "2 files of scores, 2 of decisions".

    Parameters
    ----------
    files : iterable of Path
        As `write_score_folder` gives them.

    Returns
    -------
    str
        Files of decisions are named where there are some.
    """
    kinds = [fnmatch(file.name, SCORE_FILES) for file in files]
    n_scores, n_decisions = kinds.count(True), kinds.count(False)
    decisions = f", {n_decisions} of decisions" if n_decisions else ""
    return f"{n_scores} {plural(n_scores, 'file')} of scores{decisions}"


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
    taken = sorted(path for pattern in (SCORE_FILES, DECISION_FILES) for path in Path(folder).glob(pattern))
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
    named_alike = any(fnmatch(output.name, pattern) for pattern in (SCORE_FILES, DECISION_FILES))
    if named_alike and os.path.realpath(output.parent) == os.path.realpath(folder):
        raise OutputError(
            f"{printable(output)} is named like the scores that go into the same folder; name it otherwise"
        )


def _file_of(clip: LabelledScore, rules: ChallengeRules | None) -> ChallengeFile:
    if rules is None or not rules.files_by_domain:
        return ChallengeFile(clip.machine)
    if clip.domain is None:
        raise EvaluationError(
            f"{clip.machine}: {clip.name} tells no domain, and {rules.name} has a file of scores a domain; "
            "choose the rules of another year with --challenge"
        )
    return ChallengeFile(clip.machine, clip.domain)


def _texts(file: ChallengeFile, clips: list[LabelledScore]) -> Iterable[tuple[str, str]]:
    yield _file_name("anomaly_score", file), _text((clip.name, clip.score) for clip in clips)
    is_of_2020 = "/id_" in file.machine
    if not is_of_2020 and all(clip.was_flagged is not None for clip in clips):
        decided = ((clip.name, int(bool(clip.was_flagged))) for clip in clips)
        yield _file_name("decision_result", file), _text(decided)


def _text(rows: Iterable[tuple[str, float]]) -> str:
    text = io.StringIO()
    writer = CsvWriter(text)
    for row in sorted(rows):
        writer.write(row)
    return text.getvalue()


def _file_name(kind: Kind, file: ChallengeFile) -> str:
    name = spell_name(kind, file)
    if name is None:
        raise EvaluationError(
            f"machine {file.machine} has no name like fan/id_01 or fan/section_00, after which the challenge "
            "calls its score files"
        )
    return name
