"""Files of the challenge's lists: where they lie, and how a clip of one is spelled in messages."""

from pathlib import Path

from osscl.errors import EvaluationError
from osscl.evaluation.challenge_lines import Clip
from osscl.runs.passed_over import COMPANION_PREFIX
from osscl.support.paths import printable


def truth_files(path: Path) -> list[Path]:
    """Lists in a folder, or the one that is named; raises `EvaluationError` where there is none."""
    if not path.is_dir():
        return [path]
    files = [file for file in sorted(path.glob("*.csv")) if not file.name.startswith(COMPANION_PREFIX)]
    if not files:
        raise EvaluationError(
            f"{printable(path)} holds no .csv file; expected ground_truth_<type>.csv, or "
            "ground_truth_<type>_section_00_test.csv"
        )
    return files


def spelled_clip(clip: Clip) -> str:
    """A clip as messages name it."""
    machine, name = clip
    return f"{machine or 'machine unknown'}: {name}"
