"""What a training tells while it runs, and where that is kept: JSON lines, and TensorBoard if installed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from osscl.errors import OutputError
from osscl.support.atomic import write_atomically

METRICS_FILE = "metrics.jsonl"


class StepReport(msgspec.Struct, frozen=True, kw_only=True, tag="step", tag_field="kind"):
    """One step, of the live weights.

    Attributes
    ----------
    epoch, step : int
        Counted from 1, the step within its epoch.
    n_steps : int
        Steps done in all, this one included.
    learning_rate : float
        Of this step.
    loss, cross_entropy, contrastive : float
        Before the step, nats.
    accuracy : float
        Share of the batch's clips, mixed as they are, that lie nearest to their own class.
    clips_per_s : float
        Rate of this step, waiting for clips included.
    """

    epoch: int
    step: int
    n_steps: int
    learning_rate: float
    loss: float
    cross_entropy: float
    contrastive: float
    accuracy: float
    clips_per_s: float


class EpochReport(msgspec.Struct, frozen=True, kw_only=True, tag="epoch", tag_field="kind"):
    """One epoch: means over its steps, and the averaged weights on the clips held out.

    Attributes
    ----------
    epoch : int
        Counted from 1.
    n_steps : int
        Steps done in all.
    learning_rate, loss, cross_entropy, contrastive, accuracy, clips_per_s : float
        As in `StepReport`.
    weights : {"ema"}
        Weights that the following figures speak of.
    hold_out_loss, hold_out_accuracy : float
        See `osscl.training.step.HoldOut`.
    hold_out_margin : float or None
        See `osscl.training.separation.Separation`; None in files of osscl before it was told.
    initialisation_left : float
        Share of the averaged weights that is still the initialisation.
    is_best : bool
        Whether the hold-out loss is the lowest so far.
    """

    epoch: int
    n_steps: int
    learning_rate: float
    loss: float
    cross_entropy: float
    contrastive: float
    accuracy: float
    clips_per_s: float
    weights: Literal["ema"] = "ema"
    hold_out_loss: float
    hold_out_accuracy: float
    hold_out_margin: float | None = None
    initialisation_left: float
    is_best: bool


Report: TypeAlias = StepReport | EpochReport
Listener: TypeAlias = Callable[[Report], None]


class MetricsLog:
    """All reports of a training, one line of JSON each.

    Parameters
    ----------
    folder : Path
        Folder of the training.
    n_steps : int
        Steps that the training has done; lines beyond, of steps that were lost, are dropped.

    Raises
    ------
    OutputError
        The file cannot be written.
    """

    def __init__(self, folder: Path, n_steps: int) -> None:
        path = folder / METRICS_FILE
        try:
            write_atomically(path, _lines_up_to(path, n_steps) if n_steps else [])
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise OutputError(f"{path}: the metrics cannot be written: {error.strerror}") from error

    def __call__(self, report: Report) -> None:
        try:
            self._file.write(msgspec.json.encode(report) + b"\n")
        except OSError as error:
            raise OutputError(
                f"{self._file.name}: the metrics cannot be written: {error.strerror}"
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class TensorBoardLog:
    """All reports of a training as TensorBoard's scalars.

    Parameters
    ----------
    writer : SummaryWriter
        Of `torch.utils.tensorboard`.
    """

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def __call__(self, report: Report) -> None:
        kind = "step" if isinstance(report, StepReport) else "epoch"
        for name, value in msgspec.structs.asdict(report).items():
            if isinstance(value, float):
                self._writer.add_scalar(f"{kind}/{name}", value, report.n_steps)

    def close(self) -> None:
        """Close the file."""
        self._writer.close()


def open_logs(folder: Path, n_steps: int) -> list[MetricsLog | TensorBoardLog]:
    """Open the metrics file, and TensorBoard's where that package is installed.

    Parameters
    ----------
    folder : Path
        Folder of the training.
    n_steps : int
        Steps done so far.

    Returns
    -------
    list of MetricsLog or TensorBoardLog
        Listeners, to be closed.
    """
    logs: list[MetricsLog | TensorBoardLog] = [MetricsLog(folder, n_steps)]
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return logs
    writer = SummaryWriter(str(folder / "tensorboard"), purge_step=n_steps + 1 if n_steps else None)
    return [*logs, TensorBoardLog(writer)]


def read_reports(folder: Path) -> list[Report]:
    """Read what a training told.

    Parameters
    ----------
    folder : Path
        Folder of the training.

    Returns
    -------
    list of StepReport or EpochReport
        In their order.
    """
    lines = (folder / METRICS_FILE).read_bytes().splitlines()
    return _counted_from_one([msgspec.json.decode(line, type=Report) for line in lines])


def _lines_up_to(path: Path, n_steps: int) -> list[bytes]:
    lines = path.read_bytes().splitlines() if path.exists() else []
    kept: list[Report] = []
    for line in lines:
        try:
            report = msgspec.json.decode(line, type=Report)
        except msgspec.MsgspecError:  # a line that a crash cut off
            break
        if report.n_steps > n_steps:
            break
        kept.append(report)
    return [msgspec.json.encode(report) + b"\n" for report in _counted_from_one(kept)]


def _counted_from_one(reports: list[Report]) -> list[Report]:
    """Reports as they are told now, where an earlier osscl, which counted from 0, wrote them."""
    if not reports or reports[0].epoch > 0:
        return reports
    return [
        replace(each, epoch=each.epoch + 1, step=each.step + 1)
        if isinstance(each, StepReport)
        else replace(each, epoch=each.epoch + 1)
        for each in reports
    ]
