"""What ``osscl score`` says at the end: what was not scored or decided, why, and what was flagged."""

from collections.abc import Iterable

from osscl.cli.advice import advise
from osscl.cli.messages import say
from osscl.cli.options import BY_DEFAULT, DecisionOptions
from osscl.machines.labels import MachineNames
from osscl.runs.tally import Tally
from osscl.scoring.judges import Judges
from osscl.scoring.left_out import LeftOut


def say_the_rest(
    met: Iterable[str],
    left_out: LeftOut,
    judges: Judges,
    clip_s: float,
    decide: DecisionOptions,
    tally: Tally,
) -> None:
    """Say what was met and not scored or decided, and what was flagged."""
    may_decide = decide != BY_DEFAULT or judges.can_decide
    for note in (
        *met,
        *left_out.notes(clip_s, "--hop", "--pad repeat|zero"),
        *(judges.notes() if may_decide else ()),
    ):
        say(note)
    if tally.n_decided:
        say(tally.flagged())


def say_why_unscored(tally: Tally, paths: list[str], names: MachineNames) -> None:
    """Say the reason of the first file of each kind without a score, and what mends many of them."""
    for line in tally.failures():
        say(line)
    advise(tally.counts, paths, names)
