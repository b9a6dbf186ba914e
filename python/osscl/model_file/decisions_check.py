"""Memories, backgrounds, calibrations and detection limits held against themselves.

Sizes of arrays, names, and what knows what.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from osscl.machines.domains import DOMAINS
from osscl.model_file.decisions import (
    N_EMBEDDING,
    N_FEATURES,
    N_LEVEL,
    N_MEASURES,
    Calibration,
    StoredBackground,
    StoredDecisions,
    StoredMemory,
    StoredNormals,
)
from osscl.model_file.limits import DetectionLimit, MachineLimits
from osscl.model_file.manifest import Manifest

_TRIANGLE = N_LEVEL * (N_LEVEL + 1) // 2
_TRIANGLE_OF_EMBEDDING = N_EMBEDDING * (N_EMBEDDING + 1) // 2
_MIN_CLIPS, _MAX_CLIPS = 3, 512


class _Array(NamedTuple):
    """An array that stands in the manifest: its name, bytes, type, and how many numbers it must hold."""

    name: str
    content: bytes
    dtype: str
    size: int


def flaws_of(decisions: StoredDecisions, manifest: Manifest) -> Iterator[str]:
    """Find what contradicts itself.

    Parameters
    ----------
    decisions : StoredDecisions
        What the file holds to decide by.
    manifest : Manifest
        All that the file says.

    Yields
    ------
    str
        One flaw, with its place in the document.
    """
    known = manifest.classes_of_machines
    if decisions.background is not None:
        yield from _flaws_of_background(decisions.background)
        features = decisions.background.features_sha256
        others = [each.machine for each in decisions.memories if each.features_sha256 != features]
        if others:
            yield f"`$.decisions.background` is of other features than the memory of {others[0]}"
    for number, memory in enumerate(decisions.memories):
        yield from _flaws_of_memory(memory, f"$.decisions.memories[{number}]")
    yield from _flaws_of_embeddings(decisions, manifest)
    for number, calibration in enumerate(decisions.calibrations):
        yield from _flaws_of_calibration(calibration, f"$.decisions.calibrations[{number}]")
        if calibration.machine not in known:
            yield f"`$.decisions.calibrations[{number}]` is of {calibration.machine}, no class of the network"
    for name, keys in (
        ("memories", [memory.owner for memory in decisions.memories]),
        ("embeddings", [each.machine for each in decisions.embeddings]),
        ("calibrations", [(each.machine, each.rule) for each in decisions.calibrations]),
        ("limits", [(each.machine, each.rule) for each in decisions.limits]),
    ):
        repeated = [key for key, count in Counter(keys).items() if count > 1]
        if repeated:
            yield f"`$.decisions.{name}` holds {repeated[0]} twice"
    for machine in dict.fromkeys(memory.machine for memory in decisions.memories):
        domains = {memory.domain for memory in decisions.memories_of(machine)}
        if domains not in ({None}, set(DOMAINS)):
            named = " and ".join(str(domain or "none") for domain in (None, *DOMAINS) if domain in domains)
            yield (
                f"`$.decisions.memories` holds {machine} of the domain {named}; expected one memory without "
                f"a domain, or one each of {' and '.join(DOMAINS)}"
            )
    for number, limits in enumerate(decisions.limits):
        yield from _flaws_of_limits(limits, f"$.decisions.limits[{number}]", decisions)
    for machine, rule in decisions.rules.items():
        if rule in ("memory", "both") and not decisions.memories_of(machine):
            yield f"`$.decisions.rules` says {rule} of {machine}, which has no memory"
        if rule == "embedding" and decisions.embeddings_of(machine) is None:
            yield f"`$.decisions.rules` says {rule} of {machine}, which has no memory of embeddings"
        if rule in ("network", "both") and machine not in known:
            yield f"`$.decisions.rules` says {rule} of {machine}, which the network does not know"


def _flaws_of_background(background: StoredBackground) -> Iterator[str]:
    yield from _flaws_of_arrays(
        "$.decisions.background",
        _Array("level", background.level, "<f4", _TRIANGLE),
        _Array("modulation", background.modulation, "<f4", 96),
        _Array("flutter", background.flutter, "<f4", 200),
        _Array("event", background.event, "<f4", 32),
    )


def _flaws_of_embeddings(decisions: StoredDecisions, manifest: Manifest) -> Iterator[str]:
    background, place = decisions.embedding_background, "$.decisions.embedding_background"
    if background is not None:
        array = _Array("embedding", background.embedding, "<f4", _TRIANGLE_OF_EMBEDDING)
        yield from _flaws_of_arrays(place, array)
        of_file = None if manifest.checkpoint is None else manifest.checkpoint.sha256
        if background.checkpoint_sha256 is None or background.checkpoint_sha256 != of_file:
            yield f"`{place}` is of embeddings of another network than the file's"
    for number, each in enumerate(decisions.embeddings):
        yield from _flaws_of_normals(each, N_EMBEDDING, f"$.decisions.embeddings[{number}]")
        if manifest.model is None:
            yield f"`$.decisions.embeddings[{number}]` is of embeddings, and the file holds no network"


def _flaws_of_memory(memory: StoredMemory, place: str) -> Iterator[str]:
    yield from _flaws_of_normals(memory, N_FEATURES, place)
    n_measures = len(memory.clips) * N_MEASURES if memory.measures else 0
    yield from _flaws_of_arrays(place, _Array("measures", memory.measures, "<f4", n_measures))


def _flaws_of_normals(stored: StoredNormals, size: int, place: str) -> Iterator[str]:
    """What contradicts itself in a memory whose clips have so many numbers."""
    if not _MIN_CLIPS <= len(stored.clips) <= _MAX_CLIPS:
        yield f"`{place}.clips` are {len(stored.clips)}; a memory has {_MIN_CLIPS} to {_MAX_CLIPS}"
    yield from _flaws_of_arrays(
        place,
        _Array("mean", stored.mean, "<f4", size),
        _Array("deviations", stored.deviations, "<f2", len(stored.clips) * size),
        _Array("held_out_scores", stored.held_out_scores, "<f8", len(stored.held_out)),
    )


def _flaws_of_calibration(calibration: Calibration, place: str) -> Iterator[str]:
    yield from _flaws_of_arrays(place, _Array("scores", calibration.scores, "<f8", len(calibration.clips)))
    is_both = calibration.rule == "both"
    if is_both != (calibration.log_median is not None) or is_both != (calibration.log_mad is not None):
        yield f"`{place}` has `log_median` and `log_mad` for the rule both alone"


def _flaws_of_limits(limits: MachineLimits, place: str, decisions: StoredDecisions) -> Iterator[str]:
    if limits.rule == "embedding":
        yield f"`{place}` is of the rule embedding, of which no limits are measured"
        return
    if limits.rule != "network" and not decisions.memories_of(limits.machine):
        yield f"`{place}` is of the rule {limits.rule} of {limits.machine}, which has no memory"
    if limits.rule != "memory" and decisions.calibration_of(limits.machine, limits.rule) is None:
        yield f"`{place}` is of the rule {limits.rule} of {limits.machine}, which has no calibration for it"
    for number, each in enumerate(limits.limits):
        if not each.low_hz < each.high_hz:
            yield f"`{place}.limits[{number}]` is of {each.low_hz:g} to {each.high_hz:g} Hz, no band"
        if not _is_rising(each):
            yield (
                f"`{place}.limits[{number}]` has a50 {each.a50}, a90 {each.a90}, a90_95 {each.a90_95} and "
                f"largest {each.largest}; expected sizes that rise, those that are not found left out"
            )


def _is_rising(limit: DetectionLimit) -> bool:
    """Whether sizes of one sign rise, and none is named beyond one that is not found."""
    sizes = [limit.a50, limit.a90, limit.a90_95, limit.largest]
    known = [size for size in sizes if size is not None]
    if any(size is not None for size in sizes[sizes.index(None) : 3]) if None in sizes else False:
        return False
    falls = limit.unit == "dB" and limit.largest < 0
    return known == sorted(known, reverse=falls)


def _flaws_of_arrays(place: str, *arrays: _Array) -> Iterator[str]:
    for array in arrays:
        dtype = np.dtype(array.dtype)
        if len(array.content) != array.size * dtype.itemsize:
            yield (
                f"`{place}.{array.name}` holds {len(array.content)} bytes; expected {array.size} numbers of "
                f"{dtype.itemsize} bytes"
            )
        elif not np.isfinite(np.frombuffer(array.content, dtype)).all():
            yield f"`{place}.{array.name}` holds numbers that are not finite"
