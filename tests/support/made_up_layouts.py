"""A tiny copy of each published data set, by its rules: folders, names and tables, with sounds made here.

Two machine types each, both labels, both domains where the set has domains. Each copy says of every recording
what a reader should find: that is written down here from the sets' own documents, and not by the product.
"""

import csv
import os
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import soundfile

RATE_HZ = 16_000
N_SAMPLES = 160_000

Domain = Literal["source", "target"]


@dataclass(frozen=True)
class MadeUp:
    """One recording of a copy.

    `purpose` and `is_anomaly` are None where the set says neither; `recording` where each clip is one of its
    own.
    """

    path: str
    machine: str
    purpose: Literal["train", "test", "supplemental"] | None
    is_anomaly: bool | None
    domain: Domain | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    recording: str | None = None
    n_channels: int = 1


def make_layout(name: str, folder: Path, *, evaluation: bool = True, sounds: bool = True) -> list[MadeUp]:
    """Write the copy of a set.

    Parameters
    ----------
    name : str
        One of `LAYOUTS`.
    folder : Path
        Where to; it is made.
    evaluation : bool
        Whether the evaluation set is there as well, its test clips without labels; for sets that have one.
    sounds : bool
        Whether the recordings hold anything; without it they are empty files.

    Returns
    -------
    list of MadeUp
        What lies there.
    """
    made = [each for each in LAYOUTS[name]() if evaluation or not each.path.startswith("eval_data/")]
    for each in made:
        path = folder / each.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if sounds:
            soundfile.write(path, _sound(each), RATE_HZ, subtype="PCM_16")
        else:
            path.touch()
    if name in WITH_ATTRIBUTE_TABLES:
        _write_attribute_tables(folder, made)
    if name == "table":
        _write_labels(folder / "labels.csv", made)
    return made


def _sound(made: MadeUp) -> npt.NDArray[np.int16]:
    """Ten seconds of noise and a hum, [N_SAMPLES] or [N_SAMPLES, channels], of a machine or of its fault."""
    of_machine = zlib.crc32(made.machine.encode()) % 40
    rng = np.random.default_rng([zlib.crc32(made.path.encode()), of_machine])
    hz = 150 + 25 * of_machine + (40 if made.domain == "target" else 0)
    time_s = np.arange(N_SAMPLES) / RATE_HZ
    hum = 1500 * np.sin(2 * np.pi * hz * (1.5 if made.is_anomaly else 1.0) * time_s)
    noise = rng.integers(-900, 900, (N_SAMPLES, made.n_channels), np.int16)
    return np.squeeze(noise + hum.astype(np.int16)[:, np.newaxis])


def dcase2020() -> Iterator[MadeUp]:
    """Machine IDs, no domains; the evaluation set has other IDs, and test clips without labels."""
    for machine_type, known, new in (("fan", "id_00", "id_01"), ("ToyCar", "id_01", "id_05")):
        place, machine = f"dev_data/{machine_type}", f"{machine_type}/{known}"
        for i in range(4):
            yield MadeUp(f"{place}/train/normal_{known}_{i:08d}.wav", machine, "train", False)
        for i in range(2):
            yield MadeUp(f"{place}/test/normal_{known}_{i:08d}.wav", machine, "test", False)
            yield MadeUp(f"{place}/test/anomaly_{known}_{i:08d}.wav", machine, "test", True)
        place, machine = f"eval_data/{machine_type}", f"{machine_type}/{new}"
        for i in range(3):
            yield MadeUp(f"{place}/train/normal_{new}_{i:08d}.wav", machine, "train", False)
        for i in range(2):
            yield MadeUp(f"{place}/test/{new}_{i:08d}.wav", machine, "test", None)


def _sections(
    types: Mapping[str, tuple[str, ...]],
    attributes: Callable[[str, int], dict[str, str]],
    *,
    test_folder: Callable[[Domain], str] = lambda _: "test",
    test_attributes: bool = True,
    root: str = "dev_data/",
    spelled: Callable[[dict[str, str]], str],
) -> Iterator[MadeUp]:
    """Sections with clips of two domains: many source clips, few target ones, and a test of both labels."""
    for machine_type, sections in types.items():
        for section in sections:
            machine, place = f"{machine_type}/{section}", f"{root}{machine_type}"
            domains: tuple[tuple[Domain, int], ...] = (("source", 4), ("target", 2))
            for domain, n in domains:
                for i in range(n):
                    told = attributes(machine_type, i)
                    name = f"{section}_{domain}_train_normal_{i:04d}_{spelled(told)}.wav"
                    yield MadeUp(f"{place}/train/{name}", machine, "train", False, domain, told)
                for i in range(2):
                    for label in ("normal", "anomaly"):
                        told = attributes(machine_type, i) if test_attributes else {}
                        end = f"_{spelled(told)}" if test_attributes else ""
                        name = f"{section}_{domain}_test_{label}_{i:04d}{end}.wav"
                        path = f"{place}/{test_folder(domain)}/{name}"
                        yield MadeUp(path, machine, "test", label == "anomaly", domain, told)


def _attributes_2021(machine_type: str, number: int) -> dict[str, str]:
    """Of the training clips alone, and spelled in another way for each type: read as one text."""
    text = "strength_1_ambient" if machine_type == "fan" else f"A1Spd28VMic{number % 2 + 1}"
    return {"attributes": text}


def _in_one_text(attributes: dict[str, str]) -> str:
    return attributes["attributes"]


def dcase2021() -> Iterator[MadeUp]:
    """Sections, a test folder for each domain, attributes in the names of training clips alone."""

    def test_folder(domain: Domain) -> str:
        return f"{domain}_test"

    types = {"fan": ("section_00",), "ToyCar": ("section_00", "section_01")}
    yield from _sections(
        types, _attributes_2021, test_folder=test_folder, test_attributes=False, spelled=_in_one_text
    )
    for machine_type in types:
        machine = f"{machine_type}/section_03"
        domains: tuple[Domain, ...] = ("source", "target")
        for domain in domains:
            for i in range(2):
                told = _attributes_2021(machine_type, i)
                end = f"section_03_{domain}_train_normal_{i:04d}_{_in_one_text(told)}.wav"
                yield MadeUp(f"eval_data/{machine_type}/train/{end}", machine, "train", False, domain, told)
                path = f"eval_data/{machine_type}/{domain}_test/section_03_{domain}_test_{i:04d}.wav"
                yield MadeUp(path, machine, "test", None, domain)


def _attributes_2022(machine_type: str, number: int) -> dict[str, str]:
    if machine_type in ("ToyCar", "ToyTrain"):
        return {"car": "A1", "spd": ("28V", "31V")[number % 2], "mic": "1"}
    if machine_type in ("bearing", "bandsaw"):
        return {"vel": ("6", "10")[number % 2]}
    return {}


def _in_pairs(attributes: dict[str, str]) -> str:
    return "_".join(f"{key}_{value}" for key, value in attributes.items()) or "noAttribute"


def dcase2022() -> Iterator[MadeUp]:
    """One test folder, several sections, and attributes as pairs, in names and tables."""
    types = {"bearing": ("section_00", "section_01"), "ToyCar": ("section_00",)}
    yield from _sections(types, _attributes_2022, spelled=_in_pairs)
    yield from _unlabelled(("bearing", "ToyCar"), "section_03", "section_03_test")


def _first_shot(development: tuple[str, str], evaluation: tuple[str, str]) -> Iterator[MadeUp]:
    """One section a type, and an evaluation set of other types."""
    types = dict.fromkeys(development, ("section_00",))
    yield from _sections(types, _attributes_2022, spelled=_in_pairs)
    yield from _unlabelled(evaluation, "section_00", "section_00")


def _unlabelled(types: tuple[str, str], section: str, beginning: str) -> Iterator[MadeUp]:
    for machine_type in types:
        machine, place = f"{machine_type}/{section}", f"eval_data/{machine_type}"
        domains: tuple[Domain, ...] = ("source", "source", "target")
        for i, domain in enumerate(domains):
            told = _attributes_2022(machine_type, i)
            name = f"{section}_{domain}_train_normal_{i:04d}_{_in_pairs(told)}.wav"
            yield MadeUp(f"{place}/train/{name}", machine, "train", False, domain, told)
        for i in range(2):
            yield MadeUp(f"{place}/test/{beginning}_{i:04d}.wav", machine, "test", None)


def dcase2023() -> Iterator[MadeUp]:
    """First-shot: the evaluation set is of other types."""
    yield from _first_shot(("bearing", "ToyCar"), ("bandsaw", "Vacuum"))


def dcase2024() -> Iterator[MadeUp]:
    """As 2023, with other types in the evaluation set."""
    yield from _first_shot(("bearing", "ToyCar"), ("3DPrinter", "HoveringDrone"))


def dcase2025() -> Iterator[MadeUp]:
    """As 2023, with clips of the machine alone or of noise alone beside the training clips."""
    yield from _first_shot(("bearing", "ToyCar"), ("AutoTrash", "CoffeeGrinder"))
    for i in range(2):
        path = f"dev_data/bearing/supplemental/section_00_noise_supplemental_normal_{i:04d}.wav"
        yield MadeUp(path, "bearing/section_00", "supplemental", None)
        path = f"dev_data/ToyCar/supplemental/section_00_source_supplemental_machine_{i:04d}.wav"
        yield MadeUp(path, "ToyCar/section_00", "supplemental", None, "source")


def mimii() -> Iterator[MadeUp]:
    """No training and test folders, eight channels; below a folder for each level of noise."""
    for place, machine_type in (("6_dB_fan/fan", "fan"), ("6_dB_pump", "pump")):
        machine = f"{machine_type}/id_00"
        for i in range(5):
            # as its baseline has it: as many normal clips as anomalous ones are for testing, the first ones
            purpose: Literal["train", "test"] = "test" if i < 2 else "train"
            path = f"{place}/id_00/normal/{i:08d}.wav"
            yield MadeUp(path, machine, purpose, False, attributes={"snr": "6_dB"}, n_channels=8)
        for i in range(2):
            path = f"{place}/id_00/abnormal/{i:08d}.wav"
            yield MadeUp(path, machine, "test", True, attributes={"snr": "6_dB"}, n_channels=8)


def mimii_due() -> Iterator[MadeUp]:
    """Rules of DCASE 2021, whose industrial machines come from it."""

    def test_folder(domain: Domain) -> str:
        return f"{domain}_test"

    types = {"fan": ("section_00",), "pump": ("section_00",)}
    yield from _sections(
        types,
        lambda machine_type, _: {"attributes": "strength_1_ambient" if machine_type == "fan" else "pat_0"},
        test_folder=test_folder,
        test_attributes=False,
        root="",
        spelled=_in_one_text,
    )


def mimii_dg() -> Iterator[MadeUp]:
    """Rules of DCASE 2022, whose industrial machines come from it."""
    types = {"bearing": ("section_00", "section_01"), "gearbox": ("section_00",)}
    yield from _sections(types, _attributes_2022, root="", spelled=_in_pairs)


def toyadmos2() -> Iterator[MadeUp]:
    """Each take by several microphones at once; converted from MPEG-4 files, named by attributes."""
    for machine_type, letter, vehicle in (("ToyCar", "C", "car"), ("ToyTrain", "T", "train")):
        for i in range(3):
            for mic in ("1", "2"):
                told = {"vehicle": f"{vehicle}A1", "speed": "1", "mic": mic}
                name = f"{letter}N001-{vehicle}A1-speed1_mic{mic}_{i + 1:05d}.wav"
                path = f"toyad2_{vehicle}_A1_normal/{name}"
                take = f"{letter}N001-{vehicle}A1-speed1_{i + 1:05d}"
                yield MadeUp(path, f"{machine_type}/A1", None, False, attributes=told, recording=take)
        told = {"vehicle": f"{vehicle}A1", "speed": "1", "defect": "a-damageL", "mic": "1"}
        for i in range(2):
            name = f"{letter}A001-{vehicle}A1-speed1-a-damageL_mic1_{i + 1:05d}.wav"
            path = f"toyad2_{vehicle}_A_anomaly/{name}"
            take = f"{letter}A001-{vehicle}A1-speed1-a-damageL_{i + 1:05d}"
            yield MadeUp(path, f"{machine_type}/A1", "test", True, attributes=told, recording=take)


def idmt() -> Iterator[MadeUp]:
    """Three states of one engine, each recording cut into clips; only the clips are copied."""
    machine = "electric_engine/id_00"
    for engine in ("engine1_good", "engine2_broken", "engine3_heavyload"):
        is_anomaly = engine != "engine1_good"
        for i in range(4):
            path = f"train_cut/{engine}/pure_{i}.wav"
            yield MadeUp(path, machine, "train", is_anomaly, recording=f"train/{engine}/pure")
        for name in ("atmo_low", "talking_1"):
            for i in range(2):
                path = f"test_cut/{engine}/{name}_{i}.wav"
                yield MadeUp(path, machine, "test", is_anomaly, recording=f"test/{engine}/{name}")


def normals() -> Iterator[MadeUp]:
    """A plain folder of normal recordings of each machine, with an ID in the folder."""
    for machine in ("press/id_09", "lathe/id_01"):
        for i in range(4):
            yield MadeUp(f"{machine}/monday_{i}.wav", machine, None, None)


def table() -> Iterator[MadeUp]:
    """Names that tell nothing, and a table ``labels.csv`` that tells all."""
    number = 0
    for machine in ("press/north", "lathe/south"):
        domains: tuple[tuple[Domain, int], ...] = (("source", 4), ("target", 2))
        for domain, n in domains:
            for i in range(n):
                yield MadeUp(
                    f"clips/{number:04d}.wav", machine, None, False, domain, recording=f"{machine} {i // 2}"
                )
                number += 1
            for label in (False, True):
                yield MadeUp(f"clips/{number:04d}.wav", machine, None, label, domain, recording=f"{number}")
                number += 1


LAYOUTS: dict[str, Callable[[], Iterator[MadeUp]]] = {
    "dcase2020": dcase2020,
    "dcase2021": dcase2021,
    "dcase2022": dcase2022,
    "dcase2023": dcase2023,
    "dcase2024": dcase2024,
    "dcase2025": dcase2025,
    "mimii": mimii,
    "mimii_due": mimii_due,
    "mimii_dg": mimii_dg,
    "toyadmos2": toyadmos2,
    "idmt": idmt,
    "normals": normals,
    "table": table,
}
WITH_ATTRIBUTE_TABLES = frozenset({"dcase2022", "dcase2023", "dcase2024", "dcase2025", "mimii_dg"})


def _write_attribute_tables(folder: Path, made: list[MadeUp]) -> None:
    """A table for each section, beside its folders: a row a labelled clip, with pairs d1p,d1v,d2p,d2v..."""
    of_section: dict[tuple[str, str], list[MadeUp]] = defaultdict(list)
    for each in made:
        if each.is_anomaly is not None:
            place = str(Path(each.path).parent.parent)
            of_section[place, each.machine.rpartition("_")[2]].append(each)
    for (place, number), clips in of_section.items():
        n_pairs = max(1, *(len(each.attributes) for each in clips))
        header = [f"d{i}{kind}" for i in range(1, n_pairs + 1) for kind in "pv"]
        with (folder / place / f"attributes_{number}.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["file_name", *header])
            for each in clips:
                pairs = [cell for pair in each.attributes.items() for cell in pair] or ["noAttribute"]
                named = os.path.relpath(each.path, Path(place).parent)
                rows.writerow([named, *pairs, *[""] * (2 * n_pairs - len(pairs))])


def _write_labels(path: Path, made: list[MadeUp]) -> None:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "machine", "label", "domain", "recording"])
        for each in made:
            label = "anomaly" if each.is_anomaly else "normal"
            rows.writerow([each.path, each.machine, label, each.domain, each.recording])
