"""What `osscl train` says of steps and epochs, and of what came out."""

from typing import TYPE_CHECKING, Any

from osscl.cli.console import as_json, print_facts
from osscl.cli.messages import emit

if TYPE_CHECKING:
    from osscl.training import Outcome
    from osscl.training.reports import EpochReport, StepReport


def step_note(report: "StepReport") -> str:
    """What stands beside the bar."""
    return f"epoch {report.epoch + 1}, loss {report.loss:.3f}, {report.clips_per_s:.1f} clips/s"


def epoch_line(report: "EpochReport", n_epochs: int) -> str:
    """One epoch in a line."""
    return (
        f"epoch {report.epoch + 1}/{n_epochs}: loss {report.loss:.3f} "
        f"(cross-entropy {report.cross_entropy:.3f}, contrastive {report.contrastive:.3f}), "
        f"accuracy {report.accuracy:.3f}, {report.clips_per_s:.1f} clips/s; averaged weights on hold-out: "
        f"loss {report.hold_out_loss:.3f}, accuracy {report.hold_out_accuracy:.3f}"
        f"{', best so far' if report.is_best else ''}"
    )


def print_result(outcomes: "list[Outcome]", summary: dict[str, Any], json: bool) -> None:
    """Print what came out of trainings on stdout."""
    if json:
        emit(as_json(summary))
        return
    for outcome in outcomes:
        assert outcome.best is not None, "a complete training has a best epoch"
        print_facts(
            {
                "seed": outcome.seed,
                "weights": f"{outcome.weights} (averaged, after epoch {outcome.best.epoch + 1})",
                "hold-out loss": f"{outcome.best.hold_out_loss:.4f}",
                "hold-out accuracy": f"{outcome.best.hold_out_accuracy:.4f}",
            }
        )
    if len(outcomes) > 1:
        print_facts(
            {
                f"{name.replace('_', ' ')}, {len(outcomes)} seeds": f"mean {figures['mean']:.4f}, "
                f"standard deviation {figures['spread']:.4f}"
                for name, figures in summary.items()
                if isinstance(figures, dict)
            }
        )
