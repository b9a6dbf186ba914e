"""Which normal clips changes are laid into, and under which names the model file knows their recordings."""

from collections.abc import Sequence
from dataclasses import replace

from osscl.audio.reading import Fit
from osscl.enrolment.both_scores import refuse_unlike
from osscl.enrolment.calibration_clips import thinned
from osscl.enrolment.normals import Normal
from osscl.model_file.decisions import StoredDecisions
from osscl.model_file.named import Rule


def chosen_clips(
    machine: str, rule: Rule, normals: Sequence[Normal], stored: StoredDecisions, fit: Fit, most: int
) -> list[Normal]:
    """Choose clips of a machine, each named after the recording that the model file knows it by.

    Parameters
    ----------
    machine : str
        Its ID.
    rule : {"network", "memory", "both"}
        Which score decides.
    normals : sequence of Normal
        Its clips.
    stored : StoredDecisions
        What the model file holds.
    fit : Fit
        How recordings were made to fit.
    most : int
        How many are chosen at most: of each recording in turn, drawn by a seed.

    Returns
    -------
    list of Normal
        In the order of their hashes, so that the order of the files does not matter.

    Raises
    ------
    DecisionError
        The memory is of recordings that were made to fit or grouped in another way.
    """
    if rule != "network":
        refuse_unlike(stored.memory_of(machine), normals, fit)
    known = _recording_of(machine, rule, stored)
    same = {
        each.recording: known[each.clip.sha256] for each in normals if each.clip.sha256 in known
    }
    named = [replace(each, recording=same.get(each.recording, each.recording)) for each in normals]
    return thinned(sorted(named, key=lambda each: each.clip.sha256), most)


def n_unknown(machine: str, rule: Rule, clips: Sequence[Normal], stored: StoredDecisions) -> int:
    """Count the recordings that what decides was not made from.

    Parameters
    ----------
    machine : str
        Its ID.
    rule : {"network", "memory", "both"}
        Which score decides.
    clips : sequence of Normal
        As `chosen_clips` gives them.
    stored : StoredDecisions
        What the model file holds.

    Returns
    -------
    int
        They are judged by it as it is.
    """
    known = set(_recording_of(machine, rule, stored).values())
    return len({each.recording for each in clips} - known)


def _recording_of(machine: str, rule: Rule, stored: StoredDecisions) -> dict[str, str]:
    """Recording of each clip that the rule's memory or calibration was made from, by hash."""
    memory, calibration = stored.memory_of(machine), stored.calibration_of(machine, rule)
    clips = () if calibration is None else calibration.clips
    if memory is not None and rule != "network":
        clips = (*clips, *memory.held_out, *memory.clips)
    return {clip.sha256: clip.recording for clip in clips}
