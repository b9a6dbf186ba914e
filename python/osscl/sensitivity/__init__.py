"""Detection limits, before any fault was ever seen: from which size on changes of the sound are found."""

from osscl.sensitivity.measuring import measure_limits
from osscl.sensitivity.options import SensitivityOptions
from osscl.sensitivity.report import SensitivityReport

__all__ = ["SensitivityOptions", "SensitivityReport", "measure_limits"]
