"""The table of layouts: how published data sets lay out their recordings, and what place and name tell there.

A layout is one pattern over the last names of a path. Sources, as far as they were at hand:

- DCASE Task 2, 2020 and 2021 to 2025: the rules of each year and the readmes of its baseline systems
  (``y-kawagu/dcase2020_task2_baseline``, ``nttcslab/dcase2023_task2_baseline_ae`` and their like). The names
  of the supplemental clips of 2025 are taken from programs that read them, so the folder alone counts here.
- MIMII: Purohit et al., arXiv 1909.09347; MIMII DUE, arXiv 2105.02702; MIMII DG, arXiv 2205.13879. DUE and
  DG are laid out as DCASE 2021 and 2022, whose industrial machines come from them.
- ToyADMOS 2: Harada et al., arXiv 2106.02369, and the manual of its mixer (``nttcslab/ToyADMOS2-dataset``),
  which shows names of normal toy cars; those of trains (``TN``, ``TA``) are taken to follow the same rule.
- IDMT-ISA electric engine: Fraunhofer IDMT; folder names as programs that read it have them.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from osscl.errors import MachineError
from osscl.machines.domains import Domain
from osscl.machines.told import Purpose, Told
from osscl.support.paths import printable

_Match: TypeAlias = re.Match[str]

_SECTION_CLIP = (
    r"(?P<id>section_\d+)(?:_(?P<domain>source|target))?(?:_(?:train|test))?(?:_(?P<label>normal|anomaly))?"
    r"_(?P<number>\d+)(?:_(?P<attributes>.+))?"
)
_NO_ATTRIBUTE = re.compile(r"(?:^|_)noAttribute$")
_LABELS = {"normal": False, "anomaly": True, "abnormal": True, "N": False, "A": True}
_MAX_NAMES = 5
"""Names at the end of a path that a pattern may speak of."""


class Layout(NamedTuple):
    """How recordings of a data set lie, and how they are called.

    Attributes
    ----------
    key : str
        Its name in programs; rows of one name are parts of one layout.
    title : str
        Its name in sentences.
    example : str
        Place and name of a recording.
    pattern : Pattern
        Of the last names of a path, joined by slashes, without the ending of the file.
    read : callable
        What a match tells.
    """

    key: str
    title: str
    example: str
    pattern: re.Pattern[str]
    read: Callable[[_Match], Told]


def _label(found: _Match) -> bool | None:
    word = found["label"]
    return None if word is None else _LABELS[word]


def _of_id(found: _Match) -> Told:
    purpose: Purpose = found["purpose"]  # type: ignore[assignment]  # the pattern has these words alone
    return Told(f"{found['type']}/{found['id']}", purpose, _label(found))


def _of_section(found: _Match) -> Told:
    named = found.groupdict()
    of_folder: Domain | None = named.get("folder_domain")  # type: ignore[assignment]  # as above
    of_name: Domain | None = named["domain"]  # type: ignore[assignment]  # as above
    if of_folder and of_name and of_folder != of_name:
        raise MachineError(
            f"its folder says that it is of the {of_folder} domain, and its name of the {of_name} domain; "
            "move it, or name it anew"
        )
    purpose: Purpose = "train" if named["train"] else "test"
    attributes = _NO_ATTRIBUTE.sub("", named["attributes"] or "")
    machine = f"{named['type']}/{named['id']}"
    return Told(machine, purpose, _label(found), of_name or of_folder, attributes)


def _of_supplement(found: _Match) -> Told:
    domain: Domain | None = found["domain"]  # type: ignore[assignment]  # as above
    return Told(f"{found['type']}/{found['id']}", "supplemental", None, domain)


def _of_mimii(found: _Match) -> Told:
    is_anomaly = _label(found)
    snr = found["snr"] or found["own_snr"]
    return Told(
        f"{found['type']}/{found['id']}",
        "test" if is_anomaly else None,  # of normal ones a listing tells: see `osscl.machines.mimii`
        is_anomaly,
        attributes=f"snr_{snr}" if snr else "",
    )


def _of_toyadmos2(found: _Match) -> Told:
    is_anomaly = _label(found)
    attributes = f"speed_{found['speed']}_mic_{found['mic']}"
    if found["defect"]:
        attributes += f"_defect_{found['defect']}"
    machine = f"{'ToyCar' if found['vehicle'] == 'car' else 'ToyTrain'}/{found['unit']}"
    take = f"{found['take']}_{found['number']}"  # several microphones heard it at once
    return Told(machine, "test" if is_anomaly else None, is_anomaly, None, attributes, take)


def _of_idmt(found: _Match) -> Told:
    purpose: Purpose = found["purpose"]  # type: ignore[assignment]  # as above
    recording = f"{purpose}/{found['engine']}/{found['stem']}"
    is_anomaly = found["engine"] != "engine1_good"
    return Told("electric_engine/id_00", purpose, is_anomaly, attributes=found["state"], recording=recording)


_ENGINE = r"(?P<engine>engine\d+_(?P<state>good|broken|heavyload))"

LAYOUTS: tuple[Layout, ...] = (
    Layout(
        "dcase2020",
        "DCASE 2020",
        "fan/train/normal_id_00_00000000.wav",
        re.compile(
            r"(?P<type>[^/]+)/(?P<purpose>train|test)/(?:(?P<label>normal|anomaly)_)?(?P<id>id_\d+)_\d+"
        ),
        _of_id,
    ),
    Layout(
        "dcase2021",
        "DCASE 2021",
        "fan/source_test/section_00_source_test_normal_0000.wav",
        re.compile(
            rf"(?P<type>[^/]+)/(?:(?P<train>train)|(?P<folder_domain>source|target)_test)/{_SECTION_CLIP}"
        ),
        _of_section,
    ),
    Layout(
        "dcase2022",
        "DCASE 2022 to 2025",
        "fan/test/section_00_source_test_normal_0000_m-n_W.wav",
        re.compile(rf"(?P<type>[^/]+)/(?:(?P<train>train)|test)/{_SECTION_CLIP}"),
        _of_section,
    ),
    Layout(
        "dcase2022",
        "DCASE 2022 to 2025",  # one title a key: of 2025 alone are the folder and its clips
        "fan/supplemental/section_00_noise_supplemental_normal_0000.wav",
        re.compile(r"(?P<type>[^/]+)/supplemental/(?P<id>section_\d+)(?:_(?P<domain>source|target))?_.+"),
        _of_supplement,
    ),
    Layout(
        "mimii",
        "MIMII",
        "0_dB_fan/fan/id_00/normal/00000000.wav",
        re.compile(
            r"(?:(?P<snr>-?\d+_dB)_[^/]+/)?(?:(?P<own_snr>-?\d+_dB)_)?(?P<type>[^/]+)/(?P<id>id_\d+)/"
            r"(?P<label>normal|abnormal)/\d+"
        ),
        _of_mimii,
    ),
    Layout(
        "toyadmos2",
        "ToyADMOS 2",
        "toyad2_car_A1_normal/CN001-carA1-speed1_mic1_00001.wav",
        re.compile(
            r"(?P<take>[CT](?P<label>[NA])\d+-(?P<vehicle>car|train)(?P<unit>[A-Z]\d+)-speed(?P<speed>\d+)"
            r"(?:-(?P<defect>[^_/]+))?)_mic(?P<mic>\d+)_(?P<number>\d+)"
        ),
        _of_toyadmos2,
    ),
    Layout(
        "idmt",
        "IDMT-ISA electric engine, whole recordings",
        "train/engine1_good/pure.wav",
        re.compile(rf"(?P<purpose>train|test)/{_ENGINE}/(?P<stem>[^/]+)"),
        _of_idmt,
    ),
    Layout(
        "idmt_cut",
        "IDMT-ISA electric engine, cut recordings",
        "train_cut/engine1_good/pure_0.wav",
        re.compile(rf"(?P<purpose>train|test)_cut/{_ENGINE}/(?P<stem>[^/]+)_\d+"),
        _of_idmt,
    ),
)
"""All of them; a path may fit several that agree in what they tell."""


class Fitting(NamedTuple):
    """A layout that a path fits.

    Attributes
    ----------
    layout : Layout
        One of `LAYOUTS`.
    told : Told
        What it makes of the path.
    above : str
        The folder that the copy of the data set, or of one of its machine types, lies in.
    """

    layout: Layout
    told: Told
    above: str


def fittings(path: str) -> Iterator[Fitting]:
    """Find the layouts that a path fits, as it is spelled; no file need be there.

    Parameters
    ----------
    path : str
        With slashes between names.

    Yields
    ------
    Fitting
        One for each layout, in the order of the table.

    Raises
    ------
    MachineError
        Folder and file name contradict each other.
    """
    stem = path.rpartition(".")[0] or path
    names = stem.split("/")
    end = "/".join(names[-_MAX_NAMES:])
    for layout in LAYOUTS:
        for found in _matches(layout.pattern, end):
            above = f"{stem[: len(stem) - len(end)]}{end[: found.start()]}"
            yield Fitting(layout, _spelled(layout.read(found)), above)


def told_in(path: str) -> Told | None:
    """Say what place and name of a recording tell, as they are spelled.

    Parameters
    ----------
    path : str
        With slashes between names.

    Returns
    -------
    Told or None
        None where they fit no layout.

    Raises
    ------
    MachineError
        Folder and file name contradict each other.
    """
    found = next(fittings(path), None)
    return None if found is None else found.told


def _spelled(told: Told) -> Told:
    """The same with names that can be printed and kept, whatever bytes the folders are called by."""
    return told._replace(
        machine=printable(told.machine or ""),
        attributes=printable(told.attributes),
        recording=None if told.recording is None else printable(told.recording),
    )


def _matches(pattern: re.Pattern[str], end: str) -> Iterator[_Match]:
    """The match that begins with a name and goes to the end, from the first name that it can."""
    start = 0
    while True:
        found = pattern.fullmatch(end, start)
        if found is not None:
            yield found
            return
        start = end.find("/", start) + 1
        if start == 0:
            return
