"""Findings in words."""

from collections.abc import Mapping, Sequence

from osscl.explanation.explained import Finding, Occlusion

_NAMES = {
    "level": "its level",
    "modulation": "its slow modulation",
    "flutter": "its fast modulation",
    "event": "its loudest moment",
}


def level(change_db: float, low_hz: float, high_hz: float) -> str:
    """Such as "+9 dB at 3.1 to 4.0 kHz"."""
    return f"{_signed(change_db)} dB at {band(low_hz, high_hz)}"


def modulation(rate_hz: float, change_db: float, low_hz: float, high_hz: float) -> str:
    """Such as "modulated at 12.5 Hz, 8 dB above normal, at 1.2 to 2.3 kHz"."""
    return f"modulated at {rate_hz:.3g} Hz, {change_db:.0f} dB above normal, at {band(low_hz, high_hz)}"


def event(start_s: float, duration_s: float, low_hz: float, high_hz: float) -> str:
    """Such as "single event at 2.1 s, 0.3 s long, 1 to 2 kHz"."""
    return f"single event at {start_s:.1f} s, {max(duration_s, 0.05):.1g} s long, {band(low_hz, high_hz)}"


def band(low_hz: float, high_hz: float) -> str:
    """Such as "300 to 800 Hz" or "0.9 to 1.2 kHz"."""
    if high_hz < 1000.0:
        return f"{_rounded(low_hz)} to {_rounded(high_hz)} Hz"
    return f"{low_hz / 1000:.1f} to {high_hz / 1000:.1f} kHz"


def sentence(findings: Sequence[Finding], z: Mapping[str, float]) -> str:
    """All findings in one sentence, or that there are none.

    Parameters
    ----------
    findings : sequence of Finding
        What weighs most first.
    z : mapping of str to float
        What each block says, in spreads of the normal clips.

    Returns
    -------
    str
        Without a full stop.
    """
    if findings:
        return "; ".join(finding.text for finding in findings)
    most = max(z, key=lambda name: z[name])
    if z[most] < 1.0:
        return "nothing stands out"
    return f"nothing stands out; most unusual is {_NAMES[most]} ({z[most]:.1f} spreads from normal)"


def _signed(change_db: float) -> str:
    return f"{change_db:+.0f}" if abs(change_db) >= 1.5 else f"{change_db:+.1f}"


def _rounded(hz: float) -> str:
    return f"{10 * round(hz / 10):d}"


def occlusion(found: Occlusion) -> str:
    """Such as "the network's score rests on 2.1 to 2.5 kHz (38 %) and on 3 to 4 s (25 %)"."""
    parts = []
    if any(found.band_shares):
        share = max(found.band_shares)
        parts.append(f"{band(*found.bands_hz[found.band_shares.index(share)])} ({100 * share:.0f} %)")
    if any(found.time_shares):
        share = max(found.time_shares)
        begin_s, end_s = found.times_s[found.time_shares.index(share)]
        parts.append(f"{begin_s:g} to {end_s:g} s ({100 * share:.0f} %)")
    if not parts:
        return "the network's score rests on no single band or time"
    return f"the network's score rests on {' and on '.join(parts)}"
