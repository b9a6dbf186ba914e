"""Recordings to features: what memories, backgrounds and calibrations are made of."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice, repeat
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from osscl.audio.batch import read_clips
from osscl.audio.candidate import Candidate
from osscl.audio.fetched import fetched_ahead
from osscl.audio.quality import MEASURES, N_MEASURES, measured, of_recorded
from osscl.audio.reading import AS_THEY_ARE, Clip, Fit
from osscl.audio.samples import Samples, clip_sha256, stack_clips
from osscl.config import CLIP, EMBEDDING_SIZE, FRONTEND
from osscl.errors import AudioCorruptError, ClipError
from osscl.features import N_FEATURES, memory_features
from osscl.support.threads import usable_cpus

Embed: TypeAlias = Callable[[Samples], npt.NDArray[np.float32]]
"""Computes numbers [B, size] of samples [B, n_samples]."""

SHORT_HASH_DIGITS = 16
_BATCH = 64


@dataclass(frozen=True, slots=True, eq=False)
class FeaturedClip:
    """One recording's clip, as memories need it.

    Attributes
    ----------
    path : str
        The recording.
    sha256 : str
        First 16 digits of the hash of its waveform, whatever the file's format.
    features : ndarray of float32, [360]
        Its features, dB.
    is_padded : bool
        Whether the recording was shorter than a clip and was filled up.
    sample_rate_hz : int
        Sample rate of the file, before any conversion.
    measures : ndarray of float32, [6]
        What it says of the recording, `osscl.audio.quality.MEASURES`.
    embedding : ndarray of float32, [128], or None
        The network's, where it was asked for.
    start_s : float or None
        Where in the recording it begins, where that is a window of it.
    """

    path: str
    sha256: str
    features: npt.NDArray[np.float32]
    is_padded: bool
    sample_rate_hz: int
    measures: npt.NDArray[np.float32]
    embedding: npt.NDArray[np.float32] | None = None
    start_s: float | None = None

    @property
    def place(self) -> str:
        """The recording, and of a window where it begins: "shift.flac from 20 s"."""
        return self.path if self.start_s is None else f"{self.path} from {self.start_s:g} s"

    @property
    def clipped_share(self) -> float:
        """Share of the samples that are clipped, in [0, 1]."""
        return float(self.measures[MEASURES.index("clipped_share")])


@dataclass(frozen=True, slots=True)
class Unusable:
    """A recording that gives no clip, and why.

    Attributes
    ----------
    path : str
        The recording.
    problem : ClipError
        The reason.
    """

    path: str
    problem: ClipError


def featured_clips(
    candidates: Iterable[Candidate],
    fit: Fit = AS_THEY_ARE,
    *,
    threads: int | None = None,
    embed: Embed | None = None,
    on_clip: Callable[[], object] = lambda: None,
) -> Iterator[FeaturedClip | Unusable]:
    """Read recordings and compute their features, in order.

    Parameters
    ----------
    candidates : iterable of Candidate
        The recordings; never held in memory as a whole.
    fit : Fit
        How recordings that do not fit are made to fit.
    threads : int, optional
        Processors to use; by default all that the process may use.
    embed : callable, optional
        Gives the embeddings [B, 128] of samples [B, n_samples], such as `Detector.embed`.
    on_clip : callable
        Called after each recording.

    Yields
    ------
    FeaturedClip or Unusable
        One for each candidate. A clip of one value alone is unusable: a dead microphone is no normal sound.
    """
    n_threads = usable_cpus() if threads is None else threads
    rows = np.empty((_BATCH, CLIP.n_samples), np.int16)
    with closing(fetched_ahead(candidates)) as remaining, ThreadPoolExecutor(n_threads, "osscl-hash") as pool:
        while group := list(islice(remaining, _BATCH)):
            for found in _of_batch(group, rows, fit, n_threads, pool, embed):
                yield found
                on_clip()


def _of_batch(
    group: list[Candidate],
    rows: npt.NDArray[np.int16],
    fit: Fit,
    threads: int,
    pool: ThreadPoolExecutor,
    embed: Embed | None,
) -> Iterator[FeaturedClip | Unusable]:
    sources = [candidate.source for candidate in group if candidate.problem is None]
    rate_hz = FRONTEND.sample_rate_hz
    starts = [candidate.start_s for candidate in group if candidate.problem is None]
    clips = iter(read_clips(sources, rows[: len(sources)], fit, CLIP, rate_hz, threads, starts))
    read = [_usable(next(clips)) if candidate.problem is None else candidate.problem for candidate in group]
    good = [clip for clip in read if isinstance(clip, Clip)]
    hashes = pool.map(lambda clip: clip_sha256(clip.samples)[:SHORT_HASH_DIGITS], good)
    features = iter(_by_type(partial(memory_features, threads=threads), good, N_FEATURES))
    measures = iter(_measures(good, threads))
    embeddings = repeat(None) if embed is None else iter(_by_type(embed, good, EMBEDDING_SIZE))
    for candidate, clip in zip(group, read, strict=True):
        path = os.fsdecode(candidate.path)
        if isinstance(clip, Clip):
            yield FeaturedClip(
                path,
                next(hashes),
                next(features),
                clip.is_padded(),
                clip.sample_rate_hz,
                next(measures),
                next(embeddings),
                candidate.start_s,
            )
        else:
            yield Unusable(path, clip)


def _usable(clip: Clip | ClipError) -> Clip | ClipError:
    if isinstance(clip, Clip) and clip.silence is not None:
        return AudioCorruptError(f"{clip.silence}: a dead microphone or channel?")
    return clip


def _measures(clips: list[Clip], threads: int) -> npt.NDArray[np.float32]:
    """Measures of clips [B, 6], of the part of each that was recorded."""
    whole = [clip for clip in clips if not clip.is_padded()]
    of_whole = iter(_by_type(lambda samples: measured(samples, threads=threads).stored, whole, N_MEASURES))
    rows = [of_recorded(clip).stored[0] if clip.is_padded() else next(of_whole) for clip in clips]
    return np.stack(rows) if rows else np.empty((0, N_MEASURES), np.float32)


def _by_type(compute: Embed, clips: list[Clip], size: int) -> npt.NDArray[np.float32]:
    """What is computed of clips [B, size], each in the type that it has."""
    if not clips:
        return np.empty((0, size), np.float32)
    if len({clip.samples.dtype for clip in clips}) == 1:
        return compute(stack_clips([clip.samples for clip in clips]))
    return np.concatenate([compute(clip.samples[np.newaxis]) for clip in clips])
