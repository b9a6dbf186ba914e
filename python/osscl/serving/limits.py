"""What requests may cost: bytes, seconds and how many at once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from osscl.errors import ConfigError
from osscl.serving.problems import RequestError, busy, too_slow

_LEAST_MEMORY_BYTES = 256 << 20
_BODIES_AT_LEAST = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a server.

    Attributes
    ----------
    max_bytes : int
        Of the body of a request.
    max_waiting : int
        Recordings that wait to be scored; more are refused with 503.
    max_windows : int
        Windows that one recording may be cut into, which may last as long as that many of them side by side.
    max_connections : int
        Open at once; more are refused with 503.
    read_timeout_s : float
        Seconds within which a request must have come, headers and body.
    answer_timeout_s : float
        Seconds within which a recording that has come must be scored and explained.

    Raises
    ------
    ConfigError
        One of them is not above 0.
    """

    max_bytes: int = 16 << 20
    max_waiting: int = 128
    max_windows: int = 360
    max_connections: int = 256
    read_timeout_s: float = 10.0
    answer_timeout_s: float = 60.0

    def __post_init__(self) -> None:
        for option, value, most in (
            ("--max-bytes", self.max_bytes, 1 << 32),
            ("--max-waiting", self.max_waiting, 1 << 16),
            ("--max-windows", self.max_windows, 1 << 20),
            ("--max-connections", self.max_connections, 1 << 16),
            ("--read-timeout", self.read_timeout_s, 86_400),
            ("--timeout", self.answer_timeout_s, 86_400),
        ):
            if not 0 < value <= most:
                raise ConfigError(f"{option} is {value:g}; expected a number above 0, at most {most}")

    @property
    def memory_bytes(self) -> int:
        """Bytes that bodies may hold in memory, all together."""
        return max(_LEAST_MEMORY_BYTES, _BODIES_AT_LEAST * self.max_bytes)


class BodyMemory:
    """Counts the bytes of all bodies that are in memory, so that many slow or large ones cannot fill it.

    Parameters
    ----------
    limits : Limits
        How many there may be.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.held = 0

    async def read(self, chunks: AsyncIterator[bytes], length: str | None) -> bytes:
        """Read a body whole; `release` its bytes once it is no longer needed.

        Parameters
        ----------
        chunks : async iterator of bytes
            The body, as it comes.
        length : str or None
            The header ``content-length``.

        Returns
        -------
        bytes
            The body.

        Raises
        ------
        RequestError
            It is too large (413), comes too slowly (408), or there is no room (503).
        """
        if length is not None and int(length) > self._limits.max_bytes:
            raise self._too_large(f"{int(length)} bytes")
        parts: list[bytes] = []
        n_bytes = 0
        try:
            async with asyncio.timeout(self._limits.read_timeout_s):
                async for chunk in chunks:
                    n_bytes += len(chunk)
                    self._take(len(chunk))
                    parts.append(chunk)
                    if n_bytes > self._limits.max_bytes:
                        raise self._too_large(f"more than {self._limits.max_bytes} bytes")
        except BaseException as error:
            self.release(n_bytes)
            if isinstance(error, TimeoutError):
                came = f"{n_bytes} bytes of the body came, and not its end,"
                raise too_slow(came, self._limits.read_timeout_s, "--read-timeout") from None
            raise
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def release(self, n_bytes: int) -> None:
        """Give back the room of a body."""
        self.held -= n_bytes

    def _take(self, n_bytes: int) -> None:
        self.held += n_bytes
        if self.held > self._limits.memory_bytes:
            raise busy(
                f"the bodies of other requests fill the {self._limits.memory_bytes} bytes that there are for "
                "them; send it again in a moment"
            )

    def _too_large(self, got: str) -> RequestError:
        return RequestError(
            413,
            "too_large",
            f"the body has {got}, at most {self._limits.max_bytes} are taken; cut the recording, "
            "convert it to "
            "16 kHz and one channel, or start the server with a larger --max-bytes",
        )


def facts(limits: Limits) -> dict[str, Any]:
    """The limits by their names, ready for JSON."""
    return {
        "max_bytes": limits.max_bytes,
        "max_waiting": limits.max_waiting,
        "max_windows": limits.max_windows,
        "max_connections": limits.max_connections,
        "read_timeout_s": limits.read_timeout_s,
        "answer_timeout_s": limits.answer_timeout_s,
    }
