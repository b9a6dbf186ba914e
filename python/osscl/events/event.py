"""Event: something about one machine that others want to hear of, with an ID that finds it again."""

import hashlib

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened.

    Attributes
    ----------
    id : str
        See `event_id`: the same for the same thing, however often it is computed.
    kind : str
        "score" (a clip that was scored, and not flagged), "anomaly" (one that was), "unscored" (one that
        could not be), "alarm" (raised over time) or "alarm_over".
    at : str
        When it was found, ISO 8601, UTC.
    machine : str or None
        Whose sound it is.
    path : str
        The recording; for an alarm the one that raised or released it.
    recorded_at : str or None
        When the clip began, as far as it is known.
    start_s, duration_s : float or None
        Which part of the recording, seconds.
    status, reason : str or None
        As in a result table.
    score, p_value, threshold : float or None
        As in a result table.
    is_anomaly : bool or None
        As in a result table.
    quality, explanation : str or None
        As in a result table.
    message : str or None
        For an alarm: one sentence.
    """

    id: str
    kind: str
    at: str
    path: str
    machine: str | None = None
    recorded_at: str | None = None
    start_s: float | None = None
    duration_s: float | None = None
    status: str | None = None
    reason: str | None = None
    score: float | None = None
    p_value: float | None = None
    threshold: float | None = None
    is_anomaly: bool | None = None
    quality: str | None = None
    explanation: str | None = None
    message: str | None = None


def event_id(*parts: str | bytes | float | None) -> str:
    """Make the ID of an event from what tells it from all others.

    Parameters
    ----------
    *parts : str, bytes, int, float or None
        Such as its kind, machine, path, size and date of the file, start of the window, hash of the model.

    Returns
    -------
    str
        32 hexadecimal digits of SHA-256 over the parts, each with its length.
    """
    digest = hashlib.sha256()
    for part in parts:
        content = part if isinstance(part, bytes) else repr(part).encode("utf-8", "backslashreplace")
        digest.update(len(content).to_bytes(8, "big"))
        digest.update(content)
    return digest.hexdigest()[:32]
