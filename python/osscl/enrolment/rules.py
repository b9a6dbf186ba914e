"""Which score decides of a machine once it is enrolled."""

from collections.abc import Collection, Mapping

from osscl.enrolment.options import EnrolledRule
from osscl.model_file.decisions import Rule

DEFAULT_RULE_OF_KNOWN: Rule = "memory"
"""For machines that the network knows, too."""


def rule_once_enrolled(
    machine: str,
    classes: Collection[str],
    rules: Mapping[str, Rule],
    made: EnrolledRule = "memory",
    *,
    is_new: bool = True,
) -> Rule:
    """Choose the rule of a machine that got a memory, or another one.

    Parameters
    ----------
    machine : str
        Which machine.
    classes : collection of str
        Machines that the network knows.
    rules : mapping of str to Rule
        Rules so far.
    made : {"memory", "embedding"}
        The kind of the memory.
    is_new : bool
        Whether it was made new, not added to or cut.

    Returns
    -------
    {"network", "memory", "both", "embedding"}
        A new memory of embeddings decides: whoever makes one has asked for that rule. Else as before; but
        for a machine that had none or was decided by both, whose calibration another memory of features makes
        worthless.
    """
    before = rules.get(machine)
    if made == "embedding":
        return "embedding" if is_new or before is None else before
    if before in ("network", "memory", "embedding"):
        return before
    return DEFAULT_RULE_OF_KNOWN if machine in classes and before is None else "memory"
