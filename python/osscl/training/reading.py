"""The clips of a training, read once: checked, put into classes, hashed and summed up in features."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from osscl.audio.reading import AS_THEY_ARE, Fit, read_clip
from osscl.audio.samples import clip_sha256
from osscl.errors import AudioCorruptError, ClipError, TrainingDataError
from osscl.features import memory_features
from osscl.machines.attribute_tables import AttributeTables
from osscl.machines.label_table import LabelTable
from osscl.machines.survey import Survey
from osscl.runs.passed_over import PassedOver
from osscl.support.links import missing
from osscl.support.listing import and_more, first_of
from osscl.support.paths import printable
from osscl.support.plurals import counted
from osscl.support.threads import usable_cpus
from osscl.training.classes import check_kind, class_of
from osscl.training.clips import BadClip, TrainingClip, TrainingData, check_counts, classes_of
from osscl.training.found import PLACE, Found, NotTaken, find_training_files
from osscl.training.train_config import ClassKind

_MAX_LISTED = 20


class _Read(NamedTuple):
    """A clip, and its features [360]."""

    clip: TrainingClip
    features: npt.NDArray[np.float32]


def read_training_data(
    roots: Sequence[str | os.PathLike[str]],
    *,
    fit: Fit = AS_THEY_ARE,
    skip_bad: bool = False,
    labels: str | os.PathLike[str] | None = None,
    classes: ClassKind = "machine",
    passed_over: PassedOver | None = None,
    on_survey: Callable[[Survey], object] = lambda survey: None,
    on_machines: Callable[[Sequence[str]], object] = lambda machines: None,
    on_clip: Callable[[int, int], None] = lambda done, total: None,
) -> TrainingData:
    """Read every clip once: check it, name its class, hash it.

    Parameters
    ----------
    roots : sequence of path-like
        Folders of recordings (``.wav``, ``.flac``, ``.w64`` or ``.rf64``) in a layout that
        `osscl.machines.layouts` knows, or in ``<type>/train`` with IDs in their names, at any depth; what
        several of them hold of one type is merged.
    fit : Fit
        How recordings that do not fit are made to fit.
    skip_bad : bool
        Leave out clips that cannot be used, instead of refusing them all.
    labels : path-like, optional
        A table of labels, which names machines of recordings in any folders.
    classes : {"machine", "section", "attributes"}
        What the network learns to tell apart, see `TrainConfig`.
    passed_over : PassedOver, optional
        Counts what the search met and did not take.
    on_survey : callable
        Called with what was found, before anything is read.
    on_machines : callable
        Called with the machines that the files are of, in order, before anything is read.
    on_clip : callable
        Called with the number of clips done, and of all.

    Returns
    -------
    TrainingData
        At least two classes, of at least two clips each where they are machines.

    Raises
    ------
    TrainingDataError
        A root is not there; there are no clips, or too few; sections are asked for and there are none; clips
        cannot be used, which are named; the folders of a machine type mix two layouts; or one recording
        stands for two classes.
    LabelTableError
        The table cannot be used.
    """
    for root in roots:
        if (problem := missing(root)) is not None:
            raise TrainingDataError(problem)
    table = None if labels is None else LabelTable.read(labels)
    met, survey = NotTaken(PassedOver() if passed_over is None else passed_over), Survey()
    attributes = AttributeTables() if classes == "attributes" else None
    files = list(find_training_files(roots, met, survey, table, attributes))
    if survey.mixed is not None:
        raise TrainingDataError(survey.mixed)
    if not files:
        raise TrainingDataError(_nothing_of(met, roots, table))
    on_survey(survey)
    machines = sorted({found.told.machine for found in files if found.told.machine})
    check_kind(machines, classes)
    on_machines(machines)
    good, bad = _read_all(files, fit, classes, on_clip)
    if bad and not skip_bad:
        raise TrainingDataError(_listed(bad))
    unique = _without_repeats([each.clip for each in good])
    names = classes_of(unique)
    check_counts(unique, names, classes)
    return TrainingData(
        tuple(unique),
        names,
        tuple(bad),
        len(good) - len(unique),
        fit,
        {each.clip.sha256: each.features for each in good},
        classes,
        len(met.anomalous),
        len(met.unlabelled),
        0 if attributes is None else attributes.without_row,
    )


def _nothing_of(met: NotTaken, roots: Sequence[str | os.PathLike[str]], table: LabelTable | None) -> str:
    if met.anomalous or met.unlabelled:
        told = "by their names and folders" if table is None else "by the table of labels"
        return (
            f"there is no normal recording to train on: {len(met.anomalous)} are anomalous {told}, and "
            f"{len(met.unlabelled)} have no label; add normal ones"
        )
    where = f"in a folder {PLACE}," if table is None else "with a row in the table of labels"
    return met.passed_over.refusal(roots, where)


def _read_all(
    files: Sequence[Found], fit: Fit, classes: ClassKind, on_clip: Callable[[int, int], None]
) -> tuple[list[_Read], list[BadClip]]:
    good: list[_Read] = []
    bad: list[BadClip] = []
    with ThreadPoolExecutor(usable_cpus(), "osscl-scan") as pool:
        try:
            for done, clip in enumerate(pool.map(partial(_read, fit, classes), files), start=1):
                if isinstance(clip, _Read):
                    good.append(clip)
                else:
                    bad.append(clip)
                on_clip(done, len(files))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return good, bad


def _read(fit: Fit, classes: ClassKind, found: Found) -> _Read | BadClip:
    candidate, told = found
    path = candidate.path
    try:
        if candidate.problem is not None:
            raise candidate.problem
        class_name = class_of(told, classes)
        clip = read_clip(path, fit)
        if clip.silence is not None:  # nothing is learned from it but what silence is
            raise AudioCorruptError(f"{clip.silence}: a dead microphone or channel?")
        features = memory_features(
            clip.samples, threads=1
        )  # while it is in memory: most of the work is reading
        machine = told.machine or ""
        return _Read(TrainingClip(path, machine, clip_sha256(clip.samples), class_name), features)
    except ClipError as error:
        return BadClip(path, error)


def _without_repeats(clips: list[TrainingClip]) -> list[TrainingClip]:
    """Keep one of several equal clips: held out and trained on at once, they would flatter the hold-out."""
    unique: dict[str, TrainingClip] = {}
    for clip in clips:
        first = unique.setdefault(clip.sha256, clip)
        if first.class_name != clip.class_name:
            raise TrainingDataError(
                f"{printable(first.path)} of {first.class_name} and {printable(clip.path)} of "
                f"{clip.class_name} are the same recording; keep the one whose machine is right"
            )
    return sorted(unique.values(), key=lambda clip: (clip.class_name, clip.sha256))


def _listed(bad: list[BadClip]) -> str:
    if len(bad) == 1:
        path, problem = bad[0]
        return f"{printable(path)} cannot be trained on: {problem}; mend or remove it, or use --skip-bad"
    first, n_left = first_of(bad, _MAX_LISTED)
    shown = "".join(f"\n  {printable(clip.path)}: {clip.problem}" for clip in first)
    more = f"\n {and_more(n_left)}" if n_left else ""
    remedy = "mend or remove them, or leave them out with --skip-bad"
    return f"{counted(len(bad), 'clip')} cannot be trained on:{shown}{more}\n{remedy}"
