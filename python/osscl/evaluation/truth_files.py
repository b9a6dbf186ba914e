"""Files of the challenge's lists: where they lie, and how a clip of one is spelled in messages."""

from fnmatch import fnmatch
from pathlib import Path

from osscl.errors import EvaluationError
from osscl.evaluation.challenge import DECISION_FILES, SCORE_FILES
from osscl.evaluation.challenge_lines import Clip
from osscl.runs.passed_over import COMPANION_PREFIX
from osscl.support.paths import printable


def truth_files(path: Path) -> list[Path]:
    """Lists in a folder, or the one that is named; raises `EvaluationError` where there is none."""
    if not path.is_dir():
        _refuse_scores([path])
        return [path]
    files = [file for file in sorted(path.glob("*.csv")) if not file.name.startswith(COMPANION_PREFIX)]
    if not files:
        raise EvaluationError(
            f"{printable(path)} holds no .csv file; expected ground_truth_<type>.csv, or "
            "ground_truth_<type>_section_00_test.csv"
        )
    _refuse_scores(files)
    return files


def _refuse_scores(files: list[Path]) -> None:
    """Refuse the files of a submission, which tell no label; raises `EvaluationError`."""
    for file in files:
        if any(fnmatch(file.name, pattern) for pattern in (SCORE_FILES, DECISION_FILES)):
            raise EvaluationError(
                f"{printable(file)} holds what a submission says, and --ground-truth takes the labels that "
                "the organisers published: ground_truth_<type>_section_00_test.csv, or eval_data_list.csv"
            )


def spelled_clip(clip: Clip) -> str:
    """A clip as messages name it."""
    machine, name = clip
    return f"{machine or 'machine unknown'}: {name}"
