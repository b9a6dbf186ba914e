"""What varies between clips of one machine, learned from many other machines."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from osscl.decisions.blocks import BLOCKS, Block, Rows
from osscl.decisions.ledoit_wolf import ledoit_wolf
from osscl.decisions.space import EMBEDDING_SPACE, FEATURE_SPACE, Space
from osscl.errors import DecisionError
from osscl.support.plurals import counted, verb

MIN_MACHINES = 4
MIN_CLIPS = 4
MIN_VARIANCE_RATIO = 1e-4
"""Smallest variance of a feature, as a share of its block's mean variance."""


@dataclass(frozen=True, eq=False)
class Background:
    """Covariance of the features of normal clips within machines, pooled over many machines.

    It is kept as float32 in a model file, so all values are rounded to float32 as soon as they are given;
    whatever is computed from them is then the same before and after they were stored.

    Attributes
    ----------
    level : ndarray of float64, [32, 32]
        Covariance, dB^2.
    modulation, flutter, event : ndarray of float64, [96], [200], [32]
        Variances, dB^2.
    n_machines, n_clips : int
        What it was made from.
    source : str
        Where those clips came from, in words.
    features_sha256 : str
        Hash of the settings of the features; a memory of others has no use for it.

    Raises
    ------
    DecisionError
        An array has another shape, or is no covariance of features that vary.
    """

    level: Rows
    modulation: Rows
    flutter: Rows
    event: Rows
    n_machines: int
    n_clips: int
    source: str
    features_sha256: str

    def __post_init__(self) -> None:
        for name, block in BLOCKS.items():
            object.__setattr__(self, name, _checked(name, getattr(self, name), block))

    @property
    def priors(self) -> dict[str, Rows]:
        """Covariance or variances of each block, by its name."""
        return {name: getattr(self, name) for name in BLOCKS}


@dataclass(frozen=True, eq=False)
class EmbeddingBackground:
    """Covariance of a network's embeddings of normal clips within machines, pooled over many machines.

    Rounded to float32 as those of features, and of use with the very network that gave the embeddings.

    Attributes
    ----------
    embedding : ndarray of float64, [128, 128]
        Covariance of embeddings of norm 1.
    n_machines, n_clips : int
        What it was made from.
    source : str
        Where those clips came from, in words.

    Raises
    ------
    DecisionError
        The array has another shape, or is no covariance of embeddings that vary.
    """

    embedding: Rows
    n_machines: int
    n_clips: int
    source: str

    def __post_init__(self) -> None:
        (block,) = EMBEDDING_SPACE.blocks.values()
        object.__setattr__(self, "embedding", _checked("embedding", self.embedding, block))

    @property
    def priors(self) -> dict[str, Rows]:
        """Covariance of the one block, by its name."""
        return {"embedding": self.embedding}


class HasPriors(Protocol):
    """A background, of whatever numbers."""

    @property
    def priors(self) -> dict[str, Rows]:
        """Covariance or variances of each block, by its name."""


def pooled_background(
    features_by_machine: Mapping[str, npt.ArrayLike], source: str, features_sha256: str
) -> Background:
    """Pool the covariance within machines from normal clips of many machines.

    Parameters
    ----------
    features_by_machine : mapping of str to array_like of float, [clips, 360]
        Features of the normal clips of each machine; those with fewer than 4 clips are not used.
    source : str
        Where the clips came from, in words.
    features_sha256 : str
        Hash of the settings of the features.

    Returns
    -------
    Background
        Rounded to float32.

    Raises
    ------
    DecisionError
        Fewer than 4 machines have 4 clips, features do not fit, or they do not vary.

    Notes
    -----
    Rows are centred on their machine's mean and multiplied by sqrt(r / (r - 1)) for r clips, so that each
    machine's own variance is unbiased.
    """
    pooled = _pooled(features_by_machine, FEATURE_SPACE)
    return Background(
        **pooled.priors,
        n_machines=pooled.n_machines,
        n_clips=pooled.n_clips,
        source=source,
        features_sha256=features_sha256,
    )


def pooled_embedding_background(
    embeddings_by_machine: Mapping[str, npt.ArrayLike], source: str
) -> EmbeddingBackground:
    """Pool the covariance within machines of a network's embeddings of normal clips.

    Parameters
    ----------
    embeddings_by_machine : mapping of str to array_like of float, [clips, 128]
        Embeddings of the normal clips of each machine, brought to norm 1; those with fewer than 4 clips are
        not used.
    source : str
        Where the clips came from, in words.

    Returns
    -------
    EmbeddingBackground
        Rounded to float32.

    Raises
    ------
    DecisionError
        As `pooled_background`.
    """
    pooled = _pooled(embeddings_by_machine, EMBEDDING_SPACE)
    return EmbeddingBackground(
        **pooled.priors, n_machines=pooled.n_machines, n_clips=pooled.n_clips, source=source
    )


class _Pooled(NamedTuple):
    """Covariance or variances of each block, and what they are of."""

    priors: dict[str, Rows]
    n_machines: int
    n_clips: int


def _pooled(rows_by_machine: Mapping[str, npt.ArrayLike], space: Space) -> _Pooled:
    centred = []
    for machine, given in rows_by_machine.items():
        rows = space.rows(given, f"{space.called} of {machine}")
        if len(rows) >= MIN_CLIPS:
            centred.append((rows - rows.mean(0)) * np.sqrt(len(rows) / (len(rows) - 1)))
    if len(centred) < MIN_MACHINES:
        raise DecisionError(
            f"{len(centred)} of {counted(len(rows_by_machine), 'machine')} "
            f"{verb(len(centred), 'has', 'have')} "
            f"{MIN_CLIPS} or more clips; "
            f"a background needs {MIN_MACHINES} such machines: give more, or fit without one"
        )
    pooled = np.concatenate(centred)  # [clips, size]
    priors = {}
    for name, block in space.blocks.items():
        part = pooled[:, block.columns]
        priors[name] = ledoit_wolf(part) if block.full else _variances(part)
    return _Pooled(priors, len(centred), len(pooled))


def _checked(name: str, values: Rows, block: Block) -> Rows:
    """A block's covariance or variances, rounded to float32 and read-only."""
    given = np.asarray(values)
    shape = (block.size,) * (2 if block.full else 1)
    made_by = "pooled_embedding_background" if name in EMBEDDING_SPACE.blocks else "pooled_background"
    if given.shape != shape or given.dtype.kind != "f":
        raise DecisionError(
            f"the background's {name} is {given.dtype} {list(given.shape)}; expected float {list(shape)}: "
            f"make it by {made_by}"
        )
    rounded = given.astype(np.float32).astype(np.float64)
    if not is_covariance(rounded):
        raise DecisionError(
            f"the background's {name} is no covariance of numbers that vary; make it by {made_by} from "
            "recordings that differ"
        )
    rounded.setflags(write=False)
    return rounded


def is_covariance(values: Rows) -> bool:
    """Whether a matrix is symmetric and positive definite, or variances are positive; all finite."""
    if not np.isfinite(values).all():
        return False
    if values.ndim == 1:
        return bool((values > 0).all())
    try:
        np.linalg.cholesky(values)
    except np.linalg.LinAlgError:
        return False
    return bool((values == values.T).all())


def _variances(centred: Rows) -> Rows:
    """Variance of each feature; one that never varied gets a little, or no clip could differ in it."""
    variances = (centred**2).mean(0)
    lifted: Rows = np.maximum(variances, MIN_VARIANCE_RATIO * variances.mean())
    return lifted
