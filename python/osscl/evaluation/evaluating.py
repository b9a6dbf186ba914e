"""Figures of merit from labelled scores: per machine ID, per machine type, and in total."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from osscl.errors import EvaluationError
from osscl.evaluation.decided import decision_figures
from osscl.evaluation.figures import Evaluation, Figure, MachineFigures, Summary, TypeFigures
from osscl.evaluation.labelled import LabelledScore
from osscl.evaluation.options import CONFIDENCE, DEFAULT_RESAMPLES, check_options, refuse_not_finite
from osscl.machines.dcase import PUBLISHED_CLASSES, type_of
from osscl.metrics import (
    MAX_FPR,
    Areas,
    StratifiedResampler,
    harmonic_mean,
    percentile_interval,
    roc_areas,
)

_MAX_ELEMENTS = 1 << 22  # resamples times clips computed at once: bounds the memory
_PUBLISHED_TYPES = tuple(dict.fromkeys(type_of(name) for name in PUBLISHED_CLASSES))

Replicates: TypeAlias = npt.NDArray[np.float64]
"""A figure of all clips as they are, then of each resample, [1 + R]."""


def evaluate(
    clips: Iterable[LabelledScore],
    *,
    max_fpr: float = MAX_FPR,
    n_resamples: int = DEFAULT_RESAMPLES,
    seed: int = 0,
) -> Evaluation:
    """Compute AUC and pAUC with their bootstrap intervals; and rates, where clips were decided.

    In each resample the normal and the anomalous clips of each ID are drawn with replacement, and every
    figure, means and worst ID included, is computed anew from the same draws. Clips of an ID with one
    label alone count in the pooled figures of their type and nowhere else.

    Parameters
    ----------
    clips : iterable of LabelledScore
        The clips, in any order.
    max_fpr : float
        False-positive rate up to which pAUC integrates, in (0, 1].
    n_resamples : int
        Bootstrap resamples, from 0 to 1,000,000.
    seed : int
        At least 0; one seed gives one result.

    Returns
    -------
    Evaluation
        All figures.

    Raises
    ------
    ConfigError
        An option lies outside its range.
    EvaluationError
        There are no clips, or a score is not finite.

    References
    ----------
    Koizumi et al.: "Description and discussion on DCASE2020 Challenge Task 2", arXiv 2006.05822 (mean over
    IDs); Efron, Tibshirani: "An Introduction to the Bootstrap", 1993 (percentile intervals).
    """
    check_options(max_fpr, n_resamples, seed)
    clips = list(clips)
    samples = _by_machine(clips)
    by_type: dict[str, list[_Sample]] = defaultdict(list)
    for sample in samples:
        by_type[type_of(sample.name)].append(sample)
    groups = [
        _replicate(_joined(machine_type, of_type), of_type, max_fpr, n_resamples, seed)
        for machine_type, of_type in by_type.items()
    ]
    return Evaluation(
        n_normal=sum(sample.n_normal for sample in samples),
        n_anomalous=sum(sample.n_anomalous for sample in samples),
        max_fpr=max_fpr,
        n_resamples=n_resamples,
        confidence=CONFIDENCE,
        seed=seed,
        total=_total(groups),
        types=[_type_figures(group) for group in groups],
        machines=[_machine_figures(machine) for group in groups for machine in group.machines],
        undefined=[reason for group in groups for reason in _undefined(group)],
        decisions=decision_figures(clips, CONFIDENCE),
    )


class _Sample(NamedTuple):
    """Labels [N] and scores [N] of a machine ID or type."""

    name: str
    is_anomaly: npt.NDArray[np.bool_]
    score: npt.NDArray[np.float64]

    @property
    def n_anomalous(self) -> int:
        return int(self.is_anomaly.sum())

    @property
    def n_normal(self) -> int:
        return len(self.is_anomaly) - self.n_anomalous

    @property
    def reason(self) -> str | None:
        """Why there are no figures; None where there are."""
        if self.n_normal and self.n_anomalous:
            return None
        if self.n_normal:
            return f"no anomalous clip ({self.n_normal} normal)"
        return f"no normal clip ({self.n_anomalous} anomalous)"


class _Replicated(NamedTuple):
    """A machine ID or type, with its figures as they are and in each resample."""

    sample: _Sample
    areas: Areas | None


class _Group(NamedTuple):
    """A type and its IDs."""

    pooled: _Replicated
    machines: list[_Replicated]


def _by_machine(clips: Iterable[LabelledScore]) -> list[_Sample]:
    scores: dict[str, list[tuple[bool, float]]] = defaultdict(list)
    for clip in clips:
        refuse_not_finite(clip)
        scores[clip.machine].append((clip.is_anomaly, clip.score))
    if not scores:
        raise EvaluationError("there is no clip with both a score and a label")
    return [_sample(machine, scores[machine]) for machine in sorted(scores, key=machine_place)]


def machine_place(machine: str) -> tuple[int, str]:
    """Say where a machine stands in a report.

    Parameters
    ----------
    machine : str
        Machine ID.

    Returns
    -------
    tuple of int and str
        What is sorted by: published types in their order, then others by name.
    """
    machine_type = type_of(machine)
    known = machine_type in _PUBLISHED_TYPES
    return (_PUBLISHED_TYPES.index(machine_type) if known else len(_PUBLISHED_TYPES), machine)


def _sample(machine: str, clips: list[tuple[bool, float]]) -> _Sample:
    labels, scores = zip(*sorted(clips), strict=True)  # sorted: the order of files changes no draw
    return _Sample(machine, np.array(labels, bool), np.array(scores, np.float64))


def _joined(machine_type: str, samples: Sequence[_Sample]) -> _Sample:
    return _Sample(
        machine_type,
        np.concatenate([sample.is_anomaly for sample in samples]),
        np.concatenate([sample.score for sample in samples]),
    )


def _replicate(
    pooled: _Sample, machines: list[_Sample], max_fpr: float, n_resamples: int, seed: int
) -> _Group:
    samples = [pooled, *machines]
    blocks: list[list[Areas | None]] = []
    for counts in _draws(machines, n_resamples, seed):
        counts_of_all = [np.hstack(counts), *counts]
        blocks.append(
            [
                None if sample.reason else roc_areas(sample.is_anomaly, sample.score, drawn, max_fpr)
                for sample, drawn in zip(samples, counts_of_all, strict=True)
            ]
        )
    first, *rest = (
        _Replicated(sample, _chained(areas)) for sample, *areas in zip(samples, *blocks, strict=True)
    )
    return _Group(first, rest)


def _draws(machines: list[_Sample], n_resamples: int, seed: int) -> Iterator[list[npt.NDArray[np.int64]]]:
    """How often each clip of each ID is held, [rows, N]: once each in the first row, then the resamples."""
    yield [np.ones((1, len(sample.score)), np.int64) for sample in machines]
    resamplers = [StratifiedResampler(sample.is_anomaly, seed, sample.name) for sample in machines]
    block = max(1, _MAX_ELEMENTS // sum(len(sample.score) for sample in machines))
    for start in range(0, n_resamples, block):
        yield [resampler.draw(min(block, n_resamples - start)) for resampler in resamplers]


def _chained(blocks: Sequence[Areas | None]) -> Areas | None:
    areas = [block for block in blocks if block is not None]
    if not areas:
        return None
    return Areas(np.concatenate([a.auc for a in areas]), np.concatenate([a.pauc for a in areas]))


def _machine_figures(machine: _Replicated) -> MachineFigures:
    sample, areas = machine
    return MachineFigures(
        machine=sample.name,
        n_normal=sample.n_normal,
        n_anomalous=sample.n_anomalous,
        auc=None if areas is None else _figure(areas.auc),
        pauc=None if areas is None else _figure(areas.pauc),
        reason=sample.reason,
    )


def _type_figures(group: _Group) -> TypeFigures:
    pooled = group.pooled.sample
    auc_of = {name: areas.auc[0] for (name, *_), areas in group.machines if areas is not None}
    return TypeFigures(
        machine_type=pooled.name,
        n_machines=len(group.machines),
        n_normal=pooled.n_normal,
        n_anomalous=pooled.n_anomalous,
        figures=_as_figures(_summary(group)),
        worst_machine=min(auc_of, key=auc_of.__getitem__, default=None),
    )


def _summary(group: _Group) -> dict[str, Replicates | None]:
    """The replicates of each figure of a type."""
    pooled = group.pooled.areas
    defined = _defined(group)
    replicates: dict[str, Replicates | None] = dict.fromkeys(Summary.__struct_fields__)
    if pooled is not None:
        replicates |= {"pooled_auc": pooled.auc, "pooled_pauc": pooled.pauc}
    if defined:
        auc, pauc = (np.array(figure) for figure in zip(*defined, strict=True))  # [IDs, 1 + R] each
        replicates |= {
            "mean_auc": auc.mean(axis=0),
            "mean_pauc": pauc.mean(axis=0),
            "worst_auc": auc.min(axis=0),
            "harmonic_mean": harmonic_mean(np.concatenate([auc, pauc])),
        }
    return replicates


def _total(groups: list[_Group]) -> Summary:
    summaries = [_summary(group) for group in groups]
    total: dict[str, Replicates | None] = {}
    for name in Summary.__struct_fields__:
        of_types = [figure for summary in summaries if (figure := summary[name]) is not None]
        total[name] = np.mean(np.array(of_types), axis=0) if of_types else None
    of_machines = [figure for group in groups for areas in _defined(group) for figure in areas]
    total["harmonic_mean"] = harmonic_mean(np.array(of_machines)) if of_machines else None
    return _as_figures(total)


def _defined(group: _Group) -> list[Areas]:
    return [areas for _, areas in group.machines if areas is not None]


def _undefined(group: _Group) -> list[str]:
    named = [f"{sample.name}: {sample.reason}" for sample, areas in group.machines if areas is None]
    pooled = group.pooled.sample
    if group.pooled.areas is None:
        named.append(f"{pooled.name}, pooled and as a whole: {pooled.reason}")
    elif not _defined(group):
        named.append(f"{pooled.name}, mean over IDs and worst ID: no ID has both labels")
    return named


def _as_figures(replicates: Mapping[str, Replicates | None]) -> Summary:
    return Summary(**{name: None if r is None else _figure(r) for name, r in replicates.items()})


def _figure(replicates: Replicates) -> Figure:
    value = float(replicates[0])
    return (
        Figure(value, *percentile_interval(replicates[1:], CONFIDENCE))
        if len(replicates) > 1
        else Figure(value)
    )
