"""Lines for systemd's journal: one that begins with a priority is filed under it (sd-daemon(3)).

Needs nothing but Python itself.
"""

import os

ERROR, WARNING, INFO = 3, 4, 6


def priority_prefix(priority: int) -> str:
    """What a line on stderr begins with where systemd's journal reads it; nothing elsewhere.

    Parameters
    ----------
    priority : int
        `ERROR`, `WARNING` or `INFO`, as syslog(3) counts them.

    Returns
    -------
    str
        Such as "<4>".
    """
    return f"<{priority}>" if _is_read_by_journald(os.environ.get("JOURNAL_STREAM", "")) else ""


def _is_read_by_journald(stream: str) -> bool:
    """Whether stderr is the very stream, by device and inode, that systemd names."""
    try:
        status = os.fstat(2)
    except OSError:
        return False
    return stream == f"{status.st_dev}:{status.st_ino}"
