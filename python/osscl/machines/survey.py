"""What was found in folders of recordings, layout by layout, in one line before work starts."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from osscl.machines.dcase import type_of
from osscl.machines.layouts import LAYOUTS, Fitting
from osscl.machines.published import sets_that_may_be
from osscl.machines.told import Told
from osscl.support.paths import printable
from osscl.support.plurals import plural

_Keys: TypeAlias = frozenset[str]
_MAX_NAMED = 2
"""Sets that a line names, one of which it may be; of more than these their layout says as much."""


@dataclass(slots=True)
class _Part:
    """Recordings of one machine type in one place."""

    layouts: _Keys
    first: str
    told: list[Told] = field(default_factory=list)


class Survey:
    """Counts what the places and names of recordings tell.

    Attributes
    ----------
    n_recordings : int
        All of them.
    n_told : int
        Those whose place and name fit a layout.
    is_part : bool
        Whether there are more than were counted.
    mixed : str or None
        Why the folders of one machine type fit no layout together; the first such reason.
    """

    def __init__(self) -> None:
        self.n_recordings = self.n_told = 0
        self.is_part = False
        self.mixed: str | None = None
        self._parts: dict[tuple[str, str], _Part] = {}

    def add(self, path: str | os.PathLike[str], found: list[Fitting]) -> None:
        """Count a recording.

        Parameters
        ----------
        path : path-like
            The recording.
        found : list of Fitting
            The layouts that it fits.
        """
        self.n_recordings += 1
        if not found:
            return
        self.n_told += 1
        keys = frozenset(each.layout.key for each in found)
        told = found[0].told
        place = (found[0].above, type_of(told.machine or ""))
        part = self._parts.setdefault(place, _Part(keys, os.fsdecode(path)))
        if not keys & part.layouts:
            self.mixed = self.mixed or _mixed(part, keys, os.fsdecode(path))
        else:
            part.layouts &= keys
        part.told.append(told)

    @property
    def is_published(self) -> bool:
        """Whether some of it may be a published data set, and not machines of one's own laid out like one."""
        return any(_sets(layouts, told) for layouts, told in self._groups().items())

    def sentences(self) -> Iterator[str]:
        """Say what was found.

        Yields
        ------
        str
            One line for each layout, such as "DCASE 2023: 7 types, 2 domains, 7,000 training clips"; and one
            for recordings that fit none.
        """
        for layouts, told in self._groups().items():
            yield f"{_titled(layouts, told)}: {_counted(told)}"
        if n_others := self.n_recordings - self.n_told:
            beside = "beside them, " if self.n_told else ""
            yield f"{beside}{_n(n_others, 'recording')} in no published layout"

    def _groups(self) -> dict[_Keys, list[Told]]:
        """What is told by recordings of one layout; types that leave it open count with those that do not."""
        groups: dict[_Keys, list[Told]] = {}
        for part in sorted(self._parts.values(), key=lambda each: (len(each.layouts), sorted(each.layouts))):
            known = next((keys for keys in groups if keys <= part.layouts), part.layouts)
            groups.setdefault(known, []).extend(part.told)
        return groups


def _mixed(part: _Part, keys: _Keys, path: str) -> str:
    return (
        f"{printable(part.first)} is laid out as {_title_of(part.layouts)} and {printable(path)} as "
        f"{_title_of(keys)}; keep recordings of one layout in the folders of a machine type, or name a "
        "folder that holds one alone"
    )


def _title_of(keys: _Keys) -> str:
    return " or ".join(dict.fromkeys(each.title for each in LAYOUTS if each.key in keys))


def _titled(layouts: _Keys, told: list[Told]) -> str:
    """The data sets that it may be, one or two; else the layout alone."""
    names = dict.fromkeys(_sets(layouts, told))
    if 0 < len(names) <= _MAX_NAMED:
        return " or ".join(names)
    return _title_of(layouts) if names else f"machines of your own, laid out as {_title_of(layouts)}"


def _sets(layouts: _Keys, told: list[Told]) -> list[str]:
    """Names of the published data sets that it may be."""
    machines = {each.machine for each in told if each.machine}
    ids = {machine.partition("/")[2] for machine in machines}
    supplement = any(each.purpose == "supplemental" for each in told)
    return list(sets_that_may_be(layouts, set(map(type_of, machines)), ids, has_supplement=supplement))


def _counted(told: list[Told]) -> str:
    machines = {each.machine for each in told if each.machine}
    types = {type_of(machine) for machine in machines}
    domains = {each.domain for each in told if each.domain}
    levels = {each.attributes for each in told if each.attributes.startswith("snr_")}
    purposes = Counter(each.purpose for each in told)
    n_faulty = sum(each.purpose == "train" and each.is_anomaly is True for each in told)
    purposes["train"] -= n_faulty
    n_unlabelled = sum(each.purpose == "test" and each.is_anomaly is None for each in told)
    parts = [_n(len(types), "type")]
    if len(machines) > len(types):
        parts.append(_n(len(machines), "machine"))
    if domains:
        parts.append(_n(len(domains), "domain"))
    if len(levels) > 1:
        parts.append(f"{len(levels)} levels of noise")
    if purposes["train"]:
        parts.append(_n(purposes["train"], "training clip"))
    if purposes["test"]:
        without = f" ({n_unlabelled:,} without label)" if n_unlabelled else ""
        parts.append(f"{_n(purposes['test'], 'test clip')}{without}")
    if purposes[None]:
        parts.append(f"{_n(purposes[None], 'clip')} for training or testing")
    if purposes["supplemental"]:
        parts.append(f"{_n(purposes['supplemental'], 'supplemental clip')}")
    if n_faulty:
        parts.append(f"{_n(n_faulty, 'anomalous clip')} beside those for training")
    return ", ".join(parts)


def _n(number: int, noun: str) -> str:
    return f"{number:,} {plural(number, noun)}"
