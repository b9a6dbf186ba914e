"""Figures by domain from labelled scores, as the challenge of a year counts them: sections, types, total."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from osscl.evaluation.challenge_rules import ChallengeRules
from osscl.evaluation.decided import precision_recall_f1
from osscl.evaluation.domain_figures import DomainFigures, Domains, SectionFigures
from osscl.evaluation.evaluating import machine_place
from osscl.evaluation.figures import Figure
from osscl.evaluation.labelled import LabelledScore
from osscl.evaluation.options import CONFIDENCE, DEFAULT_RESAMPLES, check_options, refuse_not_finite
from osscl.machines.dcase import type_of
from osscl.machines.domains import DOMAINS, Domain
from osscl.metrics import MAX_FPR, StratifiedResampler, harmonic_mean, percentile_interval, roc_areas
from osscl.support.plurals import counted, verb

_MAX_ELEMENTS = 1 << 22  # resamples times clips computed at once: bounds the memory

Replicates: TypeAlias = npt.NDArray[np.float64]
"""A figure of all clips as they are, then of each resample, [1 + R]."""

Key: TypeAlias = tuple[str, Domain | None]
"""Which figure, of which domain; of both where there is none."""


def evaluate_by_domain(
    clips: Iterable[LabelledScore],
    rules: ChallengeRules,
    name: str | None = None,
    *,
    max_fpr: float = MAX_FPR,
    n_resamples: int = DEFAULT_RESAMPLES,
    seed: int = 0,
) -> Domains | None:
    """Compute AUC and pAUC by domain, their harmonic means, and bootstrap intervals of all of them.

    In each resample normal and anomalous clips of each domain of a section are drawn with replacement.

    Parameters
    ----------
    clips : iterable of LabelledScore
        The clips, in any order. A section with a clip of unknown domain has no figures.
    rules : ChallengeRules
        What is counted; rules without domains give None.
    name : str, optional
        Whose rules they are, such as "DCASE 2023"; by default all of their years.
    max_fpr : float
        False-positive rate up to which pAUC integrates, in (0, 1]; the challenge's is 0.1.
    n_resamples : int
        Bootstrap resamples, from 0 to 1,000,000.
    seed : int
        At least 0; one seed gives one result.

    Returns
    -------
    Domains or None
        None where no clip tells its domain.

    Raises
    ------
    ConfigError
        An option lies outside its range.
    EvaluationError
        A score is not finite.

    References
    ----------
    `osscl.evaluation.challenge_rules` names the source of each year.
    """
    check_options(max_fpr, n_resamples, seed)
    of_machine: dict[str, list[LabelledScore]] = defaultdict(list)
    for clip in clips:
        refuse_not_finite(clip)
        of_machine[clip.machine].append(clip)
    if not rules.by_domain or not any(clip.domain for of_one in of_machine.values() for clip in of_one):
        return None
    sections = [
        _section(machine, of_machine[machine], rules, max_fpr, n_resamples, seed)
        for machine in sorted(of_machine, key=machine_place)
    ]
    of_type: dict[str, list[_Section]] = defaultdict(list)
    for section in sections:
        of_type[type_of(section.name)].append(section)
    total = _figures("total", sections)
    return Domains(
        rules=name or rules.name,
        source=total.source,
        target=total.target,
        pauc=total.pauc,
        harmonic_mean=total.harmonic_mean,
        types=[_figures(machine_type, of_one) for machine_type, of_one in of_type.items()],
        sections=[_figures(section.name, [section]) for section in sections],
        undefined=[reason for section in sections for reason in section.undefined],
    )


class _Section(NamedTuple):
    """A section: its clips by domain and label, what is counted of it, and what of that is missing."""

    name: str
    n_clips: Mapping[tuple[Domain, bool], int]
    counted: Mapping[Key, Replicates]
    decided: Mapping[Key, float]
    undefined: list[str]


def _section(
    name: str, clips: list[LabelledScore], rules: ChallengeRules, max_fpr: float, n_resamples: int, seed: int
) -> _Section:
    n_clips = {
        (domain, label): sum(clip.domain == domain and clip.is_anomaly == label for clip in clips)
        for domain in DOMAINS
        for label in (False, True)
    }
    n_unknown = sum(clip.domain is None for clip in clips)
    if n_unknown:
        return _Section(
            name,
            n_clips,
            {},
            {},
            [
                f"{name}: {n_unknown} of {counted(len(clips), 'clip')} {verb(n_unknown, 'tells', 'tell')} "
                "no domain"
            ],
        )
    sample = _Sample(clips)
    chosen = {key: sample.chosen(key[1], rules) for key in _counted_keys(rules)}
    reasons = {key: reason for key, of_key in chosen.items() if (reason := sample.reason(of_key)) is not None}
    defined = {key: of_key for key, of_key in chosen.items() if key not in reasons}
    return _Section(
        name=name,
        n_clips=n_clips,
        counted=_replicated(name, sample, defined, max_fpr, n_resamples, seed),
        decided=_decided(clips),
        undefined=list(_spelled_reasons(name, reasons, len(chosen))),
    )


class _Sample:
    """Clips of a section as arrays [N], in an order that no order of files changes."""

    def __init__(self, clips: list[LabelledScore]) -> None:
        ordered = sorted((clip.domain or "", clip.is_anomaly, clip.score) for clip in clips)
        self.domain = np.array([domain for domain, _, _ in ordered])
        self.is_anomaly = np.array([is_anomaly for _, is_anomaly, _ in ordered], bool)
        self.score = np.array([score for _, _, score in ordered], np.float64)

    def chosen(self, domain: Domain | None, rules: ChallengeRules) -> npt.NDArray[np.bool_]:
        """Which clips a figure of a domain is made of."""
        if domain is None:
            return np.ones(len(self.score), bool)
        of_domain = self.domain == domain
        return np.asarray(of_domain | self.is_anomaly if rules.anomalies_of_both else of_domain)

    def reason(self, chosen: npt.NDArray[np.bool_]) -> str | None:
        """Why there is no figure of these clips; None where there is."""
        n_anomalous = int(self.is_anomaly[chosen].sum())
        if n_anomalous and n_anomalous < int(chosen.sum()):
            return None
        return "no normal clip" if n_anomalous else "no anomalous clip"


def _counted_keys(rules: ChallengeRules) -> list[Key]:
    paucs: list[Key] = [("pAUC", domain) for domain in DOMAINS] if rules.pauc_by_domain else [("pAUC", None)]
    return [*(("AUC", domain) for domain in DOMAINS), *paucs]


def _spelled_reasons(name: str, reasons: Mapping[Key, str], n_counted: int) -> Iterator[str]:
    if len(reasons) == n_counted and len(set(reasons.values())) == 1:
        yield f"{name}: {next(iter(reasons.values()))}"
        return
    for (figure, domain), reason in reasons.items():
        yield f"{name}, {figure}{'' if domain is None else f' of the {domain} domain'}: {reason}"


def _replicated(
    name: str,
    sample: _Sample,
    chosen: Mapping[Key, npt.NDArray[np.bool_]],
    max_fpr: float,
    n_resamples: int,
    seed: int,
) -> dict[Key, Replicates]:
    found: dict[Key, list[Replicates]] = {key: [] for key in chosen}
    for counts in _draws(name, sample, n_resamples, seed):
        for key, of_key in chosen.items():
            areas = roc_areas(sample.is_anomaly[of_key], sample.score[of_key], counts[:, of_key], max_fpr)
            found[key].append(areas.auc if key[0] == "AUC" else areas.pauc)
    return {key: np.concatenate(blocks) for key, blocks in found.items()}


def _draws(name: str, sample: _Sample, n_resamples: int, seed: int) -> Iterator[npt.NDArray[np.int64]]:
    """How often each clip is held, [rows, N]: once each in the first row, then the resamples."""
    n_clips = len(sample.score)
    yield np.ones((1, n_clips), np.int64)
    places = {domain: np.flatnonzero(sample.domain == domain) for domain in DOMAINS}
    resamplers = {
        domain: StratifiedResampler(sample.is_anomaly[places[domain]], seed, f"{name}/{domain}")
        for domain in DOMAINS
    }
    block = max(1, _MAX_ELEMENTS // n_clips)
    for start in range(0, n_resamples, block):
        n_rows = min(block, n_resamples - start)
        counts = np.zeros((n_rows, n_clips), np.int64)
        for domain in DOMAINS:
            counts[:, places[domain]] = resamplers[domain].draw(n_rows)
        yield counts


def _decided(clips: list[LabelledScore]) -> dict[Key, float]:
    found: dict[Key, float] = {}
    for domain in DOMAINS:
        of_domain = [clip for clip in clips if clip.domain == domain]
        decided = [(c.is_anomaly, c.was_flagged) for c in of_domain if c.was_flagged is not None]
        summed_up = precision_recall_f1(decided) if len(decided) == len(of_domain) else None
        if summed_up is not None:
            keys: list[Key] = [(figure, domain) for figure in ("precision", "recall", "F1")]
            found |= dict(zip(keys, summed_up, strict=True))
    return found


def _figures(name: str, sections: Sequence[_Section]) -> SectionFigures:
    """Figures of a section; or of several, their harmonic means."""
    counted = [replicates for section in sections for replicates in section.counted.values()]
    source, target = (_domain(domain, sections) for domain in DOMAINS)
    return SectionFigures(
        name=name,
        source=source,
        target=target,
        pauc=_mean(sections, ("pAUC", None)),
        harmonic_mean=_figure(counted),
    )


def _domain(domain: Domain, sections: Sequence[_Section]) -> DomainFigures:
    return DomainFigures(
        n_normal=sum(section.n_clips[domain, False] for section in sections),
        n_anomalous=sum(section.n_clips[domain, True] for section in sections),
        auc=_mean(sections, ("AUC", domain)),
        pauc=_mean(sections, ("pAUC", domain)),
        precision=_mean(sections, ("precision", domain)),
        recall=_mean(sections, ("recall", domain)),
        f1=_mean(sections, ("F1", domain)),
    )


def _mean(sections: Sequence[_Section], key: Key) -> Figure | None:
    replicates = [section.counted[key] for section in sections if key in section.counted]
    decided = [np.array([section.decided[key]]) for section in sections if key in section.decided]
    return _figure(replicates or decided)


def _figure(replicates: Sequence[Replicates]) -> Figure | None:
    if not replicates:
        return None
    mean = harmonic_mean(np.array(replicates)) if len(replicates) > 1 else replicates[0]
    value = float(mean[0])
    return Figure(value) if len(mean) == 1 else Figure(value, *percentile_interval(mean[1:], CONFIDENCE))
