"""Charts as the page draws them: histogram, timeline and ROC, in numbers of an SVG picture."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from osscl.page.axis import Axis, Tick, TimeAxis, common_times, score_axis
from osscl.page.scored import MachineScores

N_BINS = 40
N_COLUMNS = 400
"""Of a timeline with more clips than that, the range of each of so many parts is drawn."""
ROC_POINTS = 400

Pixels = npt.NDArray[np.float64]


class Frame(NamedTuple):
    """The part of a picture that an axis spans: pixels from the left and from the top."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.top + self.height

    def x(self, at: npt.ArrayLike) -> Pixels:
        """Pixels of places along the horizontal axis, from 0 to 1."""
        return self.left + np.asarray(at, np.float64) * self.width

    def y(self, at: npt.ArrayLike) -> Pixels:
        """Pixels of places along the vertical axis, from 0 at the bottom to 1 at the top."""
        return self.bottom - np.asarray(at, np.float64) * self.height


class Bar(NamedTuple):
    """A bar of a histogram: pixels, and what stands in it."""

    x: float
    y: float
    width: float
    height: float
    is_flagged: bool
    text: str


class Histogram(NamedTuple):
    """How many clips have which score."""

    frame: Frame
    bars: list[Bar]
    threshold_x: float | None
    x_ticks: list[Tick]
    most: int


class Span(NamedTuple):
    """A part of a timeline that is marked, pixels."""

    x: float
    width: float
    text: str


class Timeline(NamedTuple):
    """Scores of one machine over time or clip number.

    Attributes
    ----------
    frame : Frame
        Where.
    unflagged, flagged : str
        SVG paths of single clips, dots of no length; empty where ranges are drawn.
    ranges, flagged_ranges : str
        SVG paths of the ranges of many clips.
    threshold_y : float or None
        Where clips are flagged.
    x_ticks, y_ticks : list of Tick
        Of the axes.
    x_name : str
        What the horizontal axis is.
    drift : Span or None
        Since when the machine is no longer like its calibration.
    alarms : list of Span
        While alarms stood.
    """

    frame: Frame
    unflagged: str
    flagged: str
    ranges: str
    flagged_ranges: str
    threshold_y: float | None
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    x_name: str
    drift: Span | None
    alarms: list[Span]


class Roc(NamedTuple):
    """Detections over false alarms.

    Attributes
    ----------
    frame : Frame
        Where.
    curve : str
        SVG path.
    partial : str
        SVG path of the area up to `max_fpr`.
    here : tuple of (float, float) or None
        Pixels of what was decided.
    """

    frame: Frame
    curve: str
    partial: str
    here: tuple[float, float] | None


HISTOGRAM_FRAME = Frame(34, 12, 376, 150)
TIMELINE_FRAME = Frame(48, 16, 588, 160)
SPARK_FRAME = Frame(1, 3, 158, 26)
ROC_FRAME = Frame(34, 12, 166, 150)


def histogram(scores: MachineScores) -> Histogram:
    """Count the clips of a machine by score.

    Parameters
    ----------
    scores : MachineScores
        At least one clip.

    Returns
    -------
    Histogram
        Bars whose edges meet the threshold, so that each is flagged or not.
    """
    axis, frame = score_axis(scores.score, scores.threshold), HISTOGRAM_FRAME
    edges = axis.edges(N_BINS)
    if scores.threshold is not None:
        edges[np.abs(edges[1:-1] - scores.threshold).argmin() + 1] = scores.threshold
    counts, _ = np.histogram(scores.score, edges)
    x, most = frame.x(axis.at(edges)), int(counts.max())
    bars = []
    for bin_, count in enumerate(counts):
        if count:
            height = max(1.5, frame.height * count / most)
            is_flagged = scores.threshold is not None and edges[bin_] >= scores.threshold
            text = f"{count} {'clip' if count == 1 else 'clips'} from {edges[bin_]:.3g} to {edges[bin_ + 1]:.3g}"
            bars.append(
                Bar(x[bin_], frame.bottom - height, max(1.0, x[bin_ + 1] - x[bin_] - 1), height, is_flagged, text)
            )
    threshold_x = None if scores.threshold is None else float(frame.x(axis.at(scores.threshold)))
    return Histogram(frame, bars, threshold_x, axis.ticks(5), most)


class Marks(NamedTuple):
    """What a timeline shows besides scores, in clips of the machine in the order of time.

    Attributes
    ----------
    drift_from : int or None
        First clip that is no longer like the calibration.
    alarms : sequence of (int, int or None)
        Clips at which alarms were raised and released.
    """

    drift_from: int | None = None
    alarms: Sequence[tuple[int, int | None]] = ()


def timeline(
    scores: MachineScores,
    order: npt.NDArray[np.intp],
    times: Sequence[str | None],
    marks: Marks,
    frame: Frame = TIMELINE_FRAME,
) -> Timeline:
    """Draw the scores of a machine over time.

    Parameters
    ----------
    scores : MachineScores
        At least one clip.
    order : ndarray of int, [n]
        Its clips in the order of time.
    times : sequence of (str or None), [n]
        When they were recorded, in that order.
    marks : Marks
        What is shown besides.
    frame : Frame
        Where.

    Returns
    -------
    Timeline
        Over time where all times are known, else over clip numbers.
    """
    axis = score_axis(scores.score, scores.threshold)
    read = common_times(times)
    if read is None:
        clips = Axis(0.5, len(order) + 0.5)
        at_x, x_ticks, x_name = clips.at(np.arange(len(order)) + 1), _whole(clips), "clip number"
    else:
        of_time = TimeAxis(min(read), max(read))
        at_x, x_ticks, x_name = of_time.at(read), of_time.ticks(), _time_name(of_time)
    x, y = frame.x(at_x), frame.y(axis.at(scores.score[order]))
    flagged = scores.flagged[order]
    is_dense = len(order) > N_COLUMNS
    drawn = _ranges if is_dense else _dots
    paths = drawn(x[~flagged], y[~flagged], frame), drawn(x[flagged], y[flagged], frame)
    dots, ranges = (("", ""), paths) if is_dense else (paths, ("", ""))
    return Timeline(
        frame,
        *dots,
        *ranges,
        None if scores.threshold is None else float(frame.y(axis.at(scores.threshold))),
        x_ticks,
        axis.ticks(6),
        x_name,
        None if marks.drift_from is None else _span(x, marks.drift_from, None, frame, "drift"),
        [_span(x, begin, end, frame, "alarm") for begin, end in marks.alarms],
    )


def roc(
    is_anomaly: npt.NDArray[np.bool_], score: npt.NDArray[np.float64], flagged: npt.NDArray[np.bool_] | None,
    max_fpr: float,
) -> Roc:  # fmt: skip
    """Draw the ROC curve of clips whose truth is known.

    Parameters
    ----------
    is_anomaly : ndarray of bool, [n]
        The truth; both must occur.
    score : ndarray of float64, [n]
        Their scores.
    flagged : ndarray of bool, [n], or None
        What was decided.
    max_fpr : float
        Where the partial area ends.

    Returns
    -------
    Roc
        The curve.
    """
    frame = ROC_FRAME
    order = np.argsort(-score, kind="stable")
    last = np.flatnonzero(np.diff(score[order], append=np.nan))  # equal scores pass a threshold together
    tpr = np.append(0.0, np.cumsum(is_anomaly[order])[last] / is_anomaly.sum())
    fpr = np.append(0.0, np.cumsum(~is_anomaly[order])[last] / (~is_anomaly).sum())
    if len(fpr) > ROC_POINTS:
        kept = np.unique(np.linspace(0, len(fpr) - 1, ROC_POINTS).round().astype(int))
        fpr, tpr = fpr[kept], tpr[kept]
    inside = fpr <= max_fpr
    corner = np.interp(max_fpr, fpr, tpr)
    area_x = np.concatenate([fpr[inside], [max_fpr, max_fpr, 0.0]])
    area_y = np.concatenate([tpr[inside], [corner, 0.0, 0.0]])
    here = None
    if flagged is not None:
        rates = flagged[~is_anomaly].mean(), flagged[is_anomaly].mean()
        here = float(frame.x(rates[0])), float(frame.y(rates[1]))
    return Roc(frame, line(frame.x(fpr), frame.y(tpr)), line(frame.x(area_x), frame.y(area_y)) + "Z", here)


def line(x: Pixels, y: Pixels) -> str:
    """An SVG path from point to point."""
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True)) if len(x) else ""


def _dots(x: Pixels, y: Pixels, _: Frame) -> str:
    return "".join(f"M{a:.1f} {b:.1f}h0" for a, b in zip(x, y, strict=True))


def _ranges(x: Pixels, y: Pixels, frame: Frame) -> str:
    """A line from the lowest to the highest of each column's clips."""
    if not len(x):
        return ""
    columns = np.minimum((x - frame.left) / frame.width * N_COLUMNS, N_COLUMNS - 1).astype(int)
    order = np.argsort(columns, kind="stable")
    starts = np.flatnonzero(np.diff(columns[order], prepend=-1))
    high, low = np.minimum.reduceat(y[order], starts), np.maximum.reduceat(y[order], starts)
    at = frame.left + (columns[order][starts] + 0.5) * frame.width / N_COLUMNS
    return "".join(f"M{a:.1f} {b:.1f}V{c:.1f}" for a, b, c in zip(at, low, high, strict=True))


def _span(x: Pixels, begin: int, end: int | None, frame: Frame, what: str) -> Span:
    begin = min(begin, len(x) - 1)
    right = frame.right if end is None else float(x[min(end, len(x) - 1)])
    return Span(float(x[begin]), max(2.0, right - float(x[begin])), what)


def _whole(clips: Axis) -> list[Tick]:
    return [tick for tick in clips.ticks(6) if float(tick.text.replace(",", "")).is_integer()]


def _time_name(axis: TimeAxis) -> str:
    is_one_day = axis.first.date() == axis.last.date()
    name = f"time on {axis.first:%Y-%m-%d}" if is_one_day else "time"
    return name if axis.first.tzinfo is None else f"{name} ({axis.first.tzname()})"
