"""Whether a network learned to tell its classes apart, as its training's held-out clips say it."""

from typing import Annotated, Literal, TypeAlias

import msgspec

from osscl.config import Settings
from osscl.support.plurals import plural

Word: TypeAlias = Literal["learned", "partly", "nothing", "cannot_tell"]
_Share: TypeAlias = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
_Margin: TypeAlias = Annotated[float, msgspec.Meta(ge=-2.0, le=2.0)]

_BEGINNINGS: dict[Word, str] = {
    "learned": "the network learned to tell its classes apart",
    "partly": "the network learned only in part to tell its classes apart",
    "nothing": "the network learned nothing",
    "cannot_tell": "whether the network learned anything cannot be told",
}


class Verdict(Settings, frozen=True, kw_only=True):
    """What held-out clips say of a network.

    Attributes
    ----------
    word : {"learned", "partly", "nothing", "cannot_tell"}
        The verdict, see `osscl.training.judging`.
    n_clips, n_right : int
        Clips held out, and those of them that lie nearest to their own class.
    n_classes : int
        Classes to choose from.
    chance : float
        Accuracy of a network that names the most frequent class each time, in [0, 1].
    low, high : float
        Exact bounds of the accuracy, each with 95 % confidence, in [0, 1].
    margin : float or None
        Cosine to the own class less that to the best other one, mean over the clips, in [-2, 2]; None where
        that is not known.
    """

    word: Word
    n_clips: Annotated[int, msgspec.Meta(ge=1)]
    n_right: Annotated[int, msgspec.Meta(ge=0)]
    n_classes: Annotated[int, msgspec.Meta(ge=1)]
    chance: _Share
    low: _Share
    high: _Share
    margin: _Margin | None = None

    @property
    def accuracy(self) -> float:
        """Share of the held-out clips that lie nearest to their own class, in [0, 1]."""
        return self.n_right / self.n_clips

    def __str__(self) -> str:
        return (
            f"{_BEGINNINGS[self.word]}: {self.n_right} of {self.n_clips} held-out "
            f"{plural(self.n_clips, 'clip')} lie nearest to their "
            f"own class of {self.n_classes} (accuracy {self.accuracy:.3f}, {self.low:.3f} to "
            f"{self.high:.3f} by an exact bound; chance {self.chance:.3f})"
        )


def contradiction_in(verdict: Verdict) -> str | None:
    """Say in what a verdict contradicts itself; None where it does not."""
    if verdict.n_right > verdict.n_clips:
        return f"{verdict.n_right} of {verdict.n_clips} held-out {plural(verdict.n_clips, 'clip')} are right"
    if not verdict.low <= verdict.accuracy <= verdict.high:
        return f"an accuracy of {verdict.accuracy:.6g} lies outside {verdict.low:.6g} to {verdict.high:.6g}"
    return None
