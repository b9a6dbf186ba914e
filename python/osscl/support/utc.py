"""The time of the day, for records: never for measuring how long something takes."""

import datetime


def utc_now() -> str:
    """Now, ISO 8601 with milliseconds."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
