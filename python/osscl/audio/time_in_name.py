"""When a recording began, as recorders write it into the names of their files."""

import datetime
import os
import re

_DATE = r"(?P<date>(?P<year>(?:19|20)\d\d)(?P<between>[-_.]?)(?P<month>\d\d)(?P=between)(?P<day>\d\d))"
_FRACTION = r"(?:[.,](?P<fraction>\d{1,9})(?!\d))?"
_ZONE = r"(?P<zone>Z(?![A-Za-z])|\+\d\d(?::?\d\d)?(?!\d)|-\d\d:\d\d(?!\d)|(?<=[T ]\d{6})-\d{4}(?!\d))?"
_COMPACT = re.compile(
    rf"(?<!\d){_DATE}[T_ .-]{{0,2}}(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)(?!\d){_FRACTION}{_ZONE}",
    re.ASCII,
)
_SPACED = re.compile(
    rf"(?<!\d){_DATE}(?:[T_ .-]|_-_| - |[_ ]at[_ ])(?P<hour>\d?\d)(?P<colon>[-_.:h])(?P<minute>\d\d)"
    rf"(?:(?:(?P=colon)|(?<=h\d\d)m)(?P<second>\d\d)s?(?!\d){_FRACTION}|(?![\d]|(?P=colon)\d))"
    rf"{_ZONE}(?:[ _\u202f](?P<half>[AaPp][Mm])(?![A-Za-z]))?",
    re.ASCII,
)
_DAY = re.compile(
    r"(?<!\d)(?P<date>(?P<year>(?:19|20)\d\d)-(?P<month>\d\d)-(?P<day>\d\d))(?!\d|-\d)", re.ASCII
)
_UNIX = re.compile(r"1\d{9}(?:\d{3}|\.\d{1,6})?", re.ASCII)
_AUDIOMOTH = re.compile(r"[5-7][0-9A-F]{7}", re.ASCII)


def time_in_name(path: str | os.PathLike[str]) -> str | None:
    """Read the time in the name of a file.

    Understood are a date (year first, of four digits) and a time of day behind it, in the spellings of
    recorders and operating systems: ``20261103_142000``, ``20261103T142000Z``, ``20261103142000``,
    ``2026-11-03T14-20-00.250+01:00``, ``2026-11-03_14.20.00``, ``2026-11-03 at 2.20.00 PM``,
    ``2026_11_03_14_20``; a date with dashes alone; a name that is nothing but Unix time, in seconds or
    milliseconds; and the eight upper-case hexadecimal digits that early AudioMoths wrote.

    Parameters
    ----------
    path : str or path
        The file; its folders say nothing.

    Returns
    -------
    str or None
        ISO 8601, as precise as it is written, in the zone that is written or none; Unix time is UTC. None
        where nothing is written, or what is written is no time that ever was, or several times are that do
        not begin with the earliest.
    """
    name = os.path.basename(os.fsdecode(path))  # noqa: PTH119 - a str, and it is done for every file
    stem, dot, suffix = name.rpartition(".")
    if not dot or not suffix[:1].isalpha():
        stem = name
    counted = _counted(stem, is_upper_case=suffix.isupper())
    if counted is not None:
        return counted
    for pattern in (_COMPACT, _SPACED, _DAY):
        found = [_written(match) for match in pattern.finditer(stem)]
        if found:
            return _first(found)
    return None


def is_time(text: str) -> bool:
    """Whether a part of a name is one time and nothing else, in one of the spellings of `time_in_name`."""
    if _counted(text, is_upper_case=True) is not None:
        return True
    matches = (pattern.fullmatch(text) for pattern in (_COMPACT, _SPACED, _DAY))
    return any(match is not None and _written(match) is not None for match in matches)


def _first(times: list[str | None]) -> str | None:
    """Of several times the first where it is the earliest: that of a span from one to another."""
    if None in times:
        return None
    known = [time for time in times if time is not None]
    is_span = len(known) == 2 and known[0] < known[1]
    return known[0] if is_span or len(set(known)) == 1 else None


def _counted(stem: str, *, is_upper_case: bool) -> str | None:
    """Seconds since 1970, where the name is nothing else."""
    if _UNIX.fullmatch(stem):
        whole, _, fraction = stem.partition(".")
        seconds, rest = int(whole[:10]), whole[10:] or fraction
        return _utc(seconds) + (f".{rest}" if rest else "") + "Z"
    if is_upper_case and _AUDIOMOTH.fullmatch(stem) and not stem.isdecimal():
        return _utc(int(stem, 16)) + "Z"
    return None


def _utc(seconds: int) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).replace(tzinfo=None).isoformat()


def _written(match: re.Match[str]) -> str | None:
    """What a pattern found, as ISO 8601; None where there is no such time."""
    part = match.groupdict()
    hour = _hour_of(part.get("hour"), part.get("half"))
    try:
        date = datetime.date(int(part["year"]), int(part["month"]), int(part["day"]))
        if "hour" not in part:
            return date.isoformat()
        time = datetime.time(-1 if hour is None else hour, int(part["minute"]), int(part["second"] or 0))
    except ValueError:
        return None
    zone = _zone(part["zone"])
    if zone is None:
        return None
    precision = "minutes" if part["second"] is None else "seconds"
    fraction = f".{part['fraction']}" if part["fraction"] else ""
    return f"{date.isoformat()}T{time.isoformat(precision)}{fraction}{zone}"


def _hour_of(digits: str | None, half: str | None) -> int | None:
    """Hour of the day; of half a day where "am" or "pm" says which."""
    if digits is None or half is None:
        return None if digits is None else int(digits)
    if not 1 <= int(digits) <= 12:
        return None
    return int(digits) % 12 + (12 if half.lower() == "pm" else 0)


def _zone(written: str | None) -> str | None:
    """A zone as ISO 8601 spells it; empty where none is written, None where there is no such one."""
    if written is None or written == "Z":
        return written or ""
    digits = written[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    return f"{written[0]}{hours:02}:{minutes:02}" if hours <= 14 and minutes in (0, 15, 30, 45) else None
