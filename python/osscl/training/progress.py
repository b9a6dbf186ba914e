"""How far a training has come, and how it did on the way."""

from typing import TypedDict

from msgspec.structs import replace

from osscl.config import Settings
from osscl.training.losses import Losses
from osscl.training.separation import Confusion
from osscl.training.step import HoldOut


class Means(TypedDict):
    """Means of one step or several, as reports name them."""

    loss: float
    cross_entropy: float
    contrastive: float
    accuracy: float
    clips_per_s: float


class Best(Settings, frozen=True, kw_only=True):
    """The averaged weights with the lowest hold-out loss so far.

    Attributes
    ----------
    epoch, n_steps : int
        After which epoch, counted from 0 (people are told `n_epochs`), and after how many steps in all.
    hold_out_loss : float
        Cross-entropy with the margin on the true class, mean over batches, nats.
    hold_out_accuracy : float
        Share of held-out clips nearest to their own class, in [0, 1].
    hold_out_margin : float or None
        Cosine to the own class less that to the best other one, mean over the clips; None where a checkpoint
        before ``osscl.checkpoint/4`` did not say it.
    confusion : tuple of tuple of int, [K][K]
        Held-out clips by true and nearest class; empty where that was not said.
    """

    epoch: int
    n_steps: int
    hold_out_loss: float
    hold_out_accuracy: float
    hold_out_margin: float | None = None
    confusion: Confusion = ()

    @property
    def n_epochs(self) -> int:
        """After how many epochs, the number by which the epoch goes on screen and in files."""
        return self.epoch + 1


class Sums(Settings, frozen=True, kw_only=True):
    """Sums over the steps of the epoch that is going on, for its means.

    Attributes
    ----------
    n_steps, n_clips, n_right : int
        Steps done, clips seen, and those nearest to their own class.
    loss, cross_entropy, contrastive : float
        Sums over the steps.
    seconds : float
        Time spent.
    """

    n_steps: int = 0
    n_clips: int = 0
    n_right: int = 0
    loss: float = 0.0
    cross_entropy: float = 0.0
    contrastive: float = 0.0
    seconds: float = 0.0

    def plus(self, losses: Losses, n_right: int, n_clips: int, seconds: float) -> "Sums":
        """Sums with one more step."""
        return Sums(
            n_steps=self.n_steps + 1,
            n_clips=self.n_clips + n_clips,
            n_right=self.n_right + n_right,
            loss=self.loss + losses.total.item(),
            cross_entropy=self.cross_entropy + losses.cross_entropy.item(),
            contrastive=self.contrastive + losses.contrastive.item(),
            seconds=self.seconds + seconds,
        )

    def means(self) -> Means:
        """Means over the steps, accuracy and rate over the clips."""
        return {
            "loss": self.loss / self.n_steps,
            "cross_entropy": self.cross_entropy / self.n_steps,
            "contrastive": self.contrastive / self.n_steps,
            "accuracy": self.n_right / self.n_clips,
            "clips_per_s": self.n_clips / self.seconds,
        }


class Progress(Settings, frozen=True, kw_only=True):
    """How far a training has come.

    Attributes
    ----------
    epoch : int
        Epochs completed.
    n_steps : int
        Optimiser steps done in all.
    sums : Sums
        Of the epoch that is going on.
    best : Best or None
        None before the first epoch is complete.
    """

    epoch: int = 0
    n_steps: int = 0
    sums: Sums = Sums()
    best: Best | None = None

    def after_step(self, sums: Sums) -> "Progress":
        """One step further."""
        return replace(self, n_steps=self.n_steps + 1, sums=sums)

    def is_best(self, hold_out: HoldOut) -> bool:
        """Whether a hold-out loss is lower than all before."""
        return self.best is None or hold_out.loss < self.best.hold_out_loss

    def after_epoch(self, hold_out: HoldOut) -> "Progress":
        """One epoch further, with its averaged weights remembered where they are the best."""
        best = self.best
        if self.is_best(hold_out):
            best = Best(
                epoch=self.epoch,
                n_steps=self.n_steps,
                hold_out_loss=hold_out.loss,
                hold_out_accuracy=hold_out.accuracy,
                hold_out_margin=hold_out.separation.margin,
                confusion=hold_out.separation.confusion,
            )
        return replace(self, epoch=self.epoch + 1, sums=Sums(), best=best)
