"""What `osscl train` says at the end: figures, what is confused, and the verdict as its last word."""

from typing import TYPE_CHECKING, Any

from osscl.cli.console import print_facts
from osscl.cli.messages import say
from osscl.support.paths import printable

if TYPE_CHECKING:
    from osscl.training import Outcome


def print_result(outcomes: "list[Outcome]", summary: dict[str, Any]) -> None:
    """Print what came out of the trainings of one network on stdout."""
    for outcome in outcomes:
        assert outcome.best is not None, "a complete training has a best epoch"
        print_facts(
            {
                "seed": outcome.seed,
                "weights": f"{outcome.weights} (averaged, after epoch {outcome.best.n_epochs})",
                "hold-out loss": f"{outcome.best.hold_out_loss:.4f}",
                "hold-out accuracy": f"{outcome.best.hold_out_accuracy:.4f}",
                **_confusions(outcome),
                "page": outcome.page,
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


def say_verdicts(outcomes: "list[Outcome]", n_clips: int, *, of_several: bool) -> None:
    """Say on stderr what the clips held out say of each training of a network, of so many clips in all."""
    from osscl.training.judging import advised

    for outcome in outcomes:
        assert outcome.verdict is not None, "a complete training has a verdict"
        beginning = "" if outcome.verdict.word == "learned" else "warning: "
        which = f"{printable(outcome.folder)}: " if of_several else ""
        say(f"{beginning}{which}{advised(outcome.verdict, n_clips)}")


def _confusions(outcome: "Outcome") -> dict[str, str]:
    from osscl.training.separation import most_confused

    assert outcome.best is not None, "a complete training has a best epoch"
    pairs = most_confused(outcome.classes, outcome.best.confusion)
    return {"most confused": "\n".join(map(str, pairs))} if pairs else {}
