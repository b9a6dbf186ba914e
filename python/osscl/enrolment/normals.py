"""Normal recordings, read: the features of the clips of each machine."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from osscl.audio.reading import Fit
from osscl.enrolment.plan import Plan
from osscl.enrolment.unnamed import with_all_reasons
from osscl.errors import DecisionError
from osscl.runs.featured import Embed, FeaturedClip, Unusable, featured_clips
from osscl.support.paths import printable
from osscl.support.plurals import counted, verb
from osscl.support.threads import usable_cpus


@dataclass(frozen=True, slots=True, eq=False)
class Normal:
    """A normal clip.

    Attributes
    ----------
    clip : FeaturedClip
        What was read.
    recording : str
        What it is a part of; its hash where it is a recording of its own, that of the first window where it
        is a window of a long one.
    """

    clip: FeaturedClip
    recording: str


@dataclass(slots=True, eq=False)
class Normals:
    """Normal clips of several machines.

    Attributes
    ----------
    by_machine : dict of str to list of Normal
        Different clips, in the order in which they were found.
    n_equal : dict of str to int
        How many others equal one of them.
    unusable : list of Unusable
        Recordings that give no clip.
    """

    by_machine: dict[str, list[Normal]] = field(default_factory=lambda: defaultdict(list))
    n_equal: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    unusable: list[Unusable] = field(default_factory=list)


def read_normals(
    plan: Plan,
    fit: Fit,
    *,
    threads: int | None = None,
    embed: Embed | None = None,
    on_clip: Callable[[], object] = lambda: None,
) -> Normals:
    """Read what is planned.

    Parameters
    ----------
    plan : Plan
        The recordings.
    fit : Fit
        How those that do not fit are made to fit.
    threads : int, optional
        Processors to use; by default all that the process may use.
    embed : callable, optional
        Gives the embeddings [B, 128] of samples [B, n_samples], where they are needed.
    on_clip : callable
        Called after each recording.

    Returns
    -------
    Normals
        1.5 KB a clip.

    Raises
    ------
    DecisionError
        Whole recordings and ones that were filled up are of one machine.
    """
    n_threads = usable_cpus() if threads is None else threads
    found = Normals(unusable=with_all_reasons(plan.unusable, fit, n_threads, on_clip))
    known: dict[str, set[str]] = defaultdict(set)
    whole: dict[
        str, str
    ] = {}  # path of a long recording -> hash of its first window, which names all of them
    candidates = (planned.candidate for planned in plan.planned)
    read = featured_clips(candidates, fit, threads=n_threads, embed=embed, on_clip=on_clip)
    for planned, clip in zip(plan.planned, read, strict=True):
        if isinstance(clip, Unusable):
            found.unusable.append(clip)
        elif clip.sha256 in known[planned.machine]:
            found.n_equal[planned.machine] += 1
        else:
            known[planned.machine].add(clip.sha256)
            of_file = clip.sha256 if clip.start_s is None else whole.setdefault(clip.path, clip.sha256)
            found.by_machine[planned.machine].append(Normal(clip, planned.recording or of_file))
    for machine, normals in found.by_machine.items():
        _refuse_mixed(machine, normals)
    return found


def _refuse_mixed(machine: str, normals: list[Normal]) -> None:
    padded = [normal.clip.path for normal in normals if normal.clip.is_padded]
    if padded and len(padded) < len(normals):
        raise DecisionError(
            f"{machine}: {len(padded)} of {counted(len(normals), 'recording')} "
            f"{verb(len(padded), 'is', 'are')} "
            f"shorter than 10 s and would be "
            f"filled up ({printable(padded[0])}); whole and filled-up ones are different sounds to a memory: "
            "leave one kind out"
        )
