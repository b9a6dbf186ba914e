"""The page and the picture of a training: verdict, learning curves, and which classes are confused."""

from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import asdict

from osscl.model_file.verdict import Verdict, Word
from osscl.page.rendering import filled
from osscl.support.atomic import write_atomically
from osscl.support.outputs import cannot_be_written
from osscl.support.plurals import counted, plural
from osscl.training.checkpoint import CheckpointInfo
from osscl.training.confusion_picture import Matrix, matrix
from osscl.training.curves import HEIGHT, Chart, learning_curves
from osscl.training.judging import advice_on
from osscl.training.progress import Best
from osscl.training.reports import read_reports
from osscl.training.run_files import PAGE_FILE, PICTURE_FILE
from osscl.training.separation import Confused, most_confused

_FOLDER = files("osscl.training") / "templates"
_HEADLINES: dict[Word, str] = {
    "learned": "The network learned to tell its classes apart.",
    "partly": "The network learned only in part to tell its classes apart.",
    "nothing": "The network learned nothing.",
    "cannot_tell": "Whether the network learned anything cannot be told.",
}
_LEVELS: dict[Word, str] = {
    "learned": "quiet",
    "partly": "chance",
    "nothing": "attention",
    "cannot_tell": "unknown",
}
"""How each verdict looks, among the states of a page of scores."""


class TrainingPage(NamedTuple):
    """All that a page of a training says.

    Attributes
    ----------
    title, headline, level, why, advice : str
        What it is about, the verdict and how it looks, what it rests on, and what to do.
    facts : dict of str to str
        Figures.
    charts : list of Chart
        Learning curves.
    matrix : Matrix or None
        Which classes are taken for which; None where that is not known.
    confused : list of Confused
        The worst of them.
    recipe : dict of str to object
        Settings of the training.
    """

    title: str
    headline: str
    level: str
    why: str
    advice: str
    facts: dict[str, str]
    charts: list[Chart]
    matrix: Matrix | None
    confused: list[Confused]
    recipe: dict[str, Any]


def write_training_page(folder: Path, info: CheckpointInfo) -> None:
    """Write the page and the picture of a training into its folder.

    Parameters
    ----------
    folder : Path
        Folder of the training, with its metrics.
    info : CheckpointInfo
        What its last checkpoint says; an epoch at least is complete.

    Raises
    ------
    OutputError
        A file cannot be written.
    MissingExtraError
        jinja2 is not installed.
    """
    page = _contents(folder, info)
    for name, text in (
        (PAGE_FILE, filled("training.html", _FOLDER, page=page)),
        (PICTURE_FILE, filled("curves.svg", _FOLDER, page=page, height=HEIGHT)),
    ):
        try:
            write_atomically(folder / name, [text.encode("utf-8", "backslashreplace")])
        except OSError as error:
            raise cannot_be_written(folder / name, error) from error


def _contents(folder: Path, info: CheckpointInfo) -> TrainingPage:
    best, verdict = info.progress.best, info.verdict
    assert best is not None, "an epoch is complete"
    assert verdict is not None, "an epoch is complete"
    return TrainingPage(
        title=f"training {folder.resolve().name}, {counted(len(info.classes), 'class')}",
        headline=_HEADLINES[verdict.word],
        level=_LEVELS[verdict.word],
        why=_why(verdict),
        advice=advice_on(verdict, len(info.training_clips) + len(info.hold_out_clips)),
        facts=_facts(info, best),
        charts=learning_curves(read_reports(folder), verdict.chance),
        matrix=matrix(info.classes, best.confusion) if best.confusion else None,
        confused=most_confused(info.classes, best.confusion),
        recipe=asdict(info.config),
    )


def _why(verdict: Verdict) -> str:
    return (
        f"{verdict.n_right} of {verdict.n_clips} held-out {plural(verdict.n_clips, 'clip')} lie nearest to "
        f"their own class: {verdict.accuracy:.1%}, by an exact bound {verdict.low:.1%} to "
        f"{verdict.high:.1%}; chance gives "
        f"{verdict.chance:.1%}."
    )


def _facts(info: CheckpointInfo, best: Best) -> dict[str, str]:
    facts = {
        "clips": f"{len(info.training_clips):,} trained on, {len(info.hold_out_clips):,} held out",
        "steps": f"{info.progress.n_steps:,} in {info.progress.epoch:,} of {info.config.epochs:,} "
        f"{plural(info.config.epochs, 'epoch')}",
        "weights kept": f"averaged, after epoch {best.n_epochs}",
        "hold-out loss": f"{best.hold_out_loss:.4f}",
        "hold-out accuracy": f"{best.hold_out_accuracy:.4f}",
        "computed on": info.device,
    }
    if best.hold_out_margin is not None:
        facts["margin over the next class"] = f"{best.hold_out_margin:.3f} (cosine)"
    return facts
