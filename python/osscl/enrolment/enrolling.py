"""Normal recordings into a model file: `enroll`."""

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace as struct_with

from osscl.enrolment.backgrounds import background_for, background_of
from osscl.enrolment.cap import capped
from osscl.enrolment.domains import Owner, by_owner, check_domains
from osscl.enrolment.dropped_limits import dropped_limits, without_limits
from osscl.enrolment.forgotten import hashes_to_forget
from osscl.enrolment.long_recordings import in_windows
from osscl.enrolment.memories import changed_memories, described, refuse_unreachable_rate
from osscl.enrolment.normals import Normals, read_normals
from osscl.enrolment.options import EnrolOptions
from osscl.enrolment.plan import Plan, plan_of
from osscl.enrolment.remembered import Remembered
from osscl.enrolment.report import Enrolment, UnusableRecording
from osscl.enrolment.rules import rule_once_enrolled
from osscl.enrolment.warnings import named, warnings_of, warnings_of_memories
from osscl.errors import ConfigError, ModelFileError, NoRecordingsError
from osscl.machines.survey import Survey
from osscl.model_file.bundle import read_bundle, write_bundle
from osscl.model_file.decisions import Calibration, Rule, StoredDecisions, StoredMemory
from osscl.model_file.manifest import Manifest, Producer
from osscl.model_file.memories_alone import identity_graph, manifest_of_memories
from osscl.support.installed import version_of
from osscl.support.outputs import check_output
from osscl.support.paths import printable

AS_BY_DEFAULT = EnrolOptions()


def enroll(
    normals: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    model: str | os.PathLike[str] | None = None,
    options: EnrolOptions = AS_BY_DEFAULT,
    *,
    overwrite: bool = False,
    on_survey: Callable[[Survey], object] = lambda _: None,
    on_total: Callable[[int], object] = lambda _: None,
    on_clip: Callable[[], object] = lambda: None,
    finish: Callable[[Manifest], Manifest] = lambda manifest: manifest,
) -> Enrolment:
    """Make memories of machines from normal recordings, and write them into a model file.

    Parameters
    ----------
    normals : path-like or sequence of path-like
        Folders of normal recordings, searched at any depth, or files; may be empty where clips are to be
        forgotten. Recordings whose names begin with ``anomaly_`` are left out.
    output : path-like
        Model file to write; it appears whole or not at all.
    model : path-like, optional
        Model file that the memories go into, or the word "demo"; it stays as it is. Without it, the output
        holds memories and no network.
    options : EnrolOptions
        How recordings become memories.
    overwrite : bool
        Replace what is at `output`; never what is read.
    on_survey : callable
        Called with what places and names of the recordings tell, before any is read.
    on_total : callable
        Called with the number of recordings, once it is known.
    on_clip : callable
        Called after each recording.
    finish : callable
        Called with what the file is to say of itself; gives the same with what shall be written beside, such
        as detection limits.

    Returns
    -------
    Enrolment
        What became of each machine, and what somebody should look at.

    Raises
    ------
    NoRecordingsError
        There is nothing to enroll.
    DecisionError
        A machine has fewer than 3 different clips, whole and filled-up ones, or too few recordings for the
        rate; or a clip that is to be forgotten is in no memory.
    ConfigError
        Options contradict each other, or what the model file holds.
    ModelFileError
        The model file cannot be read.
    OutputError
        The output exists, is read by this very call, or cannot be written.
    """
    roots = [normals] if isinstance(normals, str | os.PathLike) else list(normals)
    if model is None and (options.add or options.forget):
        raise ConfigError("--add and --forget change memories of a model file; name it before the recordings")
    if not roots and not options.forget:
        raise NoRecordingsError("there is nothing to enroll; name a folder of normal recordings")
    check_output(
        Path(output), overwrite=overwrite, inputs=[model, options.background, options.labels, *roots]
    )
    bundle = None if model is None else read_bundle(model)
    manifest, report = enrolled(
        roots,
        None if bundle is None else bundle.manifest,
        options,
        on_survey=on_survey,
        on_total=on_total,
        on_clip=on_clip,
    )
    write_bundle(output, identity_graph() if bundle is None else bundle.model, finish(manifest))
    return report


def enrolled(
    roots: Sequence[str | os.PathLike[str]],
    manifest: Manifest | None,
    options: EnrolOptions = AS_BY_DEFAULT,
    *,
    on_survey: Callable[[Survey], object] = lambda _: None,
    on_total: Callable[[int], object] = lambda _: None,
    on_clip: Callable[[], object] = lambda: None,
) -> tuple[Manifest, Enrolment]:
    """Make memories, and say of a model file that it holds them; nothing is written.

    Parameters
    ----------
    roots : sequence of path-like
        Folders of normal recordings, or files.
    manifest : Manifest or None
        What the model file says so far; None for one without a network.
    options : EnrolOptions
        How recordings become memories.
    on_survey, on_total, on_clip : callable
        As `enroll` takes them.

    Returns
    -------
    Manifest
        Of the same graph.
    Enrolment
        What became of each machine.

    Raises
    ------
    OssclError
        As `enroll`.
    """
    decisions = _decisions_of(manifest)
    plan = plan_of(roots, options.machine, options.recording, options.labels) if roots else Plan()
    plan.refuse_mixed()
    check_domains(plan, decisions, by_domain=options.by_domain, adds=options.add)
    plan = in_windows(plan, options.fit, options.hop_s)
    plan_of_background = Plan() if options.background is None else plan_of([options.background])
    on_survey(plan.survey)
    on_total(len(plan.planned) + len(plan_of_background.planned))
    forgotten = hashes_to_forget(options.forget, decisions.memories, options.fit)
    given = None
    if options.background is not None:
        given = background_of(plan_of_background, options.fit, on_clip=on_clip)
    replaced = set() if options.add else {planned.machine for planned in plan.planned}
    background = background_for(_without_memories(decisions, replaced), given)
    normals = read_normals(plan, options.fit, on_clip=on_clip)
    if roots and not normals.by_machine:
        raise NoRecordingsError(_nothing_usable(plan, normals))
    decisions = struct_with(decisions, background=background)
    clips = by_owner(normals, by_domain=options.by_domain, adds=options.add)
    changed = changed_memories(decisions, clips, forgotten, background, options)
    anew = set() if options.add else set(normals.by_machine)
    decisions = struct_with(decisions, memories=_without_other_domains(decisions.memories, changed, anew))
    changed = capped(changed, _size_beside(manifest, decisions, changed), background)
    refuse_unreachable_rate(changed, options.false_alarm_rate)
    made = _merged(manifest, decisions, changed)
    machines_changed = {owner.machine for owner in changed}
    machines = tuple(
        described(
            each,
            None if owner.machine in anew else decisions.memory_of(*owner),
            made.rules[owner.machine],
            normals,
            options.false_alarm_rate,
        )
        for owner, each in changed.items()
    )
    warnings = (
        *plan.notes,
        *warnings_of(normals, () if manifest is None else manifest.machines),
        *(note for each in changed.values() for note in each.notes),
        *_dropped_calibrations(decisions, machines_changed),
        *dropped_limits(decisions.limits, _stale_limits(decisions, machines_changed)),
        *warnings_of_memories(machines),
    )
    report = Enrolment(
        background=None if background is None else background.source,
        machines=machines,
        left_out=tuple(plan.left_out),
        unusable=tuple(
            UnusableRecording(path=each.path, status=each.problem.status, reason=str(each.problem))
            for each in normals.unusable
        ),
        warnings=warnings,
    )
    return _with(manifest, made), report


def _decisions_of(manifest: Manifest | None) -> StoredDecisions:
    if manifest is None:
        return StoredDecisions()
    if manifest.graph_precision != manifest.precision:
        raise ModelFileError(
            f"the model file is of schema {manifest.schema_version}, in which {manifest.precision} stands "
            "beside a graph of another precision, and which has no memories; export the model again with "
            "osscl-export"
        )
    return manifest.decisions or StoredDecisions()


def _without_memories(decisions: StoredDecisions, machines: Collection[str]) -> StoredDecisions:
    staying = (memory for memory in decisions.memories if memory.machine not in machines)
    return struct_with(decisions, memories=tuple(staying))


def _without_other_domains(
    memories: Sequence[StoredMemory], changed: Collection[Owner], anew: Collection[str]
) -> tuple[StoredMemory, ...]:
    """Memories but for those of machines enrolled anew, otherwise by domain than before."""
    return tuple(
        memory
        for memory in memories
        if memory.machine not in anew or Owner(memory.machine, memory.domain) in changed
    )


def _merged(
    manifest: Manifest | None, decisions: StoredDecisions, changed: Mapping[Owner, Remembered]
) -> StoredDecisions:
    """What the file holds to decide by, with memories that are new or changed."""
    classes = () if manifest is None else tuple(manifest.classes_of_machines)
    memories = {Owner(memory.machine, memory.domain): memory for memory in decisions.memories}
    memories |= {owner: each.stored for owner, each in changed.items()}
    rules = {owner.machine: rule_once_enrolled(owner.machine, classes, decisions.rules) for owner in changed}
    machines = {owner.machine for owner in changed}
    stale = _stale(decisions, machines)
    return struct_with(
        decisions,
        memories=tuple(memories.values()),
        calibrations=tuple(each for each in decisions.calibrations if each not in stale),
        rules=decisions.rules | rules,
        limits=without_limits(decisions.limits, _stale_limits(decisions, machines)),
    )


def _stale(decisions: StoredDecisions, changed: Collection[str]) -> list[Calibration]:
    """Calibrations that were made with a memory which is another one now."""
    return [each for each in decisions.calibrations if each.rule == "both" and each.machine in changed]


def _stale_limits(decisions: StoredDecisions, changed: Collection[str]) -> set[tuple[str, Rule]]:
    """Limits that were measured with a memory which is another one now, or with a calibration that goes."""
    return {(each.machine, each.rule) for each in decisions.limits if each.machine in changed} - {
        (machine, "network") for machine in changed
    }


def _dropped_calibrations(decisions: StoredDecisions, changed: Collection[str]) -> Iterator[str]:
    for each in _stale(decisions, changed):
        yield (
            f"{each.machine}: its calibration of the rule both was made with its earlier memory and is left "
            "out; run osscl calibrate again"
        )


def _size_beside(manifest: Manifest | None, decisions: StoredDecisions, changed: Collection[Owner]) -> int:
    """Bytes of the manifest without the memories at hand."""
    others = (memory for memory in decisions.memories if Owner(memory.machine, memory.domain) not in changed)
    without = struct_with(decisions, memories=tuple(others))
    rules = sum(len(owner.machine.encode()) + 16 for owner in changed)
    return len(msgspec.json.encode(_with(manifest, without))) + rules


def _with(manifest: Manifest | None, decisions: StoredDecisions) -> Manifest:
    if manifest is not None:
        return struct_with(manifest, decisions=decisions)
    return manifest_of_memories(
        Producer(name="osscl", version=version_of("osscl") or "", tools={}), decisions
    )


def _nothing_usable(plan: Plan, normals: Normals) -> str:
    parts = []
    if plan.left_out:
        parts.append(f"{len(plan.left_out)} are said to be anomalous and left out ({named(plan.left_out)})")
    if normals.unusable:
        first = normals.unusable[0]
        parts.append(
            f"{len(normals.unusable)} cannot be used, first {printable(first.path)}: {first.problem}"
        )
    return f"no recording can be enrolled: {'; '.join(parts)}"
