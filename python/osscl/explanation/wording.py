"""Findings in words."""

from collections.abc import Mapping, Sequence

from osscl.explanation.explained import Finding, Occlusion

_LOWEST_HZ, _HIGHEST_HZ = 65.0, 7800.0
"""What begins or ends here is said as "below" or "above": features have no band beyond."""
_NAMES = {
    "level": "its level",
    "modulation": "its slow modulation",
    "flutter": "its fast modulation",
    "event": "its loudest moment",
}


def level(change_db: float, low_hz: float, high_hz: float, rate_hz: float | None = None) -> str:
    """Such as "level +9 dB at 3.1 to 4.0 kHz, in beats of 106 Hz"."""
    beats = "" if rate_hz is None else f", in beats of {rate_hz:.3g} Hz"
    return f"level {_signed(change_db)} dB {at(low_hz, high_hz)}{beats}"


def modulation(rate_hz: float | None, change_db: float, low_hz: float, high_hz: float) -> str:
    """Such as "modulated at 12.5 Hz, 8 dB above normal, at 1.2 to 2.3 kHz"."""
    if change_db < 0.0:
        return f"steadier than normal, by {-change_db:.0f} dB, {at(low_hz, high_hz)}"
    how = "fluctuates irregularly" if rate_hz is None else f"modulated at {rate_hz:.3g} Hz"
    return f"{how}, {change_db:.0f} dB above normal, {at(low_hz, high_hz)}"


def event(start_s: float, duration_s: float, low_hz: float, high_hz: float) -> str:
    """Such as "single event at 2.1 s, 0.3 s long, 1 to 2 kHz"."""
    return f"single event at {start_s:.1f} s, {max(duration_s, 0.05):.1g} s long, {band(low_hz, high_hz)}"


def at(low_hz: float, high_hz: float) -> str:
    """Such as "at 300 to 800 Hz" or "above 2.3 kHz"."""
    words = band(low_hz, high_hz)
    return words if words.startswith(("below", "above")) else f"at {words}"


def band(low_hz: float, high_hz: float) -> str:
    """Such as "300 to 800 Hz", "0.9 to 1.2 kHz" or "below 390 Hz"."""
    is_lowest, is_highest = low_hz <= _LOWEST_HZ, high_hz >= _HIGHEST_HZ
    if is_lowest and is_highest:
        return "all frequencies"
    if is_lowest:
        return f"below {_spelled(high_hz)}"
    if is_highest:
        return f"above {_spelled(low_hz)}"
    if high_hz < 1000.0:
        return f"{10 * round(low_hz / 10)} to {_spelled(high_hz)}"
    return f"{low_hz / 1000:.1f} to {_spelled(high_hz)}"


def _spelled(hz: float) -> str:
    return f"{hz / 1000:.1f} kHz" if hz >= 1000.0 else f"{10 * round(hz / 10)} Hz"


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
