"""How long to wait before something is tried again: longer each time, and not in step with others."""

import random

_GROWTH = 3.0


class BackOff:
    """Waiting times from a shortest to a longest, each drawn at random up to three times the one before.

    Parameters
    ----------
    draw : Random, optional
        Draws a number between two.
    shortest_s, longest_s : float
        Seconds.

    References
    ----------
    Brooker: "Exponential Backoff And Jitter", AWS Architecture Blog 2015 (decorrelated jitter).
    """

    def __init__(
        self, draw: random.Random | None = None, shortest_s: float = 1.0, longest_s: float = 60.0
    ) -> None:
        self._draw = draw or random.Random()  # noqa: S311 - spreads attempts, keeps no secret
        self._shortest_s, self._longest_s = shortest_s, longest_s
        self._last_s = shortest_s

    def next_s(self) -> float:
        """Seconds to wait before the next attempt."""
        self._last_s = min(self._longest_s, self._draw.uniform(self._shortest_s, _GROWTH * self._last_s))
        return self._last_s

    def reset(self) -> None:
        """Begin anew, after a success."""
        self._last_s = self._shortest_s
