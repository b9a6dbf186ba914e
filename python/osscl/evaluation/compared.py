"""Two models on the same clips: do they rank them alike, which decisions flip, which tells faults better."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from osscl.errors import EvaluationError
from osscl.evaluation.comparison import Apart, Compared, Comparison, Flip, Judged
from osscl.evaluation.figures import Figure
from osscl.evaluation.options import CONFIDENCE, DEFAULT_RESAMPLES, check_resamples
from osscl.metrics import StratifiedResampler, percentile_interval, rank_correlation, roc_areas
from osscl.scoring.record import Record
from osscl.support.paths import printable
from osscl.support.plurals import counted

ALL = "all"
_MAX_ELEMENTS = 1 << 22  # resamples times clips computed at once: bounds the memory

TruthOf = Callable[[Record], bool | None]
"""Whether the clip of a line is anomalous; None where that is not known."""


class Scored(NamedTuple):
    """What one model says of clips.

    Attributes
    ----------
    records : sequence of Record
        A line a clip.
    rates : mapping of str to float
        False-alarm rate that clips of a machine were decided at.
    fingerprints : mapping of str to str
        What the scores of each machine depend on, see `osscl.scoring.judges.Judges.fingerprint`.
    """

    records: Sequence[Record]
    rates: Mapping[str, float] = {}
    fingerprints: Mapping[str, str] = {}


def compare(
    a: Scored, b: Scored, truth_of: TruthOf, *, n_resamples: int = DEFAULT_RESAMPLES, seed: int = 0
) -> Comparison:
    """Compare what two models say of the same clips.

    Parameters
    ----------
    a, b : Scored
        Lines of the same clips in the same order.
    truth_of : callable
        Tells whether a clip is anomalous, of a line with a score.
    n_resamples : int
        Bootstrap resamples behind the intervals, from 0 to 1,000,000; 0 for no intervals.
    seed : int
        At least 0; one seed gives one result.

    Returns
    -------
    Comparison
        The clips that both scored as the same machine, compared; all others named.

    Raises
    ------
    ConfigError
        `n_resamples` or `seed` lies outside its range.
    EvaluationError
        The lines are not of the same clips, or no clip was scored by both as the same machine.
    """
    check_resamples(n_resamples, seed)
    if [record.path for record in a.records] != [record.path for record in b.records]:
        raise EvaluationError(
            f"A has {counted(len(a.records), 'line')} and B {len(b.records)}, not of the same clips in the "
            "same order; score one list of files by both"
        )
    pairs: list[_Pair] = []
    apart: list[Apart] = []
    for first, second in zip(a.records, b.records, strict=True):
        machine = first.machine
        if first.score is None or second.score is None or machine is None or machine != second.machine:
            apart.append(Apart(path=first.path, a=_said(first), b=_said(second)))
        else:
            pairs.append(_Pair(machine, first, second, truth_of(first)))
    if not pairs:
        raise EvaluationError(_nothing_in_common(apart))
    of_machine: dict[str, list[_Pair]] = defaultdict(list)
    for pair in pairs:
        of_machine[pair.machine].append(pair)
    draws = {name: _AucDraws(name, of_machine[name], n_resamples, seed) for name in sorted(of_machine)}
    machines = [_compared(name, of_machine[name], draws[name], a, b) for name in draws]
    return Comparison(
        confidence=CONFIDENCE,
        n_resamples=n_resamples,
        seed=seed,
        machines=machines,
        total=_total(machines, list(draws.values())),
        flips=[pair.flip() for pair in pairs if pair.flips],
        apart=apart,
        n_unlabelled=sum(pair.is_anomaly is None for pair in pairs),
    )


class _Pair(NamedTuple):
    """What both models say of a clip, and the truth."""

    machine: str
    a: Record
    b: Record
    is_anomaly: bool | None

    @property
    def is_decided(self) -> bool:
        return self.a.is_anomaly is not None and self.b.is_anomaly is not None

    @property
    def flips(self) -> bool:
        return self.is_decided and self.a.is_anomaly != self.b.is_anomaly

    def flip(self) -> Flip:
        assert self.a.score is not None
        assert self.b.score is not None
        assert self.a.threshold is not None, "it is decided"
        assert self.b.threshold is not None, "it is decided"
        return Flip(
            path=self.a.path,
            machine=self.machine,
            flagged_by="a" if self.a.is_anomaly else "b",
            is_anomaly=self.is_anomaly,
            score_a=self.a.score,
            score_b=self.b.score,
            threshold_a=self.a.threshold,
            threshold_b=self.b.threshold,
        )


class _AucDraws:
    """AUC by both models, of the clips as they are, then of each resample: [1 + R] each, or none."""

    def __init__(self, machine: str, pairs: Sequence[_Pair], n_resamples: int, seed: int) -> None:
        known = [pair for pair in pairs if pair.is_anomaly is not None]
        is_anomaly = np.array([pair.is_anomaly for pair in known], bool)
        self.n_anomalous = int(is_anomaly.sum())
        self.n_normal = len(known) - self.n_anomalous
        self.of_both: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None = None
        if self.n_anomalous and self.n_normal:
            counts = list(_draws(is_anomaly, machine, n_resamples, seed))
            first, second = (
                np.concatenate([roc_areas(is_anomaly, _scores(records), drawn).auc for drawn in counts])
                for records in zip(*((pair.a, pair.b) for pair in known), strict=True)
            )
            self.of_both = first, second


def _draws(
    is_anomaly: npt.NDArray[np.bool_], machine: str, n_resamples: int, seed: int
) -> Iterator[npt.NDArray[np.int64]]:
    """How often each clip is held, [rows, N]: once each in the first row, then the resamples."""
    yield np.ones((1, len(is_anomaly)), np.int64)
    resampler = StratifiedResampler(is_anomaly, seed, machine)
    block = max(1, _MAX_ELEMENTS // len(is_anomaly))
    for start in range(0, n_resamples, block):
        yield resampler.draw(min(block, n_resamples - start))


def _compared(machine: str, pairs: Sequence[_Pair], draws: _AucDraws, a: Scored, b: Scored) -> Compared:
    decided = [pair for pair in pairs if pair.is_decided]
    by_a, by_b = zip(*((pair.a, pair.b) for pair in pairs), strict=True)
    ranked = rank_correlation(_scores(by_a), _scores(by_b)) if len(pairs) > 1 else np.nan
    auc_a, auc_b = (None, None) if draws.of_both is None else (float(auc[0]) for auc in draws.of_both)
    truths = [pair.is_anomaly for pair in decided]
    return Compared(
        machine=machine,
        n_clips=len(pairs),
        n_normal=draws.n_normal,
        n_anomalous=draws.n_anomalous,
        same_scorer=a.fingerprints.get(machine, "a") == b.fingerprints.get(machine, "b"),
        rank_correlation=None if np.isnan(ranked) else ranked,
        n_decided=len(decided),
        n_newly_flagged=sum(pair.flips for pair in decided if pair.b.is_anomaly),
        n_no_longer_flagged=sum(pair.flips for pair in decided if pair.a.is_anomaly),
        a=_judged(by_a[0].rule, a.rates.get(machine), [pair.a for pair in decided], truths, auc_a),
        b=_judged(by_b[0].rule, b.rates.get(machine), [pair.b for pair in decided], truths, auc_b),
        auc_change=None if draws.of_both is None else _change(*draws.of_both),
    )


def _judged(
    rule: str | None,
    rate: float | None,
    decided: Sequence[Record],
    truths: Sequence[bool | None],
    auc: float | None,
) -> Judged:
    flagged = [truth for record, truth in zip(decided, truths, strict=True) if record.is_anomaly]
    return Judged(
        rule=rule,
        rate=rate,
        n_flagged=len(flagged),
        n_false_alarms=flagged.count(False),
        n_detected=flagged.count(True),
        auc=auc,
    )


def _total(machines: Sequence[Compared], draws: Sequence[_AucDraws]) -> Compared:
    of_both = [each.of_both for each in draws if each.of_both is not None]
    means = [np.mean(of_one, axis=0) for of_one in zip(*of_both, strict=True)]  # [1 + R] each
    ranked = [each.rank_correlation for each in machines if each.rank_correlation is not None]
    counted = ("n_clips", "n_normal", "n_anomalous", "n_decided", "n_newly_flagged", "n_no_longer_flagged")
    first, second = means or (None, None)
    return Compared(
        machine=ALL,
        same_scorer=all(each.same_scorer for each in machines),
        rank_correlation=fmean(ranked) if ranked else None,
        a=_summed([each.a for each in machines], None if first is None else float(first[0])),
        b=_summed([each.b for each in machines], None if second is None else float(second[0])),
        auc_change=_change(*means) if means else None,
        **{name: sum(getattr(each, name) for each in machines) for name in counted},
    )


def _summed(judged: Sequence[Judged], auc: float | None) -> Judged:
    return Judged(
        rule=None,
        rate=None,
        n_flagged=sum(each.n_flagged for each in judged),
        n_false_alarms=sum(each.n_false_alarms for each in judged),
        n_detected=sum(each.n_detected for each in judged),
        auc=auc,
    )


def _change(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> Figure:
    change = b - a
    interval = percentile_interval(change[1:], CONFIDENCE) if len(change) > 1 else (None, None)
    return Figure(float(change[0]), *interval)


def _scores(records: Sequence[Record]) -> npt.NDArray[np.float64]:
    return np.array([record.score for record in records], np.float64)


def _said(record: Record) -> str:
    scored = "" if record.score is None else f", scored as {record.machine}"
    reason = f": {record.reason}" if record.reason else ""
    return f"{record.status}{scored}{reason}"


def _nothing_in_common(apart: Sequence[Apart]) -> str:
    first = ""
    if apart:
        path = printable(apart[0].path)
        first = f"; of the first, {path}, A says {apart[0].a}, and B says {apart[0].b}"
    return (
        f"none of {counted(len(apart), 'clip')} was scored by both models as the same machine{first}: name "
        "a folder with recordings of machines that both know"
    )
