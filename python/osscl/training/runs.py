"""Whole trainings: fresh or resumed, one seed or several, each in a folder of its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict as as_dict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from osscl.errors import OutputError, TrainingError
from osscl.model_file.unexported import BEST_FILE, LAST_FILE
from osscl.model_file.verdict import Verdict
from osscl.page.rendering import load_jinja2
from osscl.support.paths import printable
from osscl.support.plurals import counted
from osscl.training.checkpoint import CheckpointInfo, read_checkpoint
from osscl.training.clips import TrainingData, fit_of
from osscl.training.execution import Execution
from osscl.training.hold_out import split_hold_out
from osscl.training.loop import Training
from osscl.training.memory import give_back_freed_memory, keep_freed_memory
from osscl.training.progress import Best
from osscl.training.reports import Listener, open_logs
from osscl.training.resuming import (
    as_was_decided,
    refuse_another_recipe,
    refuse_differences,
    refuse_without_training,
    resumed,
)
from osscl.training.run_files import PAGE_FILE, refuse_used
from osscl.training.step_memory import step_memory
from osscl.training.train_config import TrainConfig
from osscl.training.training_page import write_training_page


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one training.

    Attributes
    ----------
    folder : Path
        Where its files lie.
    seed : int
        Its seed.
    completed : bool
        False where it was stopped; resuming goes on.
    best : Best or None
        The averaged weights with the lowest hold-out loss; None before the first epoch was complete.
    verdict : Verdict or None
        What the clips held out say of them; None where there are none yet.
    classes : tuple of str
        What they were trained to tell apart.
    """

    folder: Path
    seed: int
    completed: bool
    best: Best | None
    verdict: Verdict | None
    classes: tuple[str, ...]

    @property
    def page(self) -> Path:
        """Page of the training, once it is complete."""
        return self.folder / PAGE_FILE

    @property
    def weights(self) -> Path:
        """Checkpoint of the best averaged weights."""
        return self.folder / BEST_FILE


def train(
    data: TrainingData,
    folder: Path,
    config: TrainConfig | None = None,
    execution: Execution = Execution(),  # noqa: B008 - immutable
    *,
    resume: bool = False,
    listener: Listener = lambda report: None,
    on_start: Callable[[Training], None] = lambda training: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Train one network.

    Parameters
    ----------
    data : TrainingData
        The clips.
    folder : Path
        Where checkpoints and metrics are written; made where it does not exist.
    config : TrainConfig, optional
        The recipe. By default the published one for clips that were read as these were; where a training
        is resumed, its own.
    execution : Execution
        Device, workers, cache.
    resume : bool
        Go on with the training that lies in `folder`.
    listener : callable
        Takes a report of each step and epoch.
    on_start : callable
        Takes the training before its first step.
    should_stop : callable
        Asked after each step; the training then saves its state and ends.

    Returns
    -------
    Outcome
        What became of it.

    Raises
    ------
    TrainingError
        The folder holds a training, or what is left of one, and `resume` is False; or it is to be resumed
        with another recipe or other data; or the clips were read in another way than the recipe says; or
        there is too little memory; or a loss is not finite; or, as `WorkerLostError`, a process that reads
        recordings ended.
    CheckpointError
        The checkpoint to resume from is damaged.
    OutputError
        A file cannot be written.
    MissingExtraError
        jinja2 is not installed, which writes the page of the training.
    """
    if not resume:
        refuse_used(folder)
    load_jinja2()  # what the page at the end needs is missed at the beginning
    stored = _read_last(folder) if resume else None
    config = config or (stored[1].config if stored else TrainConfig(**as_dict(data.fit), classes=data.kind))
    if stored:
        config = as_was_decided(config, stored[1].config)
        refuse_another_recipe(folder / LAST_FILE, stored[1].config, config)
    _refuse_another_fit(data, config)
    split = split_hold_out(data, config.hold_out, config.seed)
    if execution.torch_device().type == "cpu":
        give_back_freed_memory()
        step_memory(config, len(split.training)).check()
        keep_freed_memory()
    _make_folder(folder)
    training = Training(folder, config, data, split, execution)
    if stored:
        _refuse_other_data(folder / LAST_FILE, stored[1], training.info)
        training.state.restore(stored[0], stored[1].progress)
    logs = open_logs(folder, training.state.progress.n_steps)
    try:
        on_start(training)
        completed = training.run(_all_of([*logs, listener]), should_stop)
    finally:
        for log in logs:
            log.close()
    if completed:
        write_training_page(folder, training.info_now)
    return Outcome(
        folder, config.seed, completed, training.state.progress.best, training.verdict, data.classes
    )


def stored_config(
    folder: Path, recipe: Path | None, changes: Mapping[str, Any], *, epochs_are_planned: bool = False
) -> TrainConfig:
    """Recipe of a training that shall go on, which what the user says of it now must not change.

    Parameters
    ----------
    folder : Path
        Folder of the training.
    recipe : Path or None
        Recipe file that is named now.
    changes : mapping of str to object
        Fields that are stated now.
    epochs_are_planned : bool
        Whether the number of epochs was planned when the training began, whatever is stated now.

    Returns
    -------
    TrainConfig
        The stored recipe, where nothing else is stated.

    Raises
    ------
    TrainingError
        There is no training in the folder, or one with another recipe.
    CheckpointError
        Its checkpoint is damaged.
    ConfigError
        What is stated now is no recipe.
    """
    stored = _read_last(folder)[1].config
    return resumed(folder, stored, recipe, changes, epochs_are_planned=epochs_are_planned)


def _read_last(folder: Path) -> tuple[dict[str, Tensor], CheckpointInfo]:
    last = folder / LAST_FILE
    refuse_without_training(folder)
    return read_checkpoint(last, "training_state")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{printable(folder)}: the folder cannot be made: {error.strerror}") from error


def _all_of(listeners: Sequence[Listener]) -> Listener:
    def tell(report: object) -> None:
        for listener in listeners:
            listener(report)  # type: ignore[arg-type]

    return tell


def _refuse_another_fit(data: TrainingData, config: TrainConfig) -> None:
    if data.kind != config.classes:
        raise TrainingError(
            f"the classes of the clips are {data.kind}, and the recipe says {config.classes}; read them as "
            "it says"
        )
    if data.fit != fit_of(config):
        raise TrainingError(
            f"the clips were read {data.fit}, and the recipe says {fit_of(config)}; read them as it says"
        )


def _refuse_other_data(last: Path, stored: CheckpointInfo, now: CheckpointInfo) -> None:
    differences = []
    if stored.front_end_sha256 != now.front_end_sha256:
        differences.append("the front end has other settings")
    if stored.data_fingerprint != now.data_fingerprint:
        differences.append(_data_difference(stored, now))
    refuse_differences(last, differences)


def _data_difference(stored: CheckpointInfo, now: CheckpointInfo) -> str:
    before = {*stored.training_clips, *stored.hold_out_clips}
    after = {*now.training_clips, *now.hold_out_clips}
    return (
        f"the data differ: {counted(len(before - after), 'clip')} of then are missing, "
        f"{len(after - before)} are new"
        if before != after
        else "the data differ: the same clips belong to other machines"
    )
