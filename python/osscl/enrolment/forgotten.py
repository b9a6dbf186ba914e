"""Clips that memories shall forget, named by their files or by their hashes."""

import os
import re
from collections.abc import Sequence

from osscl.audio.candidate import Candidate
from osscl.audio.reading import Fit
from osscl.errors import DecisionError
from osscl.model_file.decisions import StoredNormals
from osscl.runs.featured import SHORT_HASH_DIGITS, Unusable, featured_clips
from osscl.support.paths import printable

_HASH = re.compile(r"[0-9a-f]{16}(?:[0-9a-f]{48})?")


def hashes_to_forget(
    clips: Sequence[str | os.PathLike[str]], memories: Sequence[StoredNormals], fit: Fit
) -> set[str]:
    """Find the clips that are to be forgotten.

    Parameters
    ----------
    clips : sequence of path-like
        Files, or beginnings of hashes as a report or a model file spells them: 16 digits, or all 64.
    memories : sequence of StoredMemory or StoredEmbeddings
        Where they are looked for.
    fit : Fit
        How files are made to fit: the same way as when they were enrolled.

    Returns
    -------
    set of str
        Their hashes.

    Raises
    ------
    DecisionError
        A file cannot be read, or no memory holds the clip.
    """
    known = {clip.sha256 for memory in memories for clip in (*memory.clips, *memory.held_out)}
    found = set()
    for clip in map(os.fsdecode, clips):
        short = _hash_of(clip, fit)
        if short not in known:
            raise DecisionError(
                f"no memory holds the clip {printable(clip)} (hash {short}), so none can forget it; "
                "osscl inspect MODEL --json lists the clips of each memory"
            )
        found.add(short)
    return found


def _hash_of(clip: str, fit: Fit) -> str:
    if _HASH.fullmatch(clip) and not os.path.lexists(clip):
        return clip[:SHORT_HASH_DIGITS]
    (read,) = featured_clips([Candidate(clip)], fit)
    if isinstance(read, Unusable):
        raise DecisionError(
            f"{printable(clip)} is to be forgotten and cannot be read: {read.problem}; its hash says as well "
            "which clip is meant"
        )
    return read.sha256
