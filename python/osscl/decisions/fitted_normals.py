"""Normal clips of a machine, fitted: what a memory of features has in common with one of embeddings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from osscl.decisions.background import HasPriors
from osscl.decisions.blocks import Rows
from osscl.decisions.conformal import Decisions, decide
from osscl.decisions.fitted import Fitted, fit_all
from osscl.decisions.how_many import HOW_MANY
from osscl.decisions.selection import Indices, Selection, select
from osscl.decisions.space import Space
from osscl.decisions.staircase import MIN_RECORDINGS, recording_numbers
from osscl.decisions.stored import StoredArrays, restore, store
from osscl.errors import DecisionError
from osscl.support.plurals import are, counted

MIN_CLIPS = 3
SUSPICIOUS_MADS = 6.0


@dataclass(frozen=True, eq=False)
class FittedNormals:
    """What the normal clips of one machine are like, in the numbers of a space.

    Made by `fit`, which rounds numbers as they are stored before anything is computed from them.

    Attributes
    ----------
    rows : ndarray of float64, [n, size]
        Rounded numbers of the clips that it is fitted to.
    recordings : tuple of str, [n]
        Recording of each.
    background : Background, EmbeddingBackground or None
        What varies within machines; None where it had to be told from these clips alone.
    fitted : Fitted
        What scores are computed from.
    held_out_scores : ndarray of float64, [h]
        Scores of normal clips of other recordings, where there were more than 512 clips; else empty.
    held_out_recordings : tuple of str, [h]
        Recording of each.
    stored : StoredArrays
        The same numbers as a model file keeps them.
    selection : Selection or None
        Which of the given clips are fitted, calibrate, or do neither. Equal clips count once: only the
        first is among them. None where the memory was restored.
    """

    space: ClassVar[Space]

    rows: Rows
    recordings: tuple[str, ...]
    background: HasPriors | None
    fitted: Fitted
    held_out_scores: npt.NDArray[np.float64]
    held_out_recordings: tuple[str, ...]
    stored: StoredArrays
    selection: Selection | None = None

    @classmethod
    def fit(
        cls,
        rows: npt.ArrayLike,
        recordings: Sequence[str] | None = None,
        background: HasPriors | None = None,
        *,
        clip_ids: Sequence[str] | None = None,
        seed: int = 0,
    ) -> Self:
        """Fit to normal clips of one machine.

        Parameters
        ----------
        rows : array_like of float, [N, size]
            Numbers of normal clips, finite: 360 features in dB, or 128 of an embedding.
        recordings : sequence of str, [N], optional
            Recording (or session) of each clip; by default each clip is one.
        background : Background or EmbeddingBackground, optional
            What varies within other machines. Without one, 10 clips say less.
        clip_ids : sequence of str, [N], optional
            Says which clips are equal, such as a hash of their samples; equal ones count once.
        seed : int
            Decides which of more than 512 clips are kept.

        Returns
        -------
        Memory or EmbeddingMemory
            Fitted to all clips; of more than 512, to 256 by whole recordings, while the others calibrate.

        Raises
        ------
        DecisionError
            Fewer than 3 different clips, numbers that do not fit, a background of others, or lists of other
            lengths.
        """
        given = cls.space.rows(rows)
        if recordings is None:
            recordings = [str(number) for number in range(len(given))]
        numbers = recording_numbers(recordings, len(given))
        distinct = _distinct(clip_ids, len(given))
        selection = Selection(*(distinct[part] for part in select(numbers[distinct], seed)))
        _check_count(len(distinct))
        stored = store(given[selection.fitted])
        memory = cls.from_stored(stored, [recordings[i] for i in selection.fitted], background)
        return replace(
            memory,
            selection=selection,
            held_out_scores=memory.scores_of(given[selection.held_out]),
            held_out_recordings=tuple(recordings[i] for i in selection.held_out),
        )

    @classmethod
    def from_stored(
        cls,
        stored: StoredArrays,
        recordings: Sequence[str],
        background: HasPriors | None,
        held_out_scores: npt.ArrayLike = (),
        held_out_recordings: Sequence[str] = (),
    ) -> Self:
        """Restore a memory: its scores are those of the one that was stored, to the last bit.

        Parameters
        ----------
        stored : StoredArrays
            As `stored` holds them.
        recordings : sequence of str, [n]
            Recording of each clip.
        background : Background, EmbeddingBackground or None
            The same that it was fitted with.
        held_out_scores : array_like of float, [h]
            Its `held_out_scores`.
        held_out_recordings : sequence of str, [h]
            Its `held_out_recordings`.

        Returns
        -------
        Memory or EmbeddingMemory
            With `selection` None.

        Raises
        ------
        DecisionError
            The bytes are damaged, or a list has another length.
        """
        rows = restore(stored, cls.space.size)
        recording_numbers(recordings, len(rows))
        held_out = np.array(held_out_scores, np.float64)
        recording_numbers(held_out_recordings, len(held_out))
        fitted = _fit(rows, recordings, background, cls.space)
        return cls(rows, tuple(recordings), background, fitted, held_out, tuple(held_out_recordings), stored)

    def scores_of(self, rows: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Score clips.

        Parameters
        ----------
        rows : array_like of float, [M, size]
            Their numbers, finite.

        Returns
        -------
        ndarray of float64, [M]
            Each clip's as it would be alone, higher is more anomalous.

        Raises
        ------
        DecisionError
            The numbers have another shape, or are not finite.
        """
        return self.fitted.score(self.space.rows(rows))

    @property
    def leave_one_out(self) -> npt.NDArray[np.float64]:
        """Score of each clip by a memory without its recording, [n] float64.

        With fewer than 3 recordings each clip is left out alone: then these scores only give the score its
        unit, and nothing is decided from them.
        """
        return self.fitted.leave_one_out

    @property
    def is_guaranteed(self) -> bool:
        """Whether the false-alarm rate is guaranteed, if recordings are exchangeable; else it is measured."""
        return bool(self.held_out_recordings)

    @property
    def calibration_scores(self) -> npt.NDArray[np.float64]:
        """Normal scores that decide: of held-out recordings where there are some, else leave-one-out."""
        return self.held_out_scores if self.is_guaranteed else self.leave_one_out

    @property
    def calibration_recordings(self) -> tuple[str, ...]:
        """Recording of each of these scores."""
        return self.held_out_recordings if self.is_guaranteed else self.recordings

    def decide(self, scores: npt.ArrayLike, false_alarm_rate: float) -> Decisions:
        """Decide which scores of this memory are anomalous.

        Parameters
        ----------
        scores : array_like of float, [M]
            As it gave them.
        false_alarm_rate : float
            Share of normal clips that may be called anomalous, in (0, 1).

        Returns
        -------
        Decisions
            Guaranteed if exchangeable where clips were held out (`is_guaranteed`); measured where they are
            leave-one-out. Without decisions, and with the reason, where there are too few recordings.

        Raises
        ------
        DecisionError
            A score is not finite.
        ConfigError
            The rate lies outside (0, 1).
        """
        return decide(self.calibration_scores, scores, false_alarm_rate, self.calibration_recordings)

    @property
    def is_suspicious(self) -> npt.NDArray[np.bool_]:
        """Whether each clip's leave-one-out score lies above median + 6 MAD, [n]: it may be no normal clip.

        None is left out for it: whoever knows the machine listens and decides.
        """
        return far_above(self.leave_one_out)


def far_above(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Whether each of some normal scores [n] lies above their median + 6 MAD."""
    if not scores.size:
        return np.zeros(0, np.bool_)
    median = np.median(scores)
    far: npt.NDArray[np.bool_] = scores > median + SUSPICIOUS_MADS * np.median(np.abs(scores - median))
    return far


def _fit(rows: Rows, recordings: Sequence[str], background: HasPriors | None, space: Space) -> Fitted:
    _check_count(len(rows))
    if background is not None and background.priors.keys() != space.blocks.keys():
        raise DecisionError(
            f"the background is of {', '.join(background.priors)} and the clips are {space.called}; give one "
            "of the same numbers, or none"
        )
    groups = recording_numbers(recordings, len(rows))
    if groups.max() + 1 < MIN_RECORDINGS:
        groups = np.arange(len(rows))
    return fit_all(rows, groups, None if background is None else background.priors, space)


def _distinct(clip_ids: Sequence[str] | None, n: int) -> Indices:
    """Numbers of the n clips without those that equal an earlier one."""
    if clip_ids is None:
        return np.arange(n)
    if isinstance(clip_ids, str) or len(clip_ids) != n:
        raise DecisionError(
            f"clip_ids name {counted(len(clip_ids), 'clip')}; expected {n}, the id of each normal clip"
        )
    first = dict(zip(reversed(clip_ids), reversed(range(n)), strict=True))
    return np.sort(np.fromiter(first.values(), np.intp))


def _check_count(n_clips: int) -> None:
    if n_clips < MIN_CLIPS:
        raise DecisionError(
            f"{are(n_clips, 'different normal clip')} too few: a memory needs {MIN_CLIPS}; {HOW_MANY}"
        )
