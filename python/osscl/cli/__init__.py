"""The console: ``osscl COMMAND`` and ``osscl-export``, one short module a command.

Nothing is loaded before Ctrl-C is listened to, nothing but Python itself before a program is asked for, and
nothing that a command needs before it is run: a broken package takes no other command with it.
"""

from osscl.cli import signals


def main() -> None:
    """Run ``osscl`` with the arguments of the process."""
    _run("osscl")


def export_main() -> None:
    """Run ``osscl-export`` with the arguments of the process."""
    _run("osscl-export")


def _run(name: str) -> None:
    signals.end_at_once()
    from osscl.cli.running import run

    run(name)
