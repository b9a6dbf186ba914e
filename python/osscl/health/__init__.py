"""The state of an installation: what is there, what is missing, what is broken."""

from osscl.health.finding import Finding
from osscl.health.gpus import check_gpus
from osscl.health.packages import check_packages

__all__ = ["Finding", "check_health"]


def check_health() -> list[Finding]:
    """Check the packages, the native front end, the runtimes and the GPUs of this installation.

    Returns
    -------
    list of Finding
        In a fixed order.
    """
    return [*check_packages(), *check_gpus()]
