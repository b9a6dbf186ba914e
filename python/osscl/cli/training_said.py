"""What `osscl train` says while it trains: before it begins, how long it takes, each epoch, and doubts."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from osscl.cli.console import WorkProgress
from osscl.cli.messages import say
from osscl.support.durations import in_words
from osscl.support.paths import printable
from osscl.support.plurals import counted

if TYPE_CHECKING:
    from osscl.training import Execution, TrainConfig, TrainingData
    from osscl.training.loop import Training
    from osscl.training.reports import EpochReport, Report, StepReport
    from osscl.training.timing import Timing


_LONG_STEP_S = 10.0
"""Time of a step above which one timed step is reason enough for an estimate."""


class Told:
    """What is said of one training.

    Parameters
    ----------
    clips : TrainingData
        What is trained on.
    folder : Path
        Where its files are written.
    recipe : TrainConfig
        As it was asked for.
    execution : Execution
        Device, workers, cache.
    progress : WorkProgress
        The bar, in steps.
    """

    _training: "Training"
    _timing: "Timing"
    _has_guessed = False
    _n_saved = 0

    def __init__(
        self,
        clips: "TrainingData",
        folder: Path,
        recipe: "TrainConfig",
        execution: "Execution",
        progress: WorkProgress,
    ) -> None:
        self._clips, self._folder, self._recipe = clips, folder, recipe
        self._execution, self._bar = execution, progress

    @property
    def what_is_saved(self) -> str:
        """What a training that breaks off at once has left, and how it goes on."""
        if not self._n_saved:
            return "broken off; nothing was saved yet"
        return (
            f"broken off; last saved in {printable(self._folder)}: step {self._n_saved}; the same command "
            "and --resume go on from there"
        )

    def begin(self, training: "Training") -> None:
        """Say what is to be said before the first step."""
        from osscl.training.advice import warnings_before
        from osscl.training.background import NO_BACKGROUND
        from osscl.training.decided import warmup_notice
        from osscl.training.timing import Timing

        self._training, self._timing = training, Timing(training.n_steps)
        done = self._n_saved = training.state.progress.n_steps
        for warning in warnings_before(self._clips, training.config, self._execution):
            say(f"warning: {warning}")
        if training.info.background is None:
            say(f"warning: {NO_BACKGROUND}")
        notice = warmup_notice(self._recipe, training.config, training.n_steps)
        if notice is not None:
            say(notice)
        memory = training.step_memory()
        if memory is not None:
            say(str(memory))
        say(
            f"{'going on after step ' + str(done) if done else 'training'}: "
            f"{counted(training.n_steps, 'step')}, "
            f"seed {self._recipe.seed}, {training.info.device} -> {self._folder}"
        )
        self._bar.set_total(training.n_steps)

    def show(self, report: "Report") -> None:
        """Say what a step or an epoch came to."""
        from osscl.training.reports import EpochReport

        if isinstance(report, EpochReport):
            self._show_epoch(report)
        else:
            self._show_step(report)

    def _show_step(self, report: "StepReport") -> None:
        from osscl.training.timing import estimate

        left = self._training.n_steps - report.n_steps
        step_s = self._timing.after_step(report.n_steps) or self._first_guess()
        if step_s is not None and left:
            seconds = self._training.pace(step_s).seconds_for(left)
            say(estimate(seconds, left, datetime.now().astimezone()))
        self._bar.show(
            report.n_steps,
            f"epoch {report.epoch}, loss {report.loss:.3f}, {report.clips_per_s:.1f} clips/s",
        )

    def _first_guess(self) -> float | None:
        """Seconds of a step as soon as one was timed, once, where it would be long before more are."""
        step_s = self._timing.step_s
        if self._has_guessed or step_s is None:
            return None
        self._has_guessed = True
        return step_s if step_s > _LONG_STEP_S else None

    def _show_epoch(self, report: "EpochReport") -> None:
        from osscl.training.judging import early_warning

        say(_epoch_line(report, self._recipe.epochs, self._timing.left_s))
        self._n_saved = report.n_steps
        verdict = self._training.verdict
        assert verdict is not None, "an epoch is complete"
        doubt = early_warning(report.epoch, self._recipe.epochs, verdict)
        if doubt is not None:
            say(f"warning: {doubt}")


_NO_LOSS = 1e-4  # what rounding leaves of a loss that is not asked for


def _epoch_line(report: "EpochReport", n_epochs: int, left_s: float | None) -> str:
    left = "" if not left_s else f"; about {in_words(left_s)} left"
    of_features = report.loss - report.cross_entropy - report.contrastive  # by its weight
    features = f", features {of_features:.3f}" if of_features > _NO_LOSS else ""
    return (
        f"epoch {report.epoch}/{n_epochs}: loss {report.loss:.3f} "
        f"(cross-entropy {report.cross_entropy:.3f}, contrastive {report.contrastive:.3f}{features}), "
        f"accuracy {report.accuracy:.3f}, {report.clips_per_s:.1f} clips/s; averaged weights on hold-out: "
        f"loss {report.hold_out_loss:.3f}, accuracy {report.hold_out_accuracy:.3f}"
        f"{', best so far' if report.is_best else ''}{left}"
    )
