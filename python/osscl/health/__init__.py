"""The state of an installation: what is there, what is missing, what is broken.

No check may need what another one checks: each imports what it looks into, and fails alone.
"""

from osscl.health.finding import Check, Finding, findings_of
from osscl.health.gpus import GPU_CHECKS
from osscl.health.packages import PACKAGE_CHECKS

__all__ = ["Finding", "check_health"]

_CHECKS: dict[str, Check] = {**PACKAGE_CHECKS, **GPU_CHECKS}


def check_health() -> list[Finding]:
    """Check the packages, the native front end, the runtimes and the GPUs of this installation.

    Returns
    -------
    list of Finding
        In a fixed order.
    """
    return [finding for what, check in _CHECKS.items() for finding in findings_of(what, check)]
