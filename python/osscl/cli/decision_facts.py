"""What a model file holds to decide by, as people read it."""

from collections.abc import Iterator

from osscl.cli.limit_lines import in_one_line
from osscl.decisions import smallest_rate
from osscl.decisions.conformal import rounded_up
from osscl.decisions.staircase import MIN_RECORDINGS
from osscl.model_file.decisions import (
    AnyBackground,
    Calibration,
    StoredClip,
    StoredDecisions,
    StoredEmbeddings,
    StoredNormals,
)
from osscl.model_file.manifest import Manifest
from osscl.scoring.judges import Judges
from osscl.support.plurals import counted

_NOTHING = StoredDecisions()


def least_percent(rate: float | None) -> str:
    """The smallest rate that can be asked for, rounded up: what is shown is not refused when it is typed."""
    return "-" if rate is None else f"{100 * rounded_up(rate):.4g} %"


def decision_facts(manifest: Manifest) -> dict[str, str]:
    """Say what decides of each machine, and from what.

    Parameters
    ----------
    manifest : Manifest
        What a model file says of itself.

    Returns
    -------
    dict of str to str
        Backgrounds, memories, calibrations, rules, training clips, detection limits: one line a machine.
    """
    held = manifest.decisions or _NOTHING
    facts = {
        "background": _made_from(held.background),
        "memories": "\n".join(map(_memory, held.memories)) or "none",
    }
    if manifest.has_network:
        facts["memories of embeddings"] = (
            "\n".join(_embeddings(each, manifest) for each in held.embeddings) or "none"
        )
        facts["background of embeddings"] = _made_from(held.embedding_background)
        facts["calibrations"] = (
            "\n".join(_calibration(each, manifest) for each in held.calibrations) or "none"
        )
        facts["rules"] = "; ".join(_rules(manifest))
        facts["training clips"] = (
            "not known: no calibration can be guaranteed"
            if held.training_clips is None
            else f"{len(held.training_clips)} known by their hashes: calibration refuses them"
        )
    if held.limits:
        facts["limits"] = "\n".join(map(in_one_line, held.limits))
    return facts


def _made_from(background: AnyBackground | None) -> str:
    if background is None:
        return "none"
    machines = counted(background.n_machines, "machine")
    return f"{counted(background.n_clips, 'clip')} of {machines}: {background.source}"


def _embeddings(embeddings: StoredEmbeddings, manifest: Manifest) -> str:
    said = _memory(embeddings)
    if embeddings.precision != manifest.precision:
        said += f", in {embeddings.precision}: of no use, the model is {manifest.precision}"
    if manifest.checkpoint is None or embeddings.checkpoint_sha256 != manifest.checkpoint.sha256:
        said += ", of another network: of no use"
    return said


def _memory(memory: StoredNormals) -> str:
    calibrating = memory.held_out or memory.clips
    flagged = sum(clip.flagged for clip in (*memory.clips, *memory.held_out))
    parts = [counted(len(memory.clips), "clip"), _recordings(calibrating)]
    if memory.held_out:
        parts.insert(1, f"{len(memory.held_out)} more calibrate it")
    if memory.is_padded:
        parts.append("filled up")
    if flagged:
        parts.append(f"{flagged} had been called anomalous: no guarantee")
    return f"{memory.owner}: {', '.join(parts)}"


def _calibration(calibration: Calibration, manifest: Manifest) -> str:
    parts = [counted(len(calibration.clips), "clip"), _recordings(calibration.clips)]
    if calibration.precision != manifest.precision:
        parts.append(f"in {calibration.precision}: of no use, the model is {manifest.precision}")
    if not calibration.is_guaranteed:
        parts.append("no guarantee: clips were trained on, or may have been")
    return f"{calibration.machine} ({calibration.rule}): {', '.join(parts)}"


def _recordings(clips: tuple[StoredClip, ...]) -> str:
    count = len({clip.recording for clip in clips})
    if count < MIN_RECORDINGS:
        return f"{counted(count, 'recording')}: too few to decide"
    return f"{counted(count, 'recording')}, smallest rate {least_percent(smallest_rate(count))}"


def _rules(manifest: Manifest) -> Iterator[str]:
    """Machines by the rule that decides of them."""
    judges = Judges(manifest)
    machines_of: dict[str, list[str]] = {}
    for machine in manifest.machines:
        machines_of.setdefault(judges.rule_of(machine), []).append(machine)
    for rule, machines in machines_of.items():
        yield f"{rule}: {'all machines' if len(machines_of) == 1 else ', '.join(machines)}"
