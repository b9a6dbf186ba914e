"""What somebody should look at before trusting memories: sentences on the recordings."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from osscl.decisions.how_many import HOW_MANY
from osscl.decisions.staircase import MIN_RECORDINGS
from osscl.enrolment.normals import Normal, Normals
from osscl.enrolment.report import EnrolledMachine
from osscl.model_file.decisions import AnyBackground
from osscl.model_file.manifest import Manifest
from osscl.support.listing import listed, listed_by_reason
from osscl.support.plurals import are, counted, verb

_CLIPPED_SHARE = 1e-3
_MAX_NAMED = 3


def warnings_of(normals: Normals, known: Collection[str]) -> Iterator[str]:
    """Find what is strange about recordings, and about the names of their machines.

    Parameters
    ----------
    normals : Normals
        The recordings.
    known : collection of str
        Machines that the model file knew before.

    Yields
    ------
    str
        One sentence each.
    """
    for machine, of_machine in normals.by_machine.items():
        yield from _of_rates(machine, of_machine)
        clipped = [each.clip for each in of_machine if each.clip.clipped_share >= _CLIPPED_SHARE]
        if clipped:
            noun = "recording" if all(clip.start_s is None for clip in clipped) else "window"
            places = [clip.place for clip in clipped]
            yield (
                f"{machine}: {are(len(places), noun)} at full scale for 0.1 % of the time or more: "
                f"{named(places)}; clipped sound is another sound, lower the gain"
            )
    yield from _same_sound(normals)
    yield from _same_but_for_case({*normals.by_machine, *known})


def warnings_of_memories(machines: Sequence[EnrolledMachine]) -> Iterator[str]:
    """Find what is strange about memories.

    Parameters
    ----------
    machines : sequence of EnrolledMachine
        What became of them.

    Yields
    ------
    str
        One sentence each.
    """
    for each in machines:
        if each.suspicious:
            yield (
                f"{each.owner}: {are(len(each.suspicious), 'clip')} far from all others: "
                f"{named(each.suspicious)}; listen to them, and leave out what is not normal"
            )
        if each.flagged:
            yield (
                f"{each.owner}: {are(len(each.flagged), 'clip')} added that the memory had called anomalous: "
                f"{named(each.flagged)}; false-alarm rates are measured from now on, not guaranteed"
            )
    few = ((str(each.owner), _too_few_to_decide(each)) for each in machines)
    yield from listed_by_reason(few, _MAX_NAMED)


def warnings_of_embeddings(
    clips_of: Mapping[str, Collection[str]], manifest: Manifest, background: AnyBackground | None
) -> Iterator[str]:
    """Find why memories of embeddings may say less than they seem to.

    Parameters
    ----------
    clips_of : mapping of str to collection of str
        Hashes of the clips of each memory, by machine.
    manifest : Manifest
        What the model file says of the network that gave the embeddings.
    background : StoredEmbeddingBackground or None
        What they were fitted with.

    Yields
    ------
    str
        One sentence each.
    """
    if background is None:
        yield (
            "there is no background of embeddings, so few clips say less: osscl train keeps one where it is "
            "given 4 machines with 4 clips each, held-out ones not counted; osscl enroll --background FOLDER "
            "makes one of such recordings"
        )
    trained = None if manifest.decisions is None else manifest.decisions.training_clips
    if trained is None:
        unknown = [machine for machine in clips_of if machine in manifest.classes_of_machines]
        if unknown:
            yield (
                f"{listed(unknown, _MAX_NAMED)}: the model file does not say what it was trained on; where "
                "that was these clips, new normal ones lie further off and more than asked for may be "
                "flagged"
            )
        return
    for machine, clips in clips_of.items():
        known = len(set(clips) & set(trained))
        if known:
            yield (
                f"{machine}: {known} of {counted(len(set(clips)), 'clip')} {verb(known, 'was', 'were')} "
                f"trained on: new normal ones lie further "
                "off, and more than asked for may be flagged; better enroll others"
            )


def named(paths: Sequence[str]) -> str:
    """Name some files: not more than fit into a sentence."""
    return listed(paths, _MAX_NAMED)


def _too_few_to_decide(machine: EnrolledMachine) -> str | None:
    if machine.smallest_rate is not None:
        return None
    return (
        f"{are(machine.n_recordings, 'recording')} too few to decide anything: clips are scored; give "
        f"{MIN_RECORDINGS} or more: {HOW_MANY}"
    )


def _of_rates(machine: str, normals: Sequence[Normal]) -> Iterator[str]:
    rates = sorted({each.clip.sample_rate_hz for each in normals})
    if len(rates) > 1:
        spelled = ", ".join(f"{rate}" for rate in rates)
        yield (
            f"{machine}: its recordings have different sample rates ({spelled} Hz); converted ones lack what "
            "lay above half their rate, which is another sound: better enroll one kind"
        )


def _same_sound(normals: Normals) -> Iterator[str]:
    places: dict[str, dict[str, str]] = defaultdict(dict)
    for machine, of_machine in normals.by_machine.items():
        for each in of_machine:
            places[each.clip.sha256][machine] = each.clip.place
    for of_clip in places.values():
        if len(of_clip) > 1:
            yield f"{' and '.join(of_clip)} have the same sound: {named(list(of_clip.values()))}"


def _same_but_for_case(machines: Collection[str]) -> Iterator[str]:
    spellings: dict[str, list[str]] = defaultdict(list)
    for machine in sorted(machines):
        spellings[machine.casefold()].append(machine)
    for same in spellings.values():
        if len(same) > 1:
            yield (
                f"{' and '.join(same)} differ in case alone and are kept apart; if they are one machine, "
                "name it with --machine"
            )
