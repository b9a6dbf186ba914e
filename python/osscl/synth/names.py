"""How recordings of a set are named: as in DCASE 2020, or, of two sites, as in DCASE 2023."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from osscl.synth.clip import ClipKey
from osscl.synth.machines import Machine, machine
from osscl.synth.site import nominal_speed_rpm

ATTRIBUTE = "speed"
"""What file names of two sites tell: the machine's speed there at half load, turns a minute."""


class Named(NamedTuple):
    """A clip as its file tells it.

    Attributes
    ----------
    path : str
        Place in the data set's folder, with forward slashes.
    attribute : str or None
        Value of `ATTRIBUTE`; None in the layout of 2020.
    """

    path: str
    attribute: str | None = None


def in_layout_2020(key: ClipKey) -> Named:
    """Name a clip such as ``blower/test/anomaly_id_00_00000000.wav``."""
    of = machine(key.machine)
    return Named(f"{of.type.name}/{key.split}/{key.label}_{of.machine_id}_{key.index:08d}.wav")


def in_layout_2023(key: ClipKey) -> Named:
    """Name a clip such as ``blower/test/section_00_target_test_anomaly_0000_speed_1421.wav``.

    References
    ----------
    File names of DCASE Task 2, 2022 to 2025.
    """
    of = machine(key.machine)
    value = str(nominal_speed_rpm(of, key.site))
    name = f"{_section(of)}_{key.site}_{key.split}_{key.label}_{key.index:04d}_{ATTRIBUTE}_{value}.wav"
    return Named(f"{of.type.name}/{key.split}/{name}", value)


def section_name(of: Machine) -> str:
    """A machine's name by its files in the layout of 2023: ``blower/section_00``."""
    return f"{of.type.name}/{_section(of)}"


def attribute_tables(clips: Iterable[tuple[Machine, Named]]) -> Iterator[tuple[str, str]]:
    """Tables of the attributes of recordings of two sites, one a machine.

    Parameters
    ----------
    clips : iterable of (Machine, Named)
        All clips of a set.

    Yields
    ------
    path : str
        Such as ``blower/attributes_00.csv``.
    text : str
        Header ``file_name,d1p,d1v``, then a line for each clip.
    """
    lines: dict[str, list[str]] = {}
    for of, named in clips:
        table = lines.setdefault(f"{of.type.name}/attributes_{of.number:02d}.csv", ["file_name,d1p,d1v"])
        table.append(f"{named.path},{ATTRIBUTE},{named.attribute}")
    for path, of_machine in lines.items():
        yield path, "\n".join([*of_machine, ""])


def _section(of: Machine) -> str:
    return f"section_{of.number:02d}"
