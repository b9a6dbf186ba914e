"""What a machine's calibration says of the network's score, as judges take it."""

from osscl.decisions import RobustScale
from osscl.model_file.decisions import Calibration, Rule, StoredDecisions
from osscl.model_file.manifest import Precision


def calibration_for(
    held: StoredDecisions, machine: str, rule: Rule, precision: Precision | None
) -> tuple[Calibration | None, str | None]:
    """Find the calibration that holds for what computes the network.

    Parameters
    ----------
    held : StoredDecisions
        What the model file holds to decide by.
    machine : str
        Which machine.
    rule : {"network", "both"}
        Its rule.
    precision : str or None
        The network's arithmetic.

    Returns
    -------
    calibration : Calibration or None
        The one that holds.
    reason : str or None
        Why there is none.
    """
    found = held.calibration_of(machine, rule)
    why = why_uncalibrated(found, precision)
    return (found, None) if why is None else (None, why)


def why_uncalibrated(found: Calibration | None, precision: Precision | None) -> str | None:
    """Say why a calibration does not hold for what computes the network.

    Parameters
    ----------
    found : Calibration or None
        Of a machine and its rule, where the model file holds one.
    precision : str or None
        The network's arithmetic.

    Returns
    -------
    str or None
        One sentence; None where it holds.
    """
    if found is None:
        return "it is not calibrated: osscl calibrate on normal recordings that were not trained on"
    if found.precision != precision:
        return f"it was calibrated in {found.precision} and the model is {precision}: calibrate it again"
    return None


def network_scale_of(held: StoredDecisions, machine: str) -> RobustScale:
    """Scale of the network's score for the rule both; of another precision it still gives scores.

    Parameters
    ----------
    held : StoredDecisions
        What the model file holds to decide by.
    machine : str
        One that is calibrated for the rule both.

    Returns
    -------
    RobustScale
        Of the logarithm of the score.
    """
    found = held.calibration_of(machine, "both")
    assert found is not None, "`JudgeMaker.lacking` tells"
    assert found.log_median is not None
    assert found.log_mad is not None
    return RobustScale(found.log_median, found.log_mad)
