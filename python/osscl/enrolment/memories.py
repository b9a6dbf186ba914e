"""The memories of a model file once normal recordings are enrolled and clips forgotten."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from osscl.decisions import smallest_rate, too_few_recordings
from osscl.decisions.staircase import MIN_RECORDINGS
from osscl.enrolment.changes import added_to, without
from osscl.enrolment.domains import Owner
from osscl.enrolment.kinds import OF_FEATURES, Kind, of_owner, owner_of_stored
from osscl.enrolment.normals import Normal, Normals
from osscl.enrolment.options import EnrolOptions
from osscl.enrolment.remembered import Remembered, made_new
from osscl.enrolment.report import EnrolledMachine
from osscl.errors import ConfigError, DecisionError
from osscl.machines.domains import DOMAINS
from osscl.model_file.decisions import AnyBackground, Rule, StoredDecisions, StoredMemory, StoredNormals
from osscl.scoring.judge import DEFAULT_RATE
from osscl.support.listing import listed_by_reason
from osscl.support.plurals import counted

_MAX_NAMED = 3


def changed_memories(
    kind: Kind,
    decisions: StoredDecisions,
    normals: Mapping[Owner, Sequence[Normal]],
    forgotten: Collection[str],
    background: AnyBackground | None,
    options: EnrolOptions,
) -> dict[Owner, Remembered]:
    """Make, extend and cut memories.

    Parameters
    ----------
    kind : Kind
        Which kind of memories.
    decisions : StoredDecisions
        What the model file holds so far.
    normals : mapping of Owner to sequence of Normal
        Normal clips by the memory that they go into.
    forgotten : collection of str
        Hashes of clips that are to be forgotten.
    background : StoredBackground or StoredEmbeddingBackground or None
        How clips of other machines vary.
    options : EnrolOptions
        How it is done.

    Returns
    -------
    dict of Owner to Remembered
        Memories that are new or changed, by whose they are.

    Raises
    ------
    DecisionError
        A memory would have fewer than 3 clips, or cannot take the new ones; all flaws are said at once.
    ConfigError
        Clips are to be added to a memory that is not there.
    """
    changed = forgetting(kind, decisions, forgotten, background)
    flaws: list[tuple[str, str]] = []
    for owner, clips in normals.items():
        before = changed.get(owner)
        old_memory = before.stored if before else of_owner(kind, decisions, owner)
        try:
            if options.add:
                old_memory = _there(kind, owner, old_memory)
                made = added_to(old_memory, clips, options.fit, background, options.false_alarm_rate)
            else:
                made = made_new(owner.machine, clips, options.fit, background, kind, owner.domain)
                made = replace(made, notes=(*made.notes, *_replaced(kind, owner, decisions)))
        except DecisionError as error:
            flaws.append((str(owner), str(error).removeprefix(f"{owner}: ")))
            continue
        changed[owner] = replace(made, notes=(*(before.notes if before else ()), *made.notes))
    if flaws:
        raise DecisionError("; ".join(listed_by_reason(flaws, _MAX_NAMED)))
    anew = set() if options.add else {owner.machine for owner in normals}
    return {owner: each for owner, each in changed.items() if owner.machine not in anew or owner in normals}


def forgetting(
    kind: Kind, decisions: StoredDecisions, forgotten: Collection[str], background: AnyBackground | None
) -> dict[Owner, Remembered]:
    """Cut memories.

    Parameters
    ----------
    kind : Kind
        Which kind of memories.
    decisions : StoredDecisions
        What the model file holds so far.
    forgotten : collection of str
        Hashes of clips that are to be forgotten.
    background : StoredBackground or StoredEmbeddingBackground or None
        How clips of other machines vary.

    Returns
    -------
    dict of Owner to Remembered
        Memories that held one of them, without it, by whose they are.

    Raises
    ------
    DecisionError
        Fewer than 3 clips would be left.
    """
    changed: dict[Owner, Remembered] = {}
    for old in kind.held(decisions):
        if any(clip.sha256 in forgotten for clip in (*old.clips, *old.held_out)):
            if isinstance(old, StoredMemory):
                OF_FEATURES.refuse_foreign(old)
            changed[owner_of_stored(old)] = without(old, forgotten, background)
    return changed


def refuse_unreachable_rate(memories: Mapping[Owner, Remembered], false_alarm_rate: float | None) -> None:
    """Refuse memories that cannot speak of the rate that was asked for.

    Parameters
    ----------
    memories : mapping of Owner to Remembered
        By whose they are.
    false_alarm_rate : float or None
        The rate, where one was asked for.

    Raises
    ------
    DecisionError
        Recordings are missing; said is how many, of each machine.
    """
    if false_alarm_rate is None:
        return
    flaws = listed_by_reason(
        (
            (str(owner), too_few_recordings(len(set(each.memory.calibration_recordings)), false_alarm_rate))
            for owner, each in memories.items()
        ),
        _MAX_NAMED,
    )
    if told := "; ".join(flaws):
        raise DecisionError(told)


def described(
    remembered: Remembered,
    kind: Kind,
    old: StoredNormals | None,
    rule: Rule,
    normals: Normals,
    false_alarm_rate: float | None,
) -> EnrolledMachine:
    """Say what became of a machine.

    Parameters
    ----------
    remembered : Remembered
        Its memory.
    kind : Kind
        Of which kind that is.
    old : StoredMemory or StoredEmbeddings or None
        The one before, where there was one.
    rule : {"network", "memory", "both", "embedding"}
        Which score decides of it.
    normals : Normals
        What was read this time.
    false_alarm_rate : float or None
        Rate asked for.

    Returns
    -------
    EnrolledMachine
        For the report.
    """
    stored = remembered.stored
    before, after = _hashes(old), _hashes(stored)
    n_recordings = len(set(remembered.memory.calibration_recordings))
    smallest = smallest_rate(n_recordings) if n_recordings >= MIN_RECORDINGS else None
    clips = normals.by_machine.get(stored.machine, [])
    place_of = {normal.clip.sha256: normal.clip.place for normal in clips}
    n_equal_earlier = sum(sha256 in before for sha256 in place_of) if old and before & after else 0
    return EnrolledMachine(
        machine=stored.machine,
        domain=stored.domain,
        kind=kind.rule,
        rule=rule,
        n_clips=len(after),
        n_recordings=n_recordings,
        n_added=len(after - before),
        n_forgotten=len(before - after),
        n_equal=normals.n_equal.get(stored.machine, 0) + n_equal_earlier,
        smallest_rate=smallest,
        rate=None if smallest is None else false_alarm_rate or max(DEFAULT_RATE, smallest),
        is_guaranteed=remembered.is_guaranteed,
        suspicious=tuple(place_of.get(sha256, sha256) for sha256 in remembered.suspicious),
        flagged=tuple(place_of.get(sha256, sha256) for sha256 in remembered.flagged),
    )


def _hashes(stored: StoredNormals | None) -> set[str]:
    return set() if stored is None else {clip.sha256 for clip in (*stored.clips, *stored.held_out)}


def _there(kind: Kind, owner: Owner, memory: StoredNormals | None) -> StoredNormals:
    if memory is None:
        raise ConfigError(
            f"the model file holds no {kind.called} of {owner} that clips could be added to; leave out "
            "--add to make one"
        )
    kind.refuse_foreign(memory)
    return memory


def _replaced(kind: Kind, owner: Owner, decisions: StoredDecisions) -> tuple[str, ...]:
    """Say which memories a new one takes the place of: its own, or those told otherwise by domain."""
    same = of_owner(kind, decisions, owner)
    others: list[StoredNormals] = []
    if owner.domain != DOMAINS[-1]:  # of several new ones, the first says it
        others = [each for each in kind.held(decisions) if each.machine == owner.machine]
    return tuple(
        f"{old.owner}: its {kind.called} of {counted(len(old.clips) + len(old.held_out), 'clip')} is "
        "replaced by another; --add would have kept them"
        for old in ([same] if same is not None else others)
    )
