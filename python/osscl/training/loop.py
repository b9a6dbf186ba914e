"""The epochs of one training: steps, averaged weights, hold-out, checkpoints; it can be stopped anywhere."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from msgspec.structs import replace
from torch import Tensor

from osscl.errors import TrainingDataError, TrainingError, WorkerLostError
from osscl.model_file.unexported import BEST_FILE, LAST_FILE
from osscl.model_file.verdict import Verdict
from osscl.support.paths import printable
from osscl.support.plurals import counted
from osscl.training.checkpoint import CheckpointInfo, Content, write_checkpoint
from osscl.training.clip_reader import ClipReader
from osscl.training.clips import TrainingClip, TrainingData, fit_of
from osscl.training.decided import decided, n_steps_of
from osscl.training.description import described
from osscl.training.embedding_background import kept_with_background
from osscl.training.exchange import exchange
from osscl.training.execution import Execution
from osscl.training.feature_scale import FeatureScale
from osscl.training.hold_out import Split
from osscl.training.judging import sizes_of_classes, verdict_on
from osscl.training.loader import Loader
from osscl.training.log_mel_cache import LogMelCache
from osscl.training.losses import Losses
from osscl.training.mixup import draw_mixing
from osscl.training.moving_average import initialisation_left
from osscl.training.order import Planned, TrainingOrder, n_batches
from osscl.training.progress import Progress, Sums
from osscl.training.reports import EpochReport, Listener, StepReport
from osscl.training.schedule import learning_rate
from osscl.training.state import TrainingState
from osscl.training.step import Batch, HoldOut, evaluate_hold_out, training_step
from osscl.training.step_memory import StepMemory, is_out_of_memory, step_memory
from osscl.training.timing import Pace, pace_of
from osscl.training.train_config import TrainConfig


class Training:
    """One training, from its state to its last epoch.

    Parameters
    ----------
    folder : Path
        Where checkpoints are written.
    config : TrainConfig
        The recipe.
    data : TrainingData
        All clips.
    split : Split
        Which of them are trained on.
    execution : Execution
        Device, workers, cache.

    Attributes
    ----------
    state : TrainingState
        Networks, optimiser, progress.
    """

    def __init__(
        self, folder: Path, config: TrainConfig, data: TrainingData, split: Split, execution: Execution
    ) -> None:
        self._folder, self._data, self._split = folder, data, split
        self._config = config = decided(config, len(split.training))
        self._execution = execution
        self._device = execution.torch_device()
        self._cache = None if execution.cache is None else LogMelCache(execution.cache)
        self._scale = FeatureScale.of(data, split.training) if config.feature_loss else None
        self._n_of_class = sizes_of_classes(data)
        self._info = described(config, data, split, execution)
        self.state = TrainingState(config, data.classes, self._device)
        self.steps_of_epoch = n_batches(len(split.training), config.batch_size)

    @property
    def n_steps(self) -> int:
        """Steps of the whole training."""
        return n_steps_of(self._config, len(self._split.training))

    def step_memory(self) -> StepMemory | None:
        """What a step takes of the machine's memory; None on a GPU."""
        if self._device.type != "cpu":
            return None
        return step_memory(self._config, len(self._split.training))

    @property
    def info(self) -> CheckpointInfo:
        """What a checkpoint of this training says, at its beginning."""
        return self._info

    @property
    def info_now(self) -> CheckpointInfo:
        """What a checkpoint of it says now."""
        return replace(self._info, progress=self.state.progress, verdict=self.verdict)

    def pace(self, step_s: float) -> Pace:
        """How fast the training is, where a step takes so many seconds."""
        n_training, n_held_out = map(len, self._split)
        return pace_of(step_s, n_training, n_held_out, self._config.batch_size)

    @property
    def config(self) -> TrainConfig:
        """The recipe, with what was decided."""
        return self._config

    @property
    def verdict(self) -> Verdict | None:
        """What the clips held out say of the best averaged weights; None before there are any."""
        return verdict_on(self.state.progress.best, len(self._split.hold_out), self._n_of_class)

    def run(self, listener: Listener, should_stop: Callable[[], bool]) -> bool:
        """Train until the last epoch is complete, or until it shall stop.

        Parameters
        ----------
        listener : callable
            Takes a report of each step and epoch.
        should_stop : callable
            Asked after each step.

        Returns
        -------
        bool
            Whether the training is complete; where it is not, its state has been saved.

        Raises
        ------
        TrainingError
            A loss is not finite, or the memory is used up; the last checkpoint is kept.
        TrainingDataError, WorkerLostError
            A clip cannot be read any more, or nobody reads any; the state has been saved.
        OutputError
            A checkpoint cannot be written; the one before is kept.
        """
        if self._execution.compile:
            self.state.model.vector = torch.compile(self.state.model.vector)  # type: ignore[method-assign]
        with self._training_batches() as batches:
            while self.state.progress.epoch < self._config.epochs:
                try:
                    if not self._run_epoch(batches, listener, should_stop):
                        self.save_state()
                        return False
                    self._complete_epoch(listener)
                except (TrainingDataError, WorkerLostError):
                    self.save_state()
                    raise
                except RuntimeError as error:
                    if is_out_of_memory(error):
                        raise self._out_of_memory() from error
                    raise
        best, clips = self._folder / BEST_FILE, self._split.training
        return kept_with_background(best, clips, self._in_order, self._device, should_stop)

    def save_state(self) -> None:
        """Write all that the training needs to go on."""
        if not self.state.is_finite():
            raise self._not_finite("a weight is not finite", self.state.progress.n_steps)
        self._write(LAST_FILE, "training_state", self.state.tensors())

    def _run_epoch(self, batches: Loader, listener: Listener, should_stop: Callable[[], bool]) -> bool:
        """Do the steps that the epoch still lacks; False where it shall stop."""
        self.state.set_learning_rate(learning_rate(self.state.progress.epoch, self._config))
        for step in range(self.state.progress.sums.n_steps, self.steps_of_epoch):
            started = time.monotonic()
            if not batches.wait(should_stop):
                return False
            batch = self._on_device(next(batches))
            losses, n_right = self._step(step, batch)
            outcome = losses, n_right, len(batch.labels), time.monotonic() - started
            progress = self.state.progress
            self.state.progress = progress.after_step(progress.sums.plus(*outcome))
            listener(self._step_report(step, Sums().plus(*outcome)))
            if should_stop():
                return False
        return True

    def _step(self, step: int, batch: Batch) -> tuple[Losses, int]:
        progress, config = self.state.progress, self._config
        names, n_classes = self.state.model.input_names, len(self._data.classes)
        batch = exchange(batch, names, n_classes, config, progress.epoch, step)
        mixing = None
        if config.mixup:
            mixing = draw_mixing(config.seed, progress.epoch, step, len(batch.labels), self._device)
        try:
            losses, cosine = training_step(self.state.model, self.state.optimizer, batch, mixing, config)
        except FloatingPointError as error:
            raise self._not_finite(str(error), progress.n_steps + 1) from error
        self.state.average.update(progress.n_steps, warmup=bool(config.ema_warmup))
        return losses, int((cosine.argmax(dim=1) == batch.labels).sum())

    def _complete_epoch(self, listener: Listener) -> None:
        """Look at the clips held out, keep the averaged weights if they are the best, save the state."""
        before = self.state.progress
        average = self.state.average.model
        hold_out = evaluate_hold_out(average, self._hold_out_batches(), len(self._data.classes), self._config)
        if not math.isfinite(hold_out.loss):
            raise self._not_finite(f"the hold-out loss is {hold_out.loss}", before.n_steps)
        self.state.progress = before.after_epoch(hold_out)
        if before.is_best(hold_out):
            kept = self.state.model.kept(average.state_dict())
            self._write(BEST_FILE, "ema_weights", kept)
        self.save_state()
        listener(self._epoch_report(before, hold_out))

    def _training_batches(self) -> Loader:
        config, progress = self._config, self.state.progress
        order = TrainingOrder(
            len(self._split.training),
            config.batch_size,
            seed=config.seed,
            epochs=config.epochs,
            exposure=config.exposure,
            epoch=progress.epoch,
            step=progress.sums.n_steps,
        )
        return Loader(
            self._reader(self._split.training),
            order,
            workers=self._execution.n_workers(),
            pin_memory=self._device.type == "cuda",
        )

    def _hold_out_batches(self) -> Iterator[Batch]:
        return self._in_order(self._split.hold_out)

    def _in_order(self, clips: Sequence[TrainingClip]) -> Iterator[Batch]:
        size = self._config.batch_size
        plan = [
            [Planned(number) for number in range(i, min(i + size, len(clips)))]
            for i in range(0, len(clips), size)
        ]
        return map(self._on_device, Loader(self._reader(clips), plan, workers=0))

    def _reader(self, clips: Sequence[TrainingClip]) -> ClipReader:
        labels = [self._data.label(clip) for clip in clips]
        names = self.state.model.input_names
        n_classes = len(self._data.classes)
        return ClipReader(clips, labels, n_classes, names, fit_of(self._config), self._cache, self._scale)

    def _on_device(self, batch: Batch) -> Batch:
        return batch.to(self._device)

    def _step_report(self, step: int, one: Sums) -> StepReport:
        progress = self.state.progress
        return StepReport(
            epoch=progress.epoch + 1,
            step=step + 1,
            n_steps=progress.n_steps,
            learning_rate=learning_rate(progress.epoch, self._config),
            **one.means(),
        )

    def _epoch_report(self, progress: Progress, hold_out: HoldOut) -> EpochReport:
        return EpochReport(
            epoch=progress.epoch + 1,
            n_steps=progress.n_steps,
            learning_rate=learning_rate(progress.epoch, self._config),
            **progress.sums.means(),
            hold_out_loss=hold_out.loss,
            hold_out_accuracy=hold_out.accuracy,
            hold_out_margin=hold_out.separation.margin,
            initialisation_left=initialisation_left(progress.n_steps, warmup=bool(self._config.ema_warmup)),
            is_best=progress.is_best(hold_out),
        )

    def _write(self, name: str, content: Content, tensors: dict[str, Tensor]) -> None:
        write_checkpoint(self._folder / name, tensors, replace(self.info_now, content=content))

    def _not_finite(self, what: str, n_steps: int) -> TrainingError:
        """Say what was found at a step, the `n_steps`-th of all; epochs and steps count from 1, as shown."""
        epoch, step = divmod(n_steps - 1, self.steps_of_epoch)
        return TrainingError(
            f"epoch {epoch + 1}, step {step + 1}: {what}; {self._what_is_kept()}: "
            "train with a lower learning rate, or in fp32 if this was bf16"
        )

    def _out_of_memory(self) -> TrainingError:
        n_clips = min(self._config.batch_size, len(self._split.training))
        return TrainingError(
            f"the memory of {self._info.device} does not hold a step of {counted(n_clips, 'clip')}; "
            f"{self._what_is_kept()}: train with a smaller --batch-size, or end what else uses its memory"
        )

    def _what_is_kept(self) -> str:
        last = self._folder / LAST_FILE
        return (
            f"the checkpoint {printable(last)} before it is kept"
            if last.exists()
            else "nothing was saved yet"
        )
