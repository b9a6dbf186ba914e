"""Which score decides of a machine once it is enrolled."""

from collections.abc import Collection, Mapping

from osscl.model_file.decisions import Rule

DEFAULT_RULE_OF_KNOWN: Rule = "memory"
"""For machines that the network knows, too."""


def rule_once_enrolled(machine: str, classes: Collection[str], rules: Mapping[str, Rule]) -> Rule:
    """Choose the rule of a machine that got a memory, or another one.

    Parameters
    ----------
    machine : str
        Which machine.
    classes : collection of str
        Machines that the network knows.
    rules : mapping of str to Rule
        Rules so far.

    Returns
    -------
    {"network", "memory"}
        As before; but for a machine that had none or was decided by both, whose calibration another memory
        makes worthless.
    """
    before = rules.get(machine)
    if before in ("network", "memory"):
        return before
    return DEFAULT_RULE_OF_KNOWN if machine in classes and before is None else "memory"
