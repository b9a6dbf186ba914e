"""The same clips scored by each rule: which rules a model file can score by, and whose line counts."""

from collections.abc import Iterator, Mapping, Sequence

from osscl.errors import ConfigError, ModelFileError
from osscl.model_file.decisions import Rule
from osscl.model_file.manifest import Manifest
from osscl.scoring.judges import RULES, Judges
from osscl.scoring.record import Record


def rules_of(manifest: Manifest) -> Iterator[Rule]:
    """Find the rules by which at least one machine can be scored.

    Parameters
    ----------
    manifest : Manifest
        Of a model file.

    Yields
    ------
    str
        A rule.
    """
    for rule in RULES:
        try:
            judges = Judges(manifest, rule)
        except (ConfigError, ModelFileError):  # no memory at all, or no network
            continue
        if any(judges.lacking(machine) is None for machine in judges.machines):
            yield rule


def own_lines(by_rule: Mapping[str, Sequence[Record]], manifest: Manifest) -> Iterator[Record]:
    """Choose of each clip's lines the one by the rule that the model file names for its machine.

    Parameters
    ----------
    by_rule : mapping of str to sequence of Record
        The same clips, in the same order, by each rule of `rules_of`.
    manifest : Manifest
        Of the model file.

    Yields
    ------
    Record
        A line a clip.
    """
    judges = Judges(manifest)
    for lines in zip(*by_rule.values(), strict=True):
        line_of = dict(zip(by_rule, lines, strict=True))
        machine = lines[0].machine
        yield lines[0] if machine is None else line_of[judges.rule_of(machine)]
