"""Learning curves in numbers of an SVG picture: loss, accuracy and learning rate over the steps."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from osscl.page.axis import Axis, Tick
from osscl.page.charts import Frame, line
from osscl.training.reports import EpochReport, Report, StepReport

FRAME = Frame(52, 30, 632, 140)
HEIGHT = 206
"""Of a picture of one chart, which is 700 wide."""
_N_COLUMNS = 300
"""Of a training with more steps than that, means of so many parts are drawn."""
_MARGIN = 0.05


class Curve(NamedTuple):
    """One curve: what it is called, how it looks ("steps" or "held"), and its SVG path."""

    name: str
    look: str
    path: str


class Chart(NamedTuple):
    """Curves over the steps.

    Attributes
    ----------
    title : str
        What is shown.
    frame : Frame
        Where.
    curves : list of Curve
        At least one.
    x_ticks, y_ticks : list of Tick
        Of the axes.
    level : (float, str) or None
        A line across, pixels from the top, and its name.
    """

    title: str
    frame: Frame
    curves: list[Curve]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    level: tuple[float, str] | None


class _Points(NamedTuple):
    """Steps and values of one curve."""

    name: str
    look: str
    steps: npt.NDArray[np.float64]
    values: npt.NDArray[np.float64]


def learning_curves(reports: Sequence[Report], chance: float) -> list[Chart]:
    """Draw how a training went.

    Parameters
    ----------
    reports : sequence of StepReport or EpochReport
        Of all steps so far, at least one, and of the epochs.
    chance : float
        Accuracy that chance alone gives, in [0, 1].

    Returns
    -------
    list of Chart
        Loss, accuracy, learning rate.
    """
    steps = [report for report in reports if isinstance(report, StepReport)]
    epochs = [report for report in reports if isinstance(report, EpochReport)]
    n_steps = max(report.n_steps for report in reports)
    loss = [
        _points("training, mixed clips, margin and contrastive loss", "steps", steps, "loss"),
        _points("hold-out, averaged weights", "held", epochs, "hold_out_loss"),
    ]
    accuracy = [
        _points("training, mixed clips", "steps", steps, "accuracy"),
        _points("hold-out, averaged weights", "held", epochs, "hold_out_accuracy"),
    ]
    power = math.floor(math.log10(max(report.learning_rate for report in reports)))
    rate = [_points("learning rate", "steps", steps, "learning_rate", 10.0**-power)]
    return [
        _chart("Loss, nats", loss, n_steps, _around(loss)),
        _chart("Accuracy", accuracy, n_steps, Axis(0.0, 1.0), (chance, "chance")),
        _chart(
            f"Learning rate, 1e{power}", rate, n_steps, Axis(0.0, (1 + _MARGIN) * float(rate[0].values.max()))
        ),
    ]


def _points(name: str, look: str, reports: Sequence[Report], field: str, scale: float = 1.0) -> _Points:
    steps = np.array([report.n_steps for report in reports], np.float64)
    values = scale * np.array([getattr(report, field) for report in reports], np.float64)
    if len(steps) > _N_COLUMNS:
        parts = np.array_split(np.arange(len(steps)), _N_COLUMNS)
        steps, values = (np.array([of[part].mean() for part in parts]) for of in (steps, values))
    return _Points(name, look, steps, values)


def _around(curves: Sequence[_Points]) -> Axis:
    values = np.concatenate([curve.values for curve in curves])
    low, high = float(values.min()), float(values.max())
    margin = _MARGIN * (high - low) or max(abs(high), 1.0) * _MARGIN
    return Axis(low - margin, high + margin)


def _chart(
    title: str, curves: Sequence[_Points], n_steps: int, y: Axis, level: tuple[float, str] | None = None
) -> Chart:
    x = Axis(0.0, float(n_steps))
    drawn = [
        Curve(each.name, each.look, line(FRAME.x(x.at(each.steps)), FRAME.y(y.at(each.values))))
        for each in curves
    ]
    across = None if level is None else (float(FRAME.y(y.at(level[0]))), level[1])
    whole = [tick for tick in x.ticks(6) if float(tick.text.replace(",", "")).is_integer()]
    return Chart(title, FRAME, drawn, whole, y.ticks(5), across)
