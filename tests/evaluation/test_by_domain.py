"""Official figures of each year by domain: against values worked out by hand, and other libraries'."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import hmean
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

from osscl.errors import ConfigError, EvaluationError
from osscl.evaluation.by_domain import evaluate_by_domain
from osscl.evaluation.challenge_rules import ChallengeRules, rules_of_year
from osscl.evaluation.domain_figures import Domains
from osscl.evaluation.figures import Figure
from osscl.evaluation.labelled import LabelledScore
from osscl.machines.domains import DOMAINS, Domain

EXACT = 1e-12
SINCE_2022 = range(2022, 2026)


def clips(machine: str, **scores: list[float]) -> list[LabelledScore]:
    """Clips of one section; arguments are named like ``source_normal``."""
    return [
        LabelledScore(machine, f"{kind}_{number}.wav", score, word == "anomaly", None, _domain(domain))
        for kind, of_kind in scores.items()
        for domain, word in [kind.split("_")]
        for number, score in enumerate(of_kind)
    ]


def _domain(word: str) -> Domain | None:
    return next((domain for domain in DOMAINS if domain == word), None)


# ties within a domain (5) and across (2, 3); worked out below
WORKED = clips(
    "fan/section_00",
    source_normal=[1, 3],
    source_anomaly=[2, 4],
    target_normal=[2, 5],
    target_anomaly=[3, 5],
)
PERFECT = clips(
    "fan/section_01", source_normal=[0], source_anomaly=[2], target_normal=[1], target_anomaly=[3]
)
HALF = clips(
    "gearbox/section_00", source_normal=[0, 2], source_anomaly=[1], target_normal=[0, 2], target_anomaly=[1]
)


def evaluated(sounds: list[LabelledScore], year: int) -> Domains:
    found = evaluate_by_domain(sounds, rules_of_year(year), n_resamples=0)
    assert found is not None
    return found


def value(figure: Figure | None) -> float:
    assert figure is not None
    return figure.value


def harmonic(*values: Fraction) -> float:
    return float(len(values) / sum(1 / each for each in values))


@pytest.mark.parametrize("year", SINCE_2022)
def test_from_2022_normals_of_a_domain_stand_against_the_anomalies_of_both(year: int) -> None:
    """Worked out: of 8 pairs of the source 6 and a tie are in order, of the target 3 and two ties.

    The highest scores, 5, are one of each label: up to a false-positive rate of 0.1, in steps of 1/4, the ROC
    curve is the diagonal, whose standardised area is 1/2.
    """
    found = evaluated(WORKED, year)
    source, target, pauc = Fraction(13, 16), Fraction(1, 2), Fraction(1, 2)
    assert value(found.source.auc) == pytest.approx(float(source), abs=EXACT)
    assert value(found.target.auc) == pytest.approx(float(target), abs=EXACT)
    assert value(found.pauc) == pytest.approx(float(pauc), abs=EXACT)
    assert found.source.pauc is found.target.pauc is None
    assert value(found.harmonic_mean) == pytest.approx(harmonic(source, target, pauc), abs=EXACT)
    assert value(found.harmonic_mean) == pytest.approx(float(Fraction(39, 68)), abs=EXACT)


def test_in_2021_each_domain_stands_alone() -> None:
    """Worked out: 3 of 4 pairs of the source in order; 2 and a tie of the target.

    Of the source, the curve rises to 1/2 and goes on at that height to a false-positive rate of 1/2: an area
    of 0.05 up to 0.1, standardised (1 + (0.05 - 0.005) / (0.1 - 0.005)) / 2 = 14/19.
    """
    found = evaluated(WORKED, 2021)
    source, target = Fraction(3, 4), Fraction(5, 8)
    pauc_source, pauc_target = Fraction(14, 19), Fraction(1, 2)
    assert value(found.source.auc) == pytest.approx(float(source), abs=EXACT)
    assert value(found.target.auc) == pytest.approx(float(target), abs=EXACT)
    assert value(found.source.pauc) == pytest.approx(float(pauc_source), abs=EXACT)
    assert value(found.target.pauc) == pytest.approx(float(pauc_target), abs=EXACT)
    assert found.pauc is None
    expected = harmonic(source, target, pauc_source, pauc_target)
    assert value(found.harmonic_mean) == pytest.approx(expected, abs=EXACT)


def test_means_are_harmonic_over_types_sections_domains_and_figures() -> None:
    """Worked out: the perfect section has 1 throughout.

    Of the third, 1 of 2 normal clips of each domain lies below both anomalies: AUC 1/2. The two highest of
    its four normal clips lie above them: no area up to 0.1, which is (1 - 0.005 / 0.095) / 2 = 9/19.
    """
    found = evaluated([*HALF, *WORKED, *PERFECT], 2023)
    half, nothing = Fraction(1, 2), Fraction(9, 19)
    of_worked, of_half = (Fraction(13, 16), half, half), (half, half, nothing)
    assert [section.name for section in found.sections] == [
        "fan/section_00",
        "fan/section_01",
        "gearbox/section_00",
    ]
    fan, gearbox = found.types
    assert value(fan.source.auc) == pytest.approx(harmonic(of_worked[0], Fraction(1)), abs=EXACT)
    assert value(fan.harmonic_mean) == pytest.approx(harmonic(*of_worked, *[Fraction(1)] * 3), abs=EXACT)
    assert value(gearbox.harmonic_mean) == pytest.approx(harmonic(*of_half), abs=EXACT)
    assert value(found.pauc) == pytest.approx(harmonic(half, Fraction(1), nothing), abs=EXACT)
    every = (*of_worked, *[Fraction(1)] * 3, *of_half)
    assert value(found.harmonic_mean) == pytest.approx(harmonic(*every), abs=EXACT)
    assert (found.source.n_normal, found.target.n_anomalous, found.undefined) == (5, 4, [])


@pytest.mark.parametrize("year", range(2021, 2026))
def test_an_auc_of_zero_makes_the_mean_zero(year: int) -> None:
    zero = clips(
        "fan/section_02", source_normal=[0], source_anomaly=[1], target_normal=[2], target_anomaly=[1]
    )
    found = evaluated([*WORKED, *zero], year)
    assert value(found.sections[1].source.auc) == 1
    assert value(found.sections[1].target.auc) == 0
    assert value(found.target.auc) == value(found.harmonic_mean) == 0
    assert value(found.source.auc) > 0


def test_a_missing_domain_leaves_its_figure_out_and_says_so() -> None:
    found = evaluated([*PERFECT, *clips("fan/section_02", source_normal=[0, 2], source_anomaly=[1])], 2022)
    assert found.sections[1].target.auc is None
    assert value(found.sections[1].source.auc) == 0.5
    assert found.undefined == ["fan/section_02, AUC of the target domain: no normal clip"]
    assert value(found.target.auc) == 1
    assert value(found.source.auc) == pytest.approx(2 / 3, abs=EXACT)


def test_a_section_without_anomalies_is_named_once_and_left_out() -> None:
    normal = clips("fan/section_02", source_normal=[0, 2], target_normal=[1])
    found = evaluated([*WORKED, *normal], 2024)
    assert found.undefined == ["fan/section_02: no anomalous clip"]
    assert found.sections[1].harmonic_mean is None
    assert found.harmonic_mean == evaluated(WORKED, 2024).harmonic_mean


def test_a_section_with_clips_of_unknown_domain_has_no_figures() -> None:
    unknown = [*clips("fan/section_02", source_normal=[0], elsewhere_anomaly=[1])]
    found = evaluated([*WORKED, *unknown], 2023)
    assert found.undefined == ["fan/section_02: 1 of 2 clips tells no domain"]
    assert evaluate_by_domain(clips("fan/section_00", x_normal=[0]), rules_of_year(2023)) is None
    assert evaluate_by_domain(WORKED, rules_of_year(2020)) is None


def noisy() -> list[LabelledScore]:
    """Three types of two sections, with ties, shifted targets, and decisions."""
    rng = np.random.default_rng(3)
    sounds = []
    for machine in (
        f"{name}/section_{number:02}" for name in ("fan", "valve", "ToyCar") for number in (0, 3)
    ):
        for number in range(80):
            domain, is_anomaly = DOMAINS[number % 2], number % 4 > 1
            score = round(rng.normal(is_anomaly + 0.5 * (domain == "target"), 1), 1)
            name = f"section_{number}.wav"
            sounds.append(LabelledScore(machine, name, score, is_anomaly, score > 0.7, domain))
    return sounds


def reference(sounds: list[LabelledScore], rules: ChallengeRules) -> tuple[float, dict[str, list[float]]]:
    """The official score and all figures it is made of, by other libraries."""
    figures: dict[str, list[float]] = {}

    def add(key: str, chosen: list[LabelledScore], max_fpr: float | None) -> None:
        labels, scores = [clip.is_anomaly for clip in chosen], [clip.score for clip in chosen]
        figures.setdefault(key, []).append(roc_auc_score(labels, scores, max_fpr=max_fpr))

    for machine in dict.fromkeys(clip.machine for clip in sounds):
        section = [clip for clip in sounds if clip.machine == machine]
        for domain in DOMAINS:
            own = [clip for clip in section if clip.domain == domain]
            wide = [clip for clip in section if clip.domain == domain or clip.is_anomaly]
            add(domain, wide if rules.anomalies_of_both else own, None)
            if rules.pauc_by_domain:
                add(f"pauc {domain}", own, 0.1)
        if not rules.pauc_by_domain:
            add("pauc", section, 0.1)
    return float(hmean([each for of_key in figures.values() for each in of_key])), figures


@pytest.mark.parametrize("year", range(2021, 2026))
def test_official_scores_are_those_of_other_libraries(year: int) -> None:
    sounds, rules = noisy(), rules_of_year(year)
    score, figures = reference(sounds, rules)
    found = evaluated(sounds, year)
    assert value(found.harmonic_mean) == pytest.approx(score, abs=EXACT)
    for domain, of_domain in (("source", found.source), ("target", found.target)):
        assert value(of_domain.auc) == pytest.approx(hmean(figures[domain]), abs=EXACT)
        if rules.pauc_by_domain:
            assert value(of_domain.pauc) == pytest.approx(hmean(figures[f"pauc {domain}"]), abs=EXACT)
    if not rules.pauc_by_domain:
        assert value(found.pauc) == pytest.approx(hmean(figures["pauc"]), abs=EXACT)


def test_decisions_are_summed_up_by_domain_as_other_libraries_do() -> None:
    sounds = noisy()
    found = evaluated(sounds, 2023)
    for section in found.sections:
        for domain, of_domain in (("source", section.source), ("target", section.target)):
            own = [clip for clip in sounds if clip.machine == section.name and clip.domain == domain]
            expected = precision_recall_fscore_support(
                [clip.is_anomaly for clip in own], [bool(clip.was_flagged) for clip in own], average="binary"
            )
            told = (value(of_domain.precision), value(of_domain.recall), value(of_domain.f1))
            assert told == pytest.approx(expected[:3], abs=EXACT)
    of_sections = [value(section.source.f1) for section in found.sections]
    assert value(found.source.f1) == pytest.approx(hmean(of_sections), abs=EXACT)
    undecided = evaluated([sounds[0]._replace(was_flagged=None), *sounds[1:]], 2023)
    assert undecided.sections[0].name == "fan/section_00"
    assert undecided.sections[0].source.f1 is None
    assert undecided.sections[0].target.f1 is not None


def test_intervals_are_repeatable_and_hold_the_figure() -> None:
    sounds, rules = noisy(), rules_of_year(2023)
    first = evaluate_by_domain(sounds, rules, n_resamples=200, seed=1)
    assert evaluate_by_domain(sounds[::-1], rules, n_resamples=200, seed=1) == first
    assert first is not None
    for figure in (first.source.auc, first.target.auc, first.pauc, first.harmonic_mean):
        assert figure is not None
        assert figure.low is not None
        assert figure.high is not None
        assert figure.low < figure.value < figure.high
    plain = evaluated(sounds, 2023)
    assert value(plain.harmonic_mean) == pytest.approx(value(first.harmonic_mean), abs=EXACT)
    alone = [clip for clip in sounds if clip.machine == "valve/section_03"]
    by_itself = evaluate_by_domain(alone, rules, n_resamples=200, seed=1)
    assert by_itself is not None
    assert by_itself.sections[0] in first.sections


def test_options_and_scores_are_checked() -> None:
    rules = rules_of_year(2023)
    with pytest.raises(ConfigError, match="max_fpr is 2"):
        evaluate_by_domain(WORKED, rules, max_fpr=2)
    with pytest.raises(EvaluationError, match=r"source_normal_0.wav \(fan/section_00\) is inf; leave it out"):
        evaluate_by_domain(clips("fan/section_00", source_normal=[float("inf")]), rules)
    with pytest.raises(ConfigError, match="year is 2019; expected one from 2020 to 2025"):
        rules_of_year(2019)
