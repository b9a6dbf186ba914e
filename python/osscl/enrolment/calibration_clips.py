"""Which normal clips may calibrate, and how many a model file has room for."""

from collections.abc import Mapping, Sequence, Set

import numpy as np
from msgspec.structs import replace

from osscl.enrolment.cap import MAX_MANIFEST_BYTES
from osscl.enrolment.normals import Normal
from osscl.errors import DecisionError
from osscl.model_file.decisions import StoredDecisions
from osscl.model_file.manifest import Manifest
from osscl.model_file.manifest_json import encode_manifest
from osscl.support.listing import listed
from osscl.support.plurals import counted, verb

MAX_CLIPS = 2000
"""Clips that calibrate a machine at most: no threshold gets better by more."""
_FEWEST = 3
_MAX_NAMED = 20
_BYTES_OF_CLIP = 128
"""Of a clip with its score as JSON, but for the name of its recording."""


def refuse_training_clips(
    chosen: Mapping[str, Sequence[Normal]], trained: Set[str], *, allowed: bool
) -> dict[str, int]:
    """Refuse clips that the network was trained on: their scores are lower than those of new clips.

    Parameters
    ----------
    chosen : mapping of str to sequence of Normal
        Clips by machine.
    trained : set of str
        Beginnings of the hashes of training clips.
    allowed : bool
        Count them alone.

    Returns
    -------
    dict of str to int
        How many there are, by machine.

    Raises
    ------
    DecisionError
        There are some; up to 20 are named.
    """
    found = {
        machine: [normal.clip.path for normal in normals if normal.clip.sha256 in trained]
        for machine, normals in chosen.items()
    }
    paths = [path for of_machine in found.values() for path in of_machine]
    if paths and not allowed:
        raise DecisionError(
            f"the network was trained on {len(paths)} of these "
            f"{counted(sum(map(len, chosen.values())), 'clip')}, whose scores are too low for a "
            f"threshold: {listed(paths, _MAX_NAMED)}; leave them out (--skip-training-clips), or use "
            "--allow-training-clips and have no guarantee"
        )
    return {machine: len(of_machine) for machine, of_machine in found.items()}


def not_trained_on(normals: Sequence[Normal], trained: Set[str]) -> list[Normal]:
    """Clips of recordings that took no part in the training.

    Parameters
    ----------
    normals : sequence of Normal
        Clips of a machine.
    trained : set of str
        Beginnings of the hashes of training clips.

    Returns
    -------
    list of Normal
        In their order. A recording of which one clip was trained on is left out whole: its other clips are
        no new ones to the network either.
    """
    known = {normal.recording for normal in normals if normal.clip.sha256 in trained}
    return [normal for normal in normals if normal.recording not in known]


def clips_a_machine(manifest: Manifest, chosen: Mapping[str, Sequence[Normal]]) -> int:
    """How many clips of each machine a manifest has room for beside all else.

    Parameters
    ----------
    manifest : Manifest
        What the file holds so far.
    chosen : mapping of str to sequence of Normal
        Clips by machine.

    Returns
    -------
    int
        At most 2000.

    Raises
    ------
    DecisionError
        Not even 3 have room.
    """
    beside = manifest if manifest.decisions is None else _without_replaced(manifest, chosen)
    names = [len(normal.recording.encode()) for normals in chosen.values() for normal in normals]
    room = MAX_MANIFEST_BYTES - len(encode_manifest(beside))
    most = min(room // (len(chosen) * (_BYTES_OF_CLIP + max(names))), MAX_CLIPS)
    if most < _FEWEST:
        raise DecisionError(
            f"calibrations of {counted(len(chosen), 'machine')} "
            f"{verb(len(chosen), 'has', 'have')} no room in a manifest of "
            f"{MAX_MANIFEST_BYTES} bytes; calibrate fewer, or give recordings shorter names"
        )
    return most


def _without_replaced(manifest: Manifest, chosen: Mapping[str, object]) -> Manifest:
    decisions = manifest.decisions or StoredDecisions()
    staying = tuple(each for each in decisions.calibrations if each.machine not in chosen)
    limits = tuple(each for each in decisions.limits if each.machine not in chosen)
    return replace(manifest, decisions=replace(decisions, calibrations=staying, limits=limits))


def thinned(normals: Sequence[Normal], most: int) -> list[Normal]:
    """Keep at most so many clips: one of each recording in turn, drawn by a seed.

    Parameters
    ----------
    normals : sequence of Normal
        Clips of a machine.
    most : int
        How many are kept at most.

    Returns
    -------
    list of Normal
        In the order in which they were given. All recordings have a clip among them where they can.
    """
    if len(normals) <= most:
        return list(normals)
    turns: dict[str, int] = {}
    order = np.random.default_rng(0).permutation(len(normals))
    turn_of = np.empty(len(normals), np.intp)
    for place in order:
        recording = normals[place].recording
        turn_of[place] = turns[recording] = turns.get(recording, -1) + 1
    by_turn = order[np.argsort(turn_of[order], kind="stable")]
    return [normals[place] for place in np.sort(by_turn[:most])]
