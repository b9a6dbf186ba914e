"""A data set in the layout of DCASE Task 2: how it comes onto disk, and what stands beside its clips."""

import io
import os
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import soundfile

from osscl.errors import OutputError
from osscl.support.atomic import write_atomically
from osscl.support.outputs import check_output_folder, refuse_used_folder
from osscl.synth.clip import evidence_of
from osscl.synth.fault_kind import Evidence
from osscl.synth.machines import machine
from osscl.synth.names import ATTRIBUTE, attribute_tables
from osscl.synth.plan import DatasetPlan, PlannedClip
from osscl.synth.spectrum import SAMPLE_RATE_HZ

GENERATOR = "osscl.synth/1"
"""Names the exact computation: clips of one key are the same as long as this name is."""
RECORD_NAME = "synth.json"


def write_dataset(
    output: str | os.PathLike[str], plan: DatasetPlan, overwrite: bool = False
) -> Iterator[PlannedClip]:
    """Write a data set, one clip at each step.

    Beside the clips of two sites stand tables of their attributes, such as ``blower/attributes_00.csv``.
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
            table.append(_row(clip, plan))
            yield clip
        if plan.second_site:
            names = ((machine(clip.key.machine), clip.named) for clip in plan.clips())
            for name, text in attribute_tables(names):
                write_atomically(folder / name, [text.encode()])
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
    sites = {"second_site": True, "target": plan.n_target} if plan.second_site else {}
    return {
        "generator": GENERATOR,
        "osscl_version": version("osscl"),
        "seed": plan.seed,
        "hard": plan.hard,
        "counts": {"train": plan.train, "normal": plan.normal, "anomalous": plan.anomalous},
        **sites,
        "machines": [plan.name_of(each) for each in plan.all_machines()],
    }


def _row(clip: PlannedClip, plan: DatasetPlan) -> dict[str, Any]:
    sites: dict[str, Any] = {}
    if plan.second_site:
        sites = {"domain": clip.key.site, "attributes": {ATTRIBUTE: clip.attribute}}
    chosen = clip.chosen_fault()
    evidence = Evidence() if chosen is None else evidence_of(clip.key, chosen)
    return {
        "path": clip.path,
        "machine": plan.name_of(machine(clip.key.machine)),
        **sites,
        "split": clip.key.split,
        "label": clip.key.label,
        "index": clip.key.index,
        "fault": clip.fault,
        "severity": clip.severity,
        "mode": clip.key.mode,
        "band_hz": evidence.band_hz,
        "rate_hz": evidence.rate_hz,
        "time_s": evidence.time_s,
    }


def _wav(samples: npt.NDArray[np.int16]) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, SAMPLE_RATE_HZ, subtype="PCM_16", format="WAV")
    return file.getvalue()


def _make_ready(folder: Path, overwrite: bool) -> None:
    check_output_folder(folder)
    refuse_used_folder(folder, overwrite=overwrite)
    folder.mkdir(parents=True, exist_ok=True)
    # what is written now makes an earlier record wrong
    (folder / RECORD_NAME).unlink(missing_ok=True)
