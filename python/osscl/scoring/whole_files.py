"""A recording that was cut into windows, summed up behind them: largest score, mean and a quantile."""

from array import array
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from osscl.scoring.record import FILE_SCOPES, SCORED_STATUSES, Record, short_float
from osscl.support.plurals import counted

QUANTILE = 0.95
"""Which quantile of the windows' scores ``file_q95`` is, interpolated between the two scores around it."""
_OF_ONE_WINDOW = ("z_level", "z_modulation", "z_flutter", "z_event", "quality")


class FileEnd(NamedTuple):
    """What is known of a recording once all its windows were read.

    Attributes
    ----------
    record : Record
        Its line as it was before it was read, with its sample rate.
    duration_s : float
        Length of the whole recording.
    left_out_s : float
        Seconds at its end that lie in no window.
    n_windows : int
        Windows that a recording of this length has; where it is damaged, those behind the damage too.
    """

    record: Record
    duration_s: float
    left_out_s: float
    n_windows: int


class ScoresOf(NamedTuple):
    """What the windows of a recording come to: those with sound, if there is one.

    Attributes
    ----------
    max, mean, q95 : float
        Largest score, mean, and 95 % quantile, in float64.
    """

    max: float
    mean: float
    q95: float

    @classmethod
    def of(cls, scores: npt.NDArray[np.floating[Any]], is_silent: npt.NDArray[np.bool_]) -> "ScoresOf":
        """Sum up the scores of at least one window [W], of which some may be silent [W]."""
        written = scores.astype(np.float64)
        if not is_silent.all():  # what a dead microphone scores says nothing of the machine
            written = written[~is_silent]
        return cls(float(written.max()), float(written.mean()), float(np.quantile(written, QUANTILE)))


class WholeFile:
    """Takes the lines of the windows of one recording, and gives those of the recording; then of the next."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._scores = array("f")  # 5 bytes a window, however long the recording is
        self._is_silent = array("b")
        self._highest: Record | None = None
        self._first_silent: Record | None = None
        self._first_failed: Record | None = None

    def add(self, window: Record) -> None:
        """Take the line of a window, in order."""
        if window.status not in SCORED_STATUSES or window.score is None:
            self._first_failed = self._first_failed or window
            return
        is_silent = window.status == "silent"
        self._scores.append(window.score)
        self._is_silent.append(is_silent)
        if is_silent:
            self._first_silent = self._first_silent or window
        if self._highest is None or _rank(window) > _rank(self._highest):
            self._highest = window

    def lines(self, end: FileEnd) -> Iterator[Record]:
        """Give the lines of the recording, and begin with the next one.

        Nothing is decided of them: the largest of many scores is larger than the score of one normal clip,
        which all that is decided by speaks of.
        """
        base = replace(end.record, start_s=None, duration_s=end.duration_s, reason=self._reason(end))
        if self._highest is None:
            status = "no_score" if self._first_failed is None else self._first_failed.status
            lines = [replace(base, status=status, scope=scope) for scope in FILE_SCOPES]
        else:
            base = replace(base, status=self._highest.status, rule=self._highest.rule)
            scores = ScoresOf.of(np.asarray(self._scores), np.asarray(self._is_silent, bool))
            lines = [
                replace(base, score=short_float(score), scope=scope)
                for scope, score in zip(FILE_SCOPES, scores, strict=True)
            ]
            of_window = {name: getattr(self._highest, name) for name in _OF_ONE_WINDOW}
            lines[0] = replace(lines[0], **of_window)
        self._begin()
        yield from lines

    def _reason(self, end: FileEnd) -> str | None:
        reasons = []
        if (failed := self._first_failed) is not None:
            reasons.append(
                f"{end.n_windows - len(self._scores)} of {counted(end.n_windows, 'window')} could not be "
                f"scored, the first of them at {failed.start_s or 0.0:g} s: {failed.reason}"
            )
        if (silent := self._first_silent) is not None:
            n_silent = sum(self._is_silent)
            if n_silent < len(self._scores):
                reasons.append(
                    f"{n_silent} of {counted(end.n_windows, 'window')} {'is' if n_silent == 1 else 'are'} "
                    f"silent and left out of this score, the first of them at {silent.start_s or 0.0:g} s: "
                    f"{silent.reason}"
                )
            elif failed is None:
                reasons.append(f"all windows are silent: {silent.reason}")
        return "; ".join(reasons) or None


def _rank(window: Record) -> tuple[bool, float]:
    """What makes a window the one that stands for its recording: sound, then its score."""
    return window.status != "silent", window.score or 0.0
