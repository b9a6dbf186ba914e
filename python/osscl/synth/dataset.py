"""A data set in the layout of DCASE Task 2: which clips it holds, and how it comes onto disk."""

import io
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import soundfile

from osscl.errors import ConfigError, OutputError
from osscl.support.atomic import write_atomically
from osscl.support.outputs import check_output_folder
from osscl.support.paths import printable
from osscl.synth.clip import ClipKey, make_clip
from osscl.synth.machines import TYPES, Machine, machines
from osscl.synth.severity import SEVERITIES, fault
from osscl.synth.spectrum import SAMPLE_RATE_HZ

GENERATOR = "osscl.synth/1"
"""Names the exact computation: clips of one key are the same as long as this name is."""
RECORD_NAME = "synth.json"
_INT16_PEAK = 32767.0


@dataclass(frozen=True, slots=True)
class DatasetPlan:
    """What a data set shall hold. Clips are spread evenly over the machines, the first take the remainder.

    Attributes
    ----------
    machines : int
        Number of machines, spread over the types.
    train : int
        Normal clips for training, of all machines together.
    normal, anomalous : int
        Clips for testing, of all machines together.
    seed : int
        Seed of the clips. The machines do not depend on it.

    Raises
    ------
    ConfigError
        If a number lies outside its range, or no clip is asked for.
    """

    machines: int = 12
    train: int = 0
    normal: int = 0
    anomalous: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        machines(self.machines)
        for name in ("train", "normal", "anomalous"):
            count = getattr(self, name)
            if not 0 <= count <= 10**9:
                raise ConfigError(f"{name} is {count}; expected a number of clips from 0 to 1000000000")
        if not self.n_clips:
            raise ConfigError("no clip is asked for; set train, normal or anomalous (clips in all)")
        ClipKey(machines(1)[0].name, self.seed)

    @property
    def n_clips(self) -> int:
        """Clips in all."""
        return self.train + self.normal + self.anomalous

    def clips(self) -> Iterator["PlannedClip"]:
        """Every clip, machine by machine."""
        for number, machine in enumerate(machines(self.machines)):
            for split, label, total in (
                ("train", "normal", self.train),
                ("test", "normal", self.normal),
                ("test", "anomaly", self.anomalous),
            ):
                share = total // self.machines + (number < total % self.machines)
                for index in range(share):
                    key = ClipKey(machine.name, self.seed, split, label, index)  # type: ignore[arg-type]
                    yield _planned(machine, key)


@dataclass(frozen=True, slots=True)
class PlannedClip:
    """One clip of a data set.

    Attributes
    ----------
    path : str
        Place in the data set's folder, with forward slashes.
    key : ClipKey
        What it is made from.
    fault : str or None
        Name of the fault; None for a normal clip.
    severity : str or None
        How far the fault has gone; None for a normal clip.
    """

    path: str
    key: ClipKey
    fault: str | None
    severity: str | None

    def samples(self) -> npt.NDArray[np.int16]:
        """Make the clip, rounded to 16 bits as its file holds it.

        Returns
        -------
        ndarray of int16, [160000]
            Samples at 16 kHz.
        """
        chosen = None
        if self.fault is not None and self.severity is not None:
            chosen = fault(self.fault, self.severity)
        rounded: npt.NDArray[np.int16] = np.rint(make_clip(self.key, chosen) * _INT16_PEAK).astype(np.int16)
        return rounded


def write_dataset(
    output: str | os.PathLike[str], plan: DatasetPlan, overwrite: bool = False
) -> Iterator[PlannedClip]:
    """Write a data set, one clip at each step.

    Files appear whole or not at all, and ``synth.json`` after all of them: a folder with it is complete.

    Parameters
    ----------
    output : str or path
        Folder to write into; made where it does not exist.
    plan : DatasetPlan
        What it shall hold.
    overwrite : bool
        Write into a folder that holds something already. Files of the same names are replaced, others stay.

    Yields
    ------
    PlannedClip
        The clip that was just written.

    Raises
    ------
    OutputError
        If the folder cannot be written, or is not empty and `overwrite` is not set.
    """
    folder = Path(output)
    try:
        _make_ready(folder, overwrite)
        table = []
        for clip in plan.clips():
            path = folder / clip.path
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, [_wav(clip.samples())])
            table.append(_row(clip))
            yield clip
        document = dataset_record(plan) | {"clips": table}
        write_atomically(folder / RECORD_NAME, [msgspec.json.format(msgspec.json.encode(document))])
    except OSError as error:
        raise OutputError(f"{error.filename or folder} cannot be written: {error.strerror}") from error


def dataset_record(plan: DatasetPlan) -> dict[str, Any]:
    """What ``synth.json`` says of a data set, but for the table of its clips.

    Parameters
    ----------
    plan : DatasetPlan
        What the data set holds.

    Returns
    -------
    dict
        Generator, version, seed, counts and names of the machines, ready for JSON.
    """
    counts = asdict(plan)
    seed, _ = counts.pop("seed"), counts.pop("machines")
    return {
        "generator": GENERATOR,
        "osscl_version": version("osscl"),
        "seed": seed,
        "counts": counts,
        "machines": [machine.name for machine in machines(plan.machines)],
    }


def _planned(machine: Machine, key: ClipKey) -> PlannedClip:
    name = f"{machine.type.name}/{key.split}/{key.label}_{machine.machine_id}_{key.index:08d}.wav"
    if key.label == "normal":
        return PlannedClip(name, key, None, None)
    # all kinds in turn, each kind at all severities in turn; machines begin at different places
    kinds = machine.type.faults
    step = key.index + machine.number + TYPES.index(machine.type)
    lap, kind = divmod(step, len(kinds))
    return PlannedClip(name, key, kinds[kind], SEVERITIES[(lap + kind) % len(SEVERITIES)])


def _row(clip: PlannedClip) -> dict[str, Any]:
    return {
        "path": clip.path,
        "machine": clip.key.machine,
        "split": clip.key.split,
        "label": clip.key.label,
        "index": clip.key.index,
        "fault": clip.fault,
        "severity": clip.severity,
    }


def _wav(samples: npt.NDArray[np.int16]) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, SAMPLE_RATE_HZ, subtype="PCM_16", format="WAV")
    return file.getvalue()


def _make_ready(folder: Path, overwrite: bool) -> None:
    check_output_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if not overwrite and any(folder.iterdir()):
        raise OutputError(f"{printable(folder)} is not empty; name another folder, or use --overwrite")
    # what is written now makes an earlier record wrong
    (folder / RECORD_NAME).unlink(missing_ok=True)
