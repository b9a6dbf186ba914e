"""The console: ``osscl COMMAND`` and ``osscl-export``, one short module a command.

This one loads nothing before Ctrl-C is listened to.
"""

from osscl.cli import signals


def main() -> None:
    """Run ``osscl`` with the arguments of the process."""
    signals.end_at_once()
    from osscl.cli.app import app, run

    run(app, "osscl")


def export_main() -> None:
    """Run ``osscl-export`` with the arguments of the process."""
    signals.end_at_once()
    from osscl.cli.app import export_app, run

    run(export_app, "osscl-export")
