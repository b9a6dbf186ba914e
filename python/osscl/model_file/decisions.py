"""What a model file holds to decide by.

Backgrounds, memories of machines, of features and of embeddings, calibrations, the rule of each machine, and
what it finds.

Arrays stand as base64 of little-endian numbers: `osscl.decisions` says what they mean.
"""

from typing import Annotated, Literal, TypeAlias

import msgspec

from osscl.config import Channel, Padding, Settings
from osscl.machines.domains import Domain
from osscl.model_file.limits import MachineLimits
from osscl.model_file.named import Name as Name
from osscl.model_file.named import Rule as Rule

N_FEATURES = 360
N_EMBEDDING = 128
N_LEVEL = 32
N_MEASURES = 6

Sha256: TypeAlias = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
ShortHash: TypeAlias = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$", max_length=16)]
"""The first 8 bytes of a SHA-256."""
Date: TypeAlias = Annotated[str, msgspec.Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", max_length=10)]
Positive: TypeAlias = Annotated[float, msgspec.Meta(gt=0.0)]


class StoredBackground(Settings, frozen=True, kw_only=True):
    """How the normal clips of any one machine vary, from many machines.

    Attributes
    ----------
    features_sha256 : str
        Hash of the settings of the features.
    level : bytes
        float32 [528]: lower triangle, row by row, of the covariance of the 32 levels, dB squared.
    modulation, flutter, event : bytes
        float32 [96], [200], [32]: variances, dB squared.
    n_machines, n_clips : int
        What it was made from.
    source : str
        What that was, in words.
    """

    features_sha256: Sha256
    level: bytes
    modulation: bytes
    flutter: bytes
    event: bytes
    n_machines: int
    n_clips: int
    source: str


class StoredEmbeddingBackground(Settings, frozen=True, kw_only=True):
    """How a network's embeddings of the normal clips of any one machine vary, from many machines.

    Attributes
    ----------
    checkpoint_sha256 : str or None
        The network: hash of the checkpoint that it came from. None in a checkpoint itself.
    embedding : bytes
        float32 [8256]: lower triangle, row by row, of the covariance of the 128 numbers of an embedding.
    n_machines, n_clips : int
        What it was made from.
    source : str
        What that was, in words.
    """

    checkpoint_sha256: Sha256 | None
    embedding: bytes
    n_machines: int
    n_clips: int
    source: str


class FitOptions(Settings, frozen=True, kw_only=True):
    """How recordings were made to fit, see `osscl.audio.reading.Fit`.

    Attributes
    ----------
    resample : bool
        Whether other sample rates were converted.
    channel : int, "mean" or None
        The channel taken of several.
    pad : {"repeat", "zero"} or None
        How short recordings were filled up.
    """

    resample: bool
    channel: Channel | None
    pad: Padding | None


class StoredClip(Settings, frozen=True, kw_only=True):
    """One normal clip.

    Attributes
    ----------
    sha256 : str
        Beginning of the hash of its samples.
    recording : str
        What it is a part of: clips of one recording are left out together.
    added : str
        Date, UTC.
    flagged : bool
        Whether it was added although the memory had called it anomalous: nothing is guaranteed from then on.
    """

    sha256: ShortHash
    recording: Name
    added: Date
    flagged: bool


def owner_of(machine: str, domain: Domain | None) -> str:
    """Spell whose a memory is, such as ``fan/section_00 (target)``."""
    return machine if domain is None else f"{machine} ({domain})"


class StoredMemory(Settings, frozen=True, kw_only=True):
    """The memory of one machine.

    Attributes
    ----------
    machine : str
        Its ID, such as "fan/id_00".
    features_sha256 : str
        Hash of the settings of the features.
    mean : bytes
        float32 [360]: mean of the stored clips' features, dB.
    deviations : bytes
        float16 [n, 360]: what each stored clip has beyond the mean, dB.
    clips : tuple of StoredClip
        The stored clips, in the order of the rows.
    held_out : tuple of StoredClip
        Clips that are not stored and calibrate the score, of more than 512.
    held_out_scores : bytes
        float64: their scores.
    fit : FitOptions
        How the recordings were made to fit.
    is_padded : bool
        Whether its clips are recordings that were filled up; whole ones are then another sound.
    measures : bytes
        float32 [n, 6]: what the stored clips say of their recordings, `osscl.audio.quality.MEASURES`; empty
        where that is not known, as in files of earlier schemas.
    domain : {"source", "target"} or None
        Domain of all its clips; None of the one memory of a machine that is not told by domain. Since
        schema 6.
    """

    machine: Name
    features_sha256: Sha256
    mean: bytes
    deviations: bytes
    clips: tuple[StoredClip, ...]
    held_out: tuple[StoredClip, ...] = ()
    held_out_scores: bytes = b""
    fit: FitOptions
    is_padded: bool
    measures: bytes = b""
    domain: Domain | None = None

    @property
    def owner(self) -> str:
        """Whose it is, in words: the machine, and the domain where it has one."""
        return owner_of(self.machine, self.domain)


class StoredEmbeddings(Settings, frozen=True, kw_only=True):
    """The memory of embeddings of one machine: where the network puts its normal clips.

    Attributes
    ----------
    machine : str
        Its ID; the network need not know it.
    checkpoint_sha256 : str
        The network that gave them: hash of the checkpoint that it came from.
    precision : str
        Its arithmetic.
    mean : bytes
        float32 [128]: mean of the stored clips' embeddings, each of norm 1.
    deviations : bytes
        float16 [n, 128]: what each stored clip has beyond the mean.
    clips, held_out, held_out_scores, fit, is_padded
        As those of `StoredMemory`.
    """

    machine: Name
    checkpoint_sha256: Sha256
    precision: Name
    mean: bytes
    deviations: bytes
    clips: tuple[StoredClip, ...]
    held_out: tuple[StoredClip, ...] = ()
    held_out_scores: bytes = b""
    fit: FitOptions
    is_padded: bool

    @property
    def domain(self) -> Domain | None:
        """None: a machine has one memory of embeddings, for all clips."""
        return None

    @property
    def owner(self) -> str:
        """Whose it is, in words."""
        return owner_of(self.machine, self.domain)


StoredNormals: TypeAlias = StoredMemory | StoredEmbeddings
"""A memory of a machine, of features or of embeddings."""
AnyBackground: TypeAlias = StoredBackground | StoredEmbeddingBackground


class Calibration(Settings, frozen=True, kw_only=True):
    """Scores of normal clips by a rule that uses the network.

    Attributes
    ----------
    machine : str
        Its ID.
    rule : {"network", "both"}
        Which score.
    precision : str
        Arithmetic of the network that gave them.
    scores : bytes
        float64 [n].
    clips : tuple of StoredClip
        What was scored, in the order of the scores.
    log_median, log_mad : float or None
        Median of the logarithm of the network's score, and median absolute deviation from it; for "both".
    is_guaranteed : bool
        Whether none of the clips was trained on.
    """

    machine: Name
    rule: Literal["network", "both"]
    precision: Name
    scores: bytes
    clips: tuple[StoredClip, ...]
    log_median: float | None = None
    log_mad: Positive | None = None
    is_guaranteed: bool


class StoredDecisions(Settings, frozen=True, kw_only=True):
    """All that a model file holds to decide by.

    Attributes
    ----------
    background : StoredBackground or None
        The background of memories that are made with this file.
    training_clips : tuple of str or None
        Beginnings of the hashes of the clips that the network was trained on; None where that is not known.
    memories : tuple of StoredMemory
        One a machine at most, or one of each domain.
    calibrations : tuple of Calibration
        One a machine and rule at most.
    rules : dict of str to {"network", "memory", "both", "embedding"}
        The rule that decides of each machine that has a memory or a calibration.
    limits : tuple of MachineLimits
        Detection limits, one a machine and rule at most. Since schema 5.
    embedding_background : StoredEmbeddingBackground or None
        The background of memories of embeddings; of this very network. Since schema 6.
    embeddings : tuple of StoredEmbeddings
        Memories of embeddings, one a machine at most. Since schema 6.
    """

    background: StoredBackground | None = None
    training_clips: tuple[ShortHash, ...] | None = None
    memories: tuple[StoredMemory, ...] = ()
    calibrations: tuple[Calibration, ...] = ()
    rules: dict[str, Rule] = msgspec.field(default_factory=dict)
    limits: tuple[MachineLimits, ...] = ()
    embedding_background: StoredEmbeddingBackground | None = None
    embeddings: tuple[StoredEmbeddings, ...] = ()

    def memory_of(self, machine: str, domain: Domain | None = None) -> StoredMemory | None:
        """The memory of a machine, or of one of its domains, where there is one."""
        return next((each for each in self.memories_of(machine) if each.domain == domain), None)

    def memories_of(self, machine: str) -> tuple[StoredMemory, ...]:
        """The memories of a machine: none, one, or one of each domain."""
        return tuple(memory for memory in self.memories if memory.machine == machine)

    def is_by_domain(self, machine: str) -> bool:
        """Whether a machine has a memory of each domain."""
        return any(memory.domain is not None for memory in self.memories_of(machine))

    def embeddings_of(self, machine: str) -> StoredEmbeddings | None:
        """The memory of embeddings of a machine, where there is one."""
        return next((each for each in self.embeddings if each.machine == machine), None)

    def calibration_of(self, machine: str, rule: Rule) -> Calibration | None:
        """The calibration of a machine's rule, where there is one."""
        wanted = (machine, rule)
        return next((each for each in self.calibrations if (each.machine, each.rule) == wanted), None)
