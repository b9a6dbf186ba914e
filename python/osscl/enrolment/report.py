"""What became of an enrolment."""

from dataclasses import dataclass

from osscl.enrolment.options import EnrolledRule
from osscl.machines.domains import Domain
from osscl.model_file.decisions import Rule, owner_of


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolledMachine:
    """A machine that got a memory, or another one.

    Attributes
    ----------
    machine : str
        Its ID.
    domain : {"source", "target"} or None
        Of all clips of the memory; None where the machine has one memory.
    kind : {"memory", "embedding"}
        What was made: a memory of features, or one of embeddings.
    rule : {"network", "memory", "both", "embedding"}
        Which score decides of it.
    n_clips : int
        Clips that the memory holds: those that it is fitted to, and those that calibrate it.
    n_recordings : int
        Recordings that calibrate it: these count for rates.
    n_added, n_forgotten : int
        Clips that came, and went, this time.
    n_equal : int
        Clips that equal another one, and do not count.
    smallest_rate : float or None
        Smallest false-alarm rate that can be asked for; None with fewer than 3 recordings, where nothing is
        decided.
    rate : float or None
        Rate that is decided at unless another is asked for; None where nothing is decided.
    is_guaranteed : bool
        Whether the rate is guaranteed if recordings are exchangeable; else it is measured.
    suspicious : tuple of str
        Clips that stand far from all others, and may be no normal ones: paths, or hashes of earlier ones.
    flagged : tuple of str
        Paths of clips that were added although the memory had called them anomalous.
    """

    machine: str
    domain: Domain | None = None
    kind: EnrolledRule
    rule: Rule
    n_clips: int
    n_recordings: int
    n_added: int
    n_forgotten: int
    n_equal: int
    smallest_rate: float | None
    rate: float | None
    is_guaranteed: bool
    suspicious: tuple[str, ...]
    flagged: tuple[str, ...]

    @property
    def owner(self) -> str:
        """Whose the memory is, in words."""
        return owner_of(self.machine, self.domain)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusableRecording:
    """A recording that gave no clip.

    Attributes
    ----------
    path : str
        The file.
    status : str
        The word for the kind of problem, as in the tables of ``osscl score``.
    reason : str
        One sentence.
    """

    path: str
    status: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What became of an enrolment.

    Attributes
    ----------
    background : str or None
        What the background of the memories was made from; None without one.
    machines : tuple of EnrolledMachine
        One for each memory that is new or changed.
    left_out : tuple of str
        Paths of recordings whose names begin with ``anomaly_``.
    unusable : tuple of UnusableRecording
        Recordings that gave no clip.
    warnings : tuple of str
        What somebody should look at, a sentence each.
    """

    background: str | None
    machines: tuple[EnrolledMachine, ...]
    left_out: tuple[str, ...]
    unusable: tuple[UnusableRecording, ...]
    warnings: tuple[str, ...]
