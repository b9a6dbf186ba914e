"""Normal recordings into a model file: `enroll`."""

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec
from msgspec.structs import replace as struct_with

from osscl.backends import DEFAULT_OPTIONS, ComputeOptions
from osscl.detector import Detector
from osscl.enrolment.backgrounds import background_for, background_of, embedding_background_of
from osscl.enrolment.cap import capped
from osscl.enrolment.domains import Owner, by_owner, check_domains
from osscl.enrolment.dropped_limits import dropped_limits
from osscl.enrolment.forgotten import hashes_to_forget
from osscl.enrolment.kinds import Kind, OfEmbeddings, kinds_of, of_owner, without_machines, without_owners
from osscl.enrolment.long_recordings import in_windows
from osscl.enrolment.memories import changed_memories, described, forgetting, refuse_unreachable_rate
from osscl.enrolment.merging import Changed, dropped_calibrations, merged, stale_limits
from osscl.enrolment.normals import Normals, read_normals
from osscl.enrolment.options import EnrolOptions
from osscl.enrolment.plan import Plan, plan_of
from osscl.enrolment.remembered import Remembered
from osscl.enrolment.report import Enrolment, UnusableRecording
from osscl.enrolment.warnings import named, warnings_of, warnings_of_embeddings, warnings_of_memories
from osscl.errors import ConfigError, ModelFileError, NoRecordingsError
from osscl.machines.survey import Survey
from osscl.model_file.bundle import read_bundle, write_bundle
from osscl.model_file.decisions import AnyBackground, StoredDecisions, StoredNormals
from osscl.model_file.manifest import Manifest, Producer
from osscl.model_file.memories_alone import identity_graph, manifest_of_memories
from osscl.runs.featured import Embed
from osscl.support.installed import version_of
from osscl.support.outputs import check_output
from osscl.support.paths import printable
from osscl.support.unasked import NOBODY_LISTENS, UNCHANGED

AS_BY_DEFAULT = EnrolOptions()


def enroll(
    normals: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    model: str | os.PathLike[str] | None = None,
    options: EnrolOptions = AS_BY_DEFAULT,
    compute: ComputeOptions = DEFAULT_OPTIONS,
    *,
    overwrite: bool = False,
    on_survey: Callable[[Survey], object] = NOBODY_LISTENS,
    on_total: Callable[[int], object] = NOBODY_LISTENS,
    on_clip: Callable[[], object] = NOBODY_LISTENS,
    finish: Callable[[Manifest], Manifest] = UNCHANGED,
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
    compute : ComputeOptions
        On what the network is computed, for the rule embedding.
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
        The model file cannot be read; or holds no network, and embeddings are asked for.
    OutputError
        The output exists, is read by this very call, or cannot be written.
    """
    roots = [normals] if isinstance(normals, str | os.PathLike) else list(normals)
    if model is None and (options.add or options.forget):
        raise ConfigError(
            "add and forget (--add and --forget) change memories of a model file; name it before the "
            "recordings, in Python as model"
        )
    if not roots and not options.forget:
        raise NoRecordingsError("there is nothing to enroll; name a folder of normal recordings")
    check_output(
        Path(output), overwrite=overwrite, inputs=[model, options.background, options.labels, *roots]
    )
    bundle = None if model is None else read_bundle(model)
    before = None if bundle is None else bundle.manifest
    kinds_of(options.rule, before)  # says so where there is no network
    with ExitStack() as opened:
        embed = None
        if options.rule == "embedding" and (roots or options.background is not None):
            assert model is not None, "kinds_of was to refuse this"
            embed = opened.enter_context(Detector(model, compute, rule="network")).embed
        manifest, report = enrolled(
            roots, before, options, embed, on_survey=on_survey, on_total=on_total, on_clip=on_clip
        )
    write_bundle(output, identity_graph() if bundle is None else bundle.model, finish(manifest))
    return report


def enrolled(
    roots: Sequence[str | os.PathLike[str]],
    manifest: Manifest | None,
    options: EnrolOptions = AS_BY_DEFAULT,
    embed: Embed | None = None,
    *,
    on_survey: Callable[[Survey], object] = NOBODY_LISTENS,
    on_total: Callable[[int], object] = NOBODY_LISTENS,
    on_clip: Callable[[], object] = NOBODY_LISTENS,
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
    embed : callable, optional
        The network, for the rule embedding: gives embeddings [B, 128] of samples [B, n_samples].
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
    kind, other = kinds_of(options.rule, manifest)
    plan = _plan_of(roots, options)
    plan.refuse_mixed()
    if kind.rule == "memory":
        check_domains(plan, decisions, by_domain=options.by_domain, adds=options.add)
    plan = in_windows(plan, options.fit, options.hop_s)
    plan_of_background = (
        Plan() if options.background is None else plan_of([options.background], for_memories=True)
    )
    on_survey(plan.survey)
    on_total(plan.n_to_read + plan_of_background.n_to_read)
    held: list[StoredNormals] = [*decisions.memories, *decisions.embeddings]
    forgotten = hashes_to_forget(options.forget, held, options.fit)
    given = None
    if options.background is not None:
        given = _given_background(kind, plan_of_background, options, embed, on_clip)
    replaced = set() if options.add else {planned.machine for planned in plan.planned}
    background = background_for(without_machines(kind, decisions, replaced), given, kind)
    normals = read_normals(plan, options.fit, embed=embed, on_clip=on_clip)
    if roots and not normals.by_machine:
        raise NoRecordingsError(_nothing_usable(plan, normals))
    decisions = kind.with_background(decisions, background)
    changes = [] if other is None else [_forgotten_by(other, decisions, forgotten)]
    clips = by_owner(normals, by_domain=options.by_domain, adds=options.add)
    changed = changed_memories(kind, decisions, clips, forgotten, background, options)
    anew = set() if options.add else set(normals.by_machine)
    beside = without_machines(kind, merged(manifest, decisions, changes), anew)
    changed = capped(changed, _size_beside(manifest, beside, kind, changed), background)
    changes.insert(0, Changed(kind, changed, anew))
    for each in changes:
        refuse_unreachable_rate(each.memories, options.false_alarm_rate)
    made = merged(manifest, decisions, changes)
    machines = tuple(
        described(
            remembered,
            each.kind,
            None if owner.machine in each.new else of_owner(each.kind, decisions, owner),
            made.rules[owner.machine],
            normals if each.kind is kind else Normals(),
            options.false_alarm_rate,
        )
        for each in changes
        for owner, remembered in each.memories.items()
    )
    warnings = (
        *plan.notes,
        *warnings_of(normals, () if manifest is None else manifest.machines),
        *(_of_embeddings(changed, manifest, background) if kind.rule == "embedding" else ()),
        *(note for each in changes for remembered in each.memories.values() for note in remembered.notes),
        *dropped_calibrations(decisions, changes),
        *dropped_limits(decisions.limits, stale_limits(decisions, changes)),
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


def _plan_of(roots: Sequence[str | os.PathLike[str]], options: EnrolOptions) -> Plan:
    if not roots:
        return Plan()
    return plan_of(
        roots, options.machine, options.recording, options.labels, options.machine_pattern, for_memories=True
    )


def _given_background(
    kind: Kind, plan: Plan, options: EnrolOptions, embed: Embed | None, on_clip: Callable[[], object]
) -> AnyBackground:
    if not isinstance(kind, OfEmbeddings):
        return background_of(plan, options.fit, on_clip=on_clip)
    assert embed is not None, "embeddings are asked for"
    return embedding_background_of(plan, options.fit, embed, kind.checkpoint_sha256, on_clip=on_clip)


def _forgotten_by(kind: Kind, decisions: StoredDecisions, forgotten: Collection[str]) -> Changed:
    """What the memories of the kind that is not enrolled forget: a clip that is not normal is so to both."""
    return Changed(kind, forgetting(kind, decisions, forgotten, kind.background_of(decisions)))


def _of_embeddings(
    changed: Mapping[Owner, Remembered], manifest: Manifest | None, background: AnyBackground | None
) -> Iterator[str]:
    assert manifest is not None, "embeddings need a network"
    hashes = {
        owner.machine: [clip.sha256 for clip in (*each.stored.clips, *each.stored.held_out)]
        for owner, each in changed.items()
    }
    return warnings_of_embeddings(hashes, manifest, background)


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


def _size_beside(
    manifest: Manifest | None, decisions: StoredDecisions, kind: Kind, changed: Collection[Owner]
) -> int:
    """Bytes of the manifest without the memories at hand."""
    others = without_owners(kind, decisions, changed)
    rules = sum(len(owner.machine.encode()) + 19 for owner in changed)
    return len(msgspec.json.encode(_with(manifest, others))) + rules


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
