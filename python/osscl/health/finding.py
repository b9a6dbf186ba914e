"""One thing that was checked, and what to do about it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from osscl.errors import OssclError
from osscl.support.failed_import import failed_import


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked.

    Attributes
    ----------
    what : str
        The thing.
    state : {"ok", "missing", "broken"}
        Whether it works; "missing" is no fault, unless its use is wanted.
    found : str
        What was found.
    remedy : str or None
        What to do, where there is something to do.
    """

    what: str
    state: Literal["ok", "missing", "broken"]
    found: str
    remedy: str | None = None


Check: TypeAlias = Callable[[], Iterable[Finding]]


def findings_of(what: str, check: Check) -> list[Finding]:
    """Run a check; one that fails itself is a finding too, and takes none of the others with it.

    Parameters
    ----------
    what : str
        What it checks.
    check : callable
        Gives its findings.

    Returns
    -------
    list of Finding
        Those it came to.
    """
    findings: list[Finding] = []
    try:
        findings.extend(check())
    except Exception as error:  # noqa: BLE001 - whatever a broken installation raises is the finding
        findings.append(_failure(what, error))
    return findings


def _failure(what: str, error: Exception) -> Finding:
    failed = failed_import(error)
    if failed is not None:
        found = f"the package {failed.package} cannot be loaded ({failed.reason})"
        return Finding(what, "broken", found, failed.remedy)
    if isinstance(error, OssclError):
        return unusable(what, "broken", error)
    return Finding(what, "broken", f"{type(error).__name__}: {error}")


def unusable(what: str, state: Literal["missing", "broken"], error: OssclError) -> Finding:
    """A sentence of the form "what is: what to do" as a finding."""
    found, _, remedy = str(error).partition(": ")
    return Finding(what, state, found, remedy or None)
