"""The console: ``osscl COMMAND`` and ``osscl-export``, one short module a command.

Nothing but Python itself is needed until a program is asked for, and nothing that a command needs until it is
run: a broken package ends in a sentence with its remedy, and takes no other command with it.
"""

import sys

from osscl.cli.messages import EXIT_FAILED, complain, warn_on_stderr
from osscl.errors import OssclError
from osscl.support.failed_import import failed_import


def main() -> None:
    """Run ``osscl`` with the arguments of the process."""
    _run("osscl")


def export_main() -> None:
    """Run ``osscl-export`` with the arguments of the process."""
    _run("osscl-export")


def _run(name: str) -> None:
    """Exit with 1 and one sentence for what is raised on purpose, and for a broken installation."""
    warn_on_stderr()
    try:
        from osscl.cli.program import PROGRAMS

        PROGRAMS[name]()(prog_name=name)
    except OssclError as error:
        complain(str(error))
        sys.exit(EXIT_FAILED)
    except Exception as error:
        failed = failed_import(error)
        if failed is None:
            raise
        complain(str(failed))
        sys.exit(EXIT_FAILED)
