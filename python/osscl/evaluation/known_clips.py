"""Test clips that the model knows: its memories hold them, or its network was trained on them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np

from osscl.audio.batch import read_clips
from osscl.audio.reading import Clip, Fit
from osscl.audio.samples import clip_sha256
from osscl.model_file.decisions import StoredDecisions, StoredEmbeddings, StoredMemory
from osscl.model_file.manifest import Manifest
from osscl.runs.featured import SHORT_HASH_DIGITS
from osscl.scoring.record import Record
from osscl.support.listing import listed
from osscl.support.plurals import plural, verb

_BATCH = 32
_MAX_NAMED = 3


def warnings_of_known_clips(
    records: Iterable[Record], manifest: Manifest, fit: Fit, threads: int
) -> Iterator[str]:
    """Find test clips that were enrolled or trained on: figures on them say nothing of new recordings.

    Parameters
    ----------
    records : iterable of Record
        Lines of test clips, by one rule or several; what the model may know is read again.
    manifest : Manifest
        What the model file says.
    fit : Fit
        How the recordings were made to fit.
    threads : int
        Processors to read with.

    Yields
    ------
    str
        A sentence at most.
    """
    if manifest.decisions is None:
        return
    known = _Known(manifest.decisions)
    may_be: dict[str, set[str]] = defaultdict(set)
    machines: dict[str, str] = {}
    for record in records:
        if record.score is not None and record.machine is not None:
            may_be[record.path] |= known.behind(record.machine, record.rule)
            machines[record.path] = record.machine
    asked = [path for path, hashes in may_be.items() if hashes]
    found = [path for path, clip in _hashed(asked, manifest, fit, threads) if clip in may_be[path]]
    if found:
        whose = listed(dict.fromkeys(machines[path] for path in found), _MAX_NAMED)
        yield (
            f"{len(found)} of {len(machines)} test {plural(len(machines), 'clip')} "
            f"{verb(len(found), 'was', 'were')} enrolled or "
            f"trained on ({whose}), which "
            "flatters the figures: on new recordings they would be worse; enroll and train on others, such "
            "as the training folders alone"
        )


class _Known:
    """Beginnings of the hashes of the clips that scores rest on."""

    def __init__(self, decisions: StoredDecisions) -> None:
        self._trained = set(decisions.training_clips or ())
        self._remembered: dict[str, set[str]] = defaultdict(set)
        held: list[StoredMemory | StoredEmbeddings] = [*decisions.memories, *decisions.embeddings]
        for memory in held:
            self._remembered[memory.machine] |= {clip.sha256 for clip in (*memory.clips, *memory.held_out)}

    def behind(self, machine: str, rule: str | None) -> set[str]:
        """Those behind a score of a machine by a rule."""
        trained = set() if rule == "memory" else self._trained
        return trained if rule == "network" else trained | self._remembered[machine]


def _hashed(paths: Sequence[str], manifest: Manifest, fit: Fit, threads: int) -> Iterator[tuple[str, str]]:
    """Paths of recordings with the beginnings of their hashes; what can be read no more is passed over."""
    remaining, rate_hz = iter(paths), manifest.front_end.settings.sample_rate_hz
    rows = np.empty((_BATCH, manifest.clip.n_samples), np.int16)
    while group := list(islice(remaining, _BATCH)):
        clips = read_clips(group, rows[: len(group)], fit, manifest.clip, rate_hz, threads)
        for path, clip in zip(group, clips, strict=True):
            if isinstance(clip, Clip):
                yield path, clip_sha256(clip.samples)[:SHORT_HASH_DIGITS]
