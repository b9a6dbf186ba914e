"""What of long recordings is not scored: counted, and said once."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(slots=True)
class LeftOut:
    """What of the recordings of a run was not scored.

    Attributes
    ----------
    n_longer : int
        Recordings of which the beginning alone was scored.
    longer_s : float
        Seconds that follow those beginnings.
    n_ends : int
        Recordings cut into windows whose last part is shorter than a window.
    ends_s : float
        Seconds of these parts.
    """

    n_longer: int = 0
    longer_s: float = 0.0
    n_ends: int = 0
    ends_s: float = 0.0

    def add_longer(self, unheard_s: float) -> None:
        """Count a recording whose beginning was scored, and the seconds behind it."""
        if unheard_s > 0:
            self.n_longer += 1
            self.longer_s += unheard_s

    def add_end(self, left_out_s: float) -> None:
        """Count a recording that was cut into windows, and the seconds behind the last of them."""
        if left_out_s > 0:
            self.n_ends += 1
            self.ends_s += left_out_s

    def add(self, other: "LeftOut") -> None:
        """Count what another part of the run left out as well."""
        self.n_longer += other.n_longer
        self.longer_s += other.longer_s
        self.n_ends += other.n_ends
        self.ends_s += other.ends_s

    def notes(self, clip_s: float, hop: str, pad: str) -> Iterator[str]:
        """Say what was left out, and what would score it.

        Parameters
        ----------
        clip_s : float
            Length of a window.
        hop, pad : str
            How whoever is told asks for windows and for filling up.

        Yields
        ------
        str
            One sentence for each kind.
        """
        if self.n_longer:
            many = self.n_longer > 1
            yield (
                f"{_recordings(self.n_longer)} {'are' if many else 'is'} longer than {clip_s:g} s: of "
                f"{'each' if many else 'it'} the first {clip_s:g} s are scored, and {self.longer_s:,.4g} s "
                f"behind them are not; {hop} {clip_s:g} scores all of it, a row a window"
            )
        if self.n_ends:
            many = self.n_ends > 1
            yield (
                f"{_recordings(self.n_ends)} {'end' if many else 'ends'} with a part shorter than "
                f"{clip_s:g} s, left out ({self.ends_s:,.4g} s{' in all' if many else ''}); {pad} scores it, "
                "filled up"
            )


def _recordings(count: int) -> str:
    return "1 recording" if count == 1 else f"{count:,} recordings"
