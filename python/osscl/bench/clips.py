"""The recordings that a benchmark runs on: those of a folder, or synthetic ones."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from osscl.audio.reading import AS_THEY_ARE, Fit, read_clip
from osscl.audio.samples import Samples
from osscl.errors import BenchmarkError, ClipError
from osscl.model_file.manifest import Manifest
from osscl.runs.folder import find_some_recordings
from osscl.runs.passed_over import PassedOver
from osscl.support.log import quiet_logger
from osscl.support.paths import printable
from osscl.synth import DatasetPlan, write_dataset

_log = quiet_logger(__name__)
_MAX_IN_MEMORY = 64
_SYNTH_MACHINES, _SYNTH_SEED = 12, 11


@dataclass(frozen=True, slots=True, eq=False)
class Clips:
    """Recordings to measure on.

    Attributes
    ----------
    source : str
        Where they come from.
    paths : list of str
        Files that the model can score.
    samples : list of ndarray, each [n_samples]
        The first of them, read.
    n_unusable : int
        Files of the folder that were passed over.
    fit : Fit
        How files that do not fit are made to fit.
    """

    source: str
    paths: list[str]
    samples: list[Samples]
    n_unusable: int
    fit: Fit


@contextmanager
def open_clips(
    folder: Path | None, count: int, manifest: Manifest, on_clip: Callable[[], Any], fit: Fit = AS_THEY_ARE
) -> Iterator[Clips]:
    """Find recordings, or make them for the time of the benchmark.

    Parameters
    ----------
    folder : Path or None
        Where to look for recordings; None makes recordings.
    count : int
        Recordings at most.
    manifest : Manifest
        Clip rule and sample rate of the model.
    on_clip : callable
        Called after each recording read.
    fit : Fit
        How the folder's recordings are made to fit.

    Yields
    ------
    Clips
        At least one recording.

    Raises
    ------
    NoRecordingsError
        The folder holds no recording.
    BenchmarkError
        It holds none that the model can score.
    """
    if folder is not None:
        yield _read(folder, printable(folder), count, manifest, on_clip, fit)
        return
    plan = DatasetPlan(machines=min(_SYNTH_MACHINES, count), normal=count, seed=_SYNTH_SEED)
    name = f"osscl synth --machines {plan.machines} --normal {plan.normal} --seed {plan.seed}"
    with tempfile.TemporaryDirectory(prefix="osscl-bench-") as made:
        for _ in write_dataset(made, plan, overwrite=True):
            pass
        yield _read(Path(made), name, count, manifest, on_clip, AS_THEY_ARE)


def _read(
    folder: Path, source: str, count: int, manifest: Manifest, on_clip: Callable[[], Any], fit: Fit
) -> Clips:
    paths: list[str] = []
    samples: list[Samples] = []
    refused: list[str] = []
    passed_over = PassedOver()
    for candidate in find_some_recordings([folder], passed_over):
        try:
            if candidate.problem is not None:
                raise candidate.problem
            rate_hz = manifest.front_end.settings.sample_rate_hz
            clip = read_clip(candidate.path, fit, manifest.clip, rate_hz)
        except ClipError as error:
            refused.append(f"{printable(candidate.path)}: {error}")
            continue
        paths.append(candidate.path)
        if len(samples) < _MAX_IN_MEMORY:
            samples.append(clip.samples)
        on_clip()
        if len(paths) == count:
            break
    for note in passed_over.notes():
        _log.warning("%s", note)
    if not paths:
        raise BenchmarkError(
            f"{source} holds no recording that the model can score; the first of {len(refused)}: "
            f"{refused[0]}; name another folder, or none to measure on synthetic recordings"
        )
    return Clips(source, paths, samples, len(refused), fit)
