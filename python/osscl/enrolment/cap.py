"""Memories made small enough for a manifest: some of their recordings, drawn by seed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec
import numpy as np
from msgspec.structs import replace as struct_with

from osscl.enrolment.changes import with_fitted, with_held_out
from osscl.enrolment.domains import Owner
from osscl.enrolment.remembered import SEED, Remembered
from osscl.errors import DecisionError
from osscl.model_file.decisions import AnyBackground, StoredClip, StoredMemory
from osscl.support.plurals import counted, verb

MAX_MANIFEST_BYTES = 12 * 2**20
"""Of the whole manifest, as JSON."""
_FEWEST = 3


def capped(
    memories: Mapping[Owner, Remembered], n_bytes_beside: int, background: AnyBackground | None
) -> dict[Owner, Remembered]:
    """Keep as many clips a machine as a manifest has room for.

    Parameters
    ----------
    memories : mapping of Owner to Remembered
        New memories by whose they are.
    n_bytes_beside : int
        What the manifest holds beside them.
    background : StoredBackground or StoredEmbeddingBackground or None
        How clips of other machines vary.

    Returns
    -------
    dict of Owner to Remembered
        The same, or smaller ones that say so.

    Raises
    ------
    DecisionError
        Not even 3 clips of each machine have room.
    """
    room = MAX_MANIFEST_BYTES - n_bytes_beside
    sizes = {owner: _sizes(each) for owner, each in memories.items()}
    largest = max((len(of_clips) for _, of_clips in sizes.values()), default=0)

    def fits(most: int) -> bool:
        return sum(fixed + sum(of_clips[:most]) for fixed, of_clips in sizes.values()) <= room

    if fits(largest):
        return dict(memories)
    if not fits(_FEWEST):
        raise DecisionError(
            f"{counted(len(memories), 'memory')} {verb(len(memories), 'has', 'have')} no room in a "
            f"manifest of {MAX_MANIFEST_BYTES} bytes, "
            "whatever is left out; enroll fewer machines into one file"
        )
    low, high = _FEWEST, largest
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return {owner: _cut(each, low, background) for owner, each in memories.items()}


def _sizes(remembered: Remembered) -> tuple[int, list[int]]:
    """Bytes of a memory as JSON: without clips, and of each clip, largest first."""
    stored = remembered.stored
    n_bytes = len(stored.deviations) + (len(stored.measures) if isinstance(stored, StoredMemory) else 0)
    fitted = [_json_size(clip) + n_bytes / len(stored.clips) * 4 / 3 + 2 for clip in stored.clips]
    held_out = [_json_size(clip) + 8 * 4 / 3 + 2 for clip in stored.held_out]
    without = struct_with(stored, clips=(), deviations=b"", held_out=(), held_out_scores=b"")
    if isinstance(without, StoredMemory):
        without = struct_with(without, measures=b"")
    by_size = sorted((round(size + 0.5) for size in fitted + held_out), reverse=True)
    return _json_size(without) + 16, by_size


def _json_size(thing: object) -> int:
    return len(msgspec.json.encode(thing))


def _cut(remembered: Remembered, most: int, background: AnyBackground | None) -> Remembered:
    """Keep at most so many clips: fitted ones before those that calibrate."""
    stored = remembered.stored
    n_clips = len(stored.clips) + len(stored.held_out)
    if n_clips <= most:
        return remembered
    if len(stored.clips) <= most:
        made = with_held_out(stored, _drawn(stored.held_out, most - len(stored.clips)), background)
    else:
        kept = _drawn(stored.clips, most)
        if len(kept) < _FEWEST:  # every recording is longer than that
            kept = np.linspace(0, len(stored.clips) - 1, most).astype(int).tolist()
        made = with_fitted(stored, kept, background)
    n_kept = len(made.stored.clips) + len(made.stored.held_out)
    note = (
        f"{stored.owner}: {n_kept} of {counted(n_clips, 'clip')} are kept, recordings drawn by seed {SEED}, "
        f"because a manifest has {MAX_MANIFEST_BYTES // 2**20} MiB at most"
    )
    return replace(
        made,
        flagged=remembered.flagged,
        n_set_aside=remembered.n_set_aside + n_clips - n_kept,
        notes=(*remembered.notes, note),
    )


def _drawn(clips: Sequence[StoredClip], most: int) -> list[int]:
    """Draw clips by whole recordings.

    Parameters
    ----------
    clips : sequence of StoredClip
        Clips of several recordings.
    most : int
        How many may be drawn.

    Returns
    -------
    list of int
        Their places, rising; none where every recording is larger.
    """
    places_of: dict[str, list[int]] = {}
    for place, clip in enumerate(clips):
        places_of.setdefault(clip.recording, []).append(place)
    recordings = list(places_of.values())
    kept: list[int] = []
    for at in np.random.default_rng(SEED).permutation(len(recordings)):
        if len(kept) + len(recordings[at]) <= most:
            kept += recordings[at]
    return sorted(kept)
