"""Of which machines nothing will be decided: told from what a model file holds, before any memory is made."""

from collections.abc import Iterable, Iterator, Sequence

from osscl.decisions import smallest_rate, too_few_recordings
from osscl.machines.domains import DOMAINS
from osscl.model_file.decisions import Calibration, Rule, StoredClip, StoredDecisions, StoredNormals, owner_of
from osscl.model_file.manifest import Precision
from osscl.scoring.calibrated import why_uncalibrated
from osscl.scoring.judge import DEFAULT_RATE

OF_MEMORIES: tuple[Rule, ...] = ("memory", "embedding")
"""Rules by which the memory itself decides, without a calibration beside it."""


def undecided_machines(
    held: StoredDecisions,
    rules: Iterable[tuple[str, Rule]],
    rate: float | None,
    domain: str,
    precision: Precision | None,
) -> Iterator[tuple[str, str]]:
    """Name the machines of which nothing will be decided, and why.

    Parameters
    ----------
    held : StoredDecisions
        What the file holds to decide by.
    rules : iterable of (str, str)
        Machines that can be scored, each with its rule.
    rate : float or None
        False-alarm rate asked for; None for one that each machine's recordings can speak of.
    domain : {"auto", "unknown", "source", "target"}
        Of all clips.
    precision : str or None
        The network's arithmetic.

    Yields
    ------
    machine : str
        With its domain, where its memories are by domain.
    reason : str
        What `Judge.undecided` says of it.
    """
    # asked for with each machine, of which a file may hold thousands
    remembered: dict[tuple[str, str], list[StoredNormals]] = {}
    for memory in held.memories:
        remembered.setdefault((memory.machine, "memory"), []).append(memory)
    for embeddings in held.embeddings:
        remembered.setdefault((embeddings.machine, "embedding"), []).append(embeddings)
    calibrations: dict[tuple[str, Rule], Calibration] = {
        (each.machine, each.rule): each for each in held.calibrations
    }
    for machine, rule in rules:
        for normals in remembered.get((machine, rule), ()):
            if domain in DOMAINS and normals.domain not in (None, domain):
                continue
            if (why := _too_few(normals.held_out or normals.clips, rate)) is not None:
                yield owner_of(machine, normals.domain), why
        if rule in OF_MEMORIES:
            continue
        calibration = calibrations.get((machine, rule))
        why = why_uncalibrated(calibration, precision)
        if why is None and calibration is not None:
            why = _too_few(calibration.clips, rate)
        if why is not None:
            yield machine, why


def _too_few(clips: Sequence[StoredClip], rate: float | None) -> str | None:
    """Why normal clips cannot speak of a rate; None where they can."""
    n_recordings = len({clip.recording for clip in clips})
    if rate is None:
        rate = max(DEFAULT_RATE, smallest_rate(max(1, n_recordings)))
    return too_few_recordings(n_recordings, rate)
