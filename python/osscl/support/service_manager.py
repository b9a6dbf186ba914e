"""What systemd wants to know of a service: sd_notify(3), a datagram to the socket that it names."""

import os
import socket


def tell_service_manager(*states: str) -> bool:
    """Tell the service manager how this service is.

    Parameters
    ----------
    *states : str
        Such as "READY=1", "WATCHDOG=1", "STOPPING=1" or "STATUS=1,204 files".

    Returns
    -------
    bool
        Whether it was told; False where this process is no service of its, or it does not listen.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.connect(address.replace("@", "\0", 1))  # "@": a name outside the file system
            channel.sendall("\n".join(states).encode())
    except OSError:
        return False
    return True


def watchdog_s() -> float | None:
    """Seconds within which the service manager wants to hear "WATCHDOG=1" from this process, or None."""
    span, process = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID")
    if not (span.isascii() and span.isdecimal()) or process not in (None, "", str(os.getpid())):
        return None
    return int(span) / 1e6 or None
