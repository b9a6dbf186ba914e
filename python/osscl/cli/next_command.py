"""The command that most people run next, said at the end of one that made something."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from osscl.cli.messages import say
from osscl.support.paths import printable

if TYPE_CHECKING:
    from osscl.training import Outcome


def say_next(*words: str | Path) -> None:
    """Say on stderr how to go on, as a line that a shell takes."""
    say(f"next: {shlex.join(printable(word) for word in words)}")


def say_network_takes_no_part() -> None:
    """Say on stderr that memories of features decide beside a network, which was trained for that."""
    say(
        "it decides by memory, and the network takes no part in that: osscl enroll --rule embedding makes "
        "memories of what the network hears"
    )


def say_next_of_training(outcomes: "list[Outcome]", *, of_several: bool) -> None:
    """Say how to go on with one network: of several seeds with the one of the lowest hold-out loss."""
    best = min(outcomes, key=lambda each: each.best.hold_out_loss if each.best else float("inf"))
    assert best.verdict is not None, "a complete training has a verdict"
    if best.verdict.word != "nothing":  # what to do then, the verdict says
        name = f"{best.folder.name}.onnx" if of_several else "model.onnx"
        say_next("osscl-export", best.weights, "--output", name)
