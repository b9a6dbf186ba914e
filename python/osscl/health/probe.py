"""A package is loaded in a process of its own: a broken one can end the process that loads it."""

import signal
import subprocess
import sys

from osscl.support.failed_import import failed_import, reinstall
from osscl.support.telemetry import import_quietly


def probe(module: str, attribute: str, distributions: list[str]) -> tuple[str, str] | None:
    """Load a package as osscl would.

    Parameters
    ----------
    module : str
        The module that osscl enters it by.
    attribute : str
        What osscl takes from there.
    distributions : list of str
        Names by which pip knows it.

    Returns
    -------
    tuple of (str, str) or None
        What is wrong and the command that mends it; None where nothing is.
    """
    # -P: what lies in the working folder is not the package
    command = [sys.executable, "-P", "-m", "osscl.health.probe", module, attribute]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own module
    if done.returncode == 0:
        return None
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        return f"loading it ends the process ({name})", reinstall(distributions)
    said = done.stderr.strip().splitlines() or [f"loading it ends the process (exit code {done.returncode})"]
    found, _, remedy = said[-1].partition("\t")
    return found, remedy or reinstall(distributions)


def main() -> None:
    """Load what the arguments name; what goes wrong is said on stderr, with the remedy behind a tab."""
    module, attribute = sys.argv[1:]
    try:
        getattr(import_quietly(module), attribute)
    except Exception as error:  # noqa: BLE001 - whatever a broken package raises is the answer
        failed = failed_import(error)
        found = f"{type(error).__name__}: {error}" if failed is None else failed.reason
        sys.exit("\t".join([" ".join(found.split()), "" if failed is None else failed.remedy]))


if __name__ == "__main__":
    main()
