"""In what two runs differ, in the words of the one who asked for them: options, and parts of the model."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from osscl.journal.settings import Settings
from osscl.support.listing import and_more, first_of, listed
from osscl.support.paths import brief

_MAX_NAMED = 3
_OPTIONS = {
    "machine": "--machine",
    "machine_pattern": "--machine-pattern",
    "resample": "--resample",
    "channel": "--channel",
    "pad": "--pad",
    "start_time": "--start-time",
    "every": "--every",
    "file_times": "--file-times",
    "hop": "--hop",
}
_HASHED = {"graph": "the network of the model", "labels": "the table of --labels"}
"""Settings whose values say nothing to anybody."""
_PARTS = {
    "memory": "the memory",
    "embeddings": "the memory of embeddings",
    "scale": "the scale of both scores",
    "domain": "the domain (--domain)",
    "doubts": "what the memory knows of its recordings",
}

Parts = Mapping[str, str]


def differences(stored: Settings, given: Settings) -> Iterator[str]:
    """Name the settings in which two runs differ.

    Parameters
    ----------
    stored, given : mapping
        Of the run that began, and of the one that would go on.

    Yields
    ------
    str
        Such as "--pad was not given and is repeat", or "the memory of fan/id_00 is another one".
    """
    for name in dict.fromkeys([*stored, *given]):
        before, now = stored.get(name), given.get(name)
        if before == now:
            continue
        if name == "machines":
            yield from _between_machines(before or {}, now or {})
        elif name in _HASHED and before is not None and now is not None:
            yield f"{_HASHED[name]} is another one"
        else:
            called = "--labels" if name == "labels" else _OPTIONS.get(name, _HASHED.get(name, name))
            yield f"{called} was {_spelled(name, before)} and is {_spelled(name, now)}"


def in_words(differing: Iterable[str]) -> str:
    """Put the first of some differences into a sentence, and the number of the others."""
    first, n_left = first_of(differing, _MAX_NAMED)
    return "; ".join(first) + (f";{and_more(n_left)}" if n_left else "")


def _spelled(name: str, value: Any) -> str:
    """A value as one would type it."""
    if value is None or value is False:
        return "not given"
    if name in _HASHED or value is True:
        return "given"
    return listed(value, _MAX_NAMED) if isinstance(value, list) else brief(str(value))


def _between_machines(before: Mapping[str, Parts], now: Mapping[str, Parts]) -> Iterator[str]:
    """Name what differs between machines, those together that differ alike; the rule decides on the rest."""
    alike: dict[str, list[str]] = defaultdict(list)
    for machine in dict.fromkeys([*before, *now]):
        for told in _between_parts(before.get(machine), now.get(machine)):
            alike[told].append(machine)
    for told, machines in alike.items():
        named, n_left = first_of(machines, _MAX_NAMED)
        yield told.format(", ".join(named) + and_more(n_left, "machine"))


def _between_parts(before: Parts | None, now: Parts | None) -> Iterator[str]:
    if before is None or now is None:
        yield "the model knew {} then" if now is None else "the model did not know {} then"
    elif before["rule"] != now["rule"]:
        yield f"the rule of {{}} was {before['rule']} and is {now['rule']}"
    else:
        for part, called in _PARTS.items():
            if before.get(part) != now.get(part):
                yield f"{called} of {{}} is another one"
