"""What is taken for granted and not measured here: loads, limits and prices; each is an option of `plan`."""

from dataclasses import dataclass, field, fields
from typing import Any


def _assumed(default: float, text: str) -> Any:
    return field(default=default, metadata={"text": text})


@dataclass(frozen=True)
class Assumptions:
    """A fleet as it is thought of. Prices are round numbers to put one's own in place of, in any currency."""

    machines: float = _assumed(1_000_000, "machines")
    period_s: float = _assumed(60, "seconds from clip to clip of a machine")
    clip_bytes: float = _assumed(320_044, "bytes of a clip: 10 s of 16 kHz and 16 bits, as WAV")
    utilisation: float = _assumed(0.6, "share of its time that a core is meant to score; the rest is reserve")
    host_cores: float = _assumed(16, "cores of a host")
    host_gbit: float = _assumed(10, "Gbit/s of a host's network")
    journal_us: float = _assumed(67, "µs of the one writer for a row of a journal (benchmarks/RESULTS.md)")
    audio_days: float = _assumed(1, "days for which all recordings are kept")
    flagged_share: float = _assumed(0.01, "share of the recordings that is kept longer")
    flagged_days: float = _assumed(90, "days for which those are kept")
    record_days: float = _assumed(365, "days for which records are kept")
    price_core_hour: float = _assumed(0.04, "price of a core for an hour, with memory for it")
    price_gb_month: float = _assumed(0.02, "price of a GB kept for 30 days")
    price_million_puts: float = _assumed(5, "price of a million objects written")
    price_million_gets: float = _assumed(0.4, "price of a million objects read")
    price_gb_in: float = _assumed(0, "price of a GB that comes in")

    @property
    def clips_a_second(self) -> float:
        """Clips that the fleet sends a second."""
        return self.machines / self.period_s

    @property
    def clips_a_day(self) -> float:
        """Clips that the fleet sends a day."""
        return 86_400 * self.clips_a_second


def texts() -> dict[str, str]:
    """What each assumption is, by its name."""
    return {each.name: each.metadata["text"] for each in fields(Assumptions)}
