"""Files of a training in its folder, by which a used folder is known before anything heavy is loaded."""

from pathlib import Path

from osscl.errors import TrainingError
from osscl.model_file.unexported import BEST_FILE, LAST_FILE
from osscl.support.paths import printable

PAGE_FILE, PICTURE_FILE = "training.html", "curves.svg"
SUMMARY_FILE = "summary.json"
_WORTH_KEEPING = (BEST_FILE, SUMMARY_FILE, PAGE_FILE, PICTURE_FILE)


def holds_training(folder: Path) -> bool:
    """Whether a training can be resumed in a folder."""
    return (folder / LAST_FILE).exists()


def refuse_used(folder: Path) -> None:
    """Refuse a folder in which a new training would replace what an earlier one left.

    Parameters
    ----------
    folder : Path
        Where it would be written; it need not be there.

    Raises
    ------
    TrainingError
        A training lies there, or what is left of one.
    """
    if holds_training(folder):
        raise TrainingError(
            f"{printable(folder)} holds a training already; go on with it (--resume), "
            "or choose another folder"
        )
    for name in _WORTH_KEEPING:
        if (folder / name).exists():
            raise TrainingError(
                f"{printable(folder)} holds {name} of an earlier training, which would be replaced; choose "
                "another folder, or move it away"
            )
