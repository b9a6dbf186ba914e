"""How long to wait before something is tried again: longer each time, and not in step with others."""

import random

_SHORTEST_S, _LONGEST_S, _GROWTH = 1.0, 60.0, 3.0


class BackOff:
    """Waiting times from 1 s to 60 s, each drawn at random up to three times the one before.

    Parameters
    ----------
    draw : callable
        Draws a number between two.

    References
    ----------
    Brooker: "Exponential Backoff And Jitter", AWS Architecture Blog 2015 (decorrelated jitter).
    """

    def __init__(self, draw: random.Random | None = None) -> None:
        self._draw = draw or random.Random()  # noqa: S311 - spreads attempts, keeps no secret
        self._last_s = _SHORTEST_S

    def next_s(self) -> float:
        """Seconds to wait before the next attempt."""
        self._last_s = min(_LONGEST_S, self._draw.uniform(_SHORTEST_S, _GROWTH * self._last_s))
        return self._last_s

    def reset(self) -> None:
        """Begin anew, after a success."""
        self._last_s = _SHORTEST_S
