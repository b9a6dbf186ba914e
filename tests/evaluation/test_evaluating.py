"""Figures per ID, per type and in total, from clips whose figures are known."""

import random

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from osscl.errors import ConfigError, EvaluationError
from osscl.evaluation.evaluating import evaluate
from osscl.evaluation.figures import Evaluation, Figure
from osscl.evaluation.labelled import LabelledScore
from osscl.evaluation.report_notes import notes_of
from osscl.evaluation.report_tables import Report, rules_grid


def clips(machine: str, normal: list[float], anomalous: list[float]) -> list[LabelledScore]:
    return [
        LabelledScore(machine, f"{word}_{number}.wav", score, is_anomaly)
        for word, is_anomaly, scores in (("normal", False, normal), ("anomaly", True, anomalous))
        for number, score in enumerate(scores)
    ]


def noisy_clips(*machines: str, n: int = 60) -> list[LabelledScore]:
    rng = np.random.default_rng(len(machines))
    made: list[LabelledScore] = []
    for place, machine in enumerate(machines):
        normal, anomalous = rng.normal(place, 1, n), rng.normal(place + 1.2, 1, n)
        made += clips(machine, normal.round(1).tolist(), anomalous.round(1).tolist())  # rounded: with ties
    return made


def value(figure: Figure | None) -> float:
    assert figure is not None
    return figure.value


def test_pooled_and_mean_over_ids_differ_where_ids_score_on_different_levels() -> None:
    # each ID is told apart without fault, but all clips of the second score above all of the first:
    # of the 4 pairs of anomalous and normal clip in the pool, one is in the wrong order
    built = clips("fan/id_00", [0.0], [1.0]) + clips("fan/id_02", [2.0], [3.0])
    figures = evaluate(built).types[0].figures
    assert value(figures.mean_auc) == value(figures.worst_auc) == value(figures.mean_pauc) == 1
    assert value(figures.pooled_auc) == 0.75
    assert value(figures.pooled_pauc) < 1


def test_every_figure_is_what_its_name_says() -> None:
    machines = ("fan/id_00", "fan/id_02", "valve/id_00", "valve/id_04", "valve/id_06")
    sounds = noisy_clips(*machines)
    evaluation = evaluate(sounds, n_resamples=0)

    def areas(*prefixes: str) -> tuple[float, float]:
        chosen = [clip for clip in sounds if clip.machine.startswith(prefixes)]
        labels, scores = [clip.is_anomaly for clip in chosen], [clip.score for clip in chosen]
        return roc_auc_score(labels, scores), roc_auc_score(labels, scores, max_fpr=0.1)

    of_machine = {machine: areas(machine) for machine in machines}
    for machine in evaluation.machines:
        assert (value(machine.auc), value(machine.pauc)) == pytest.approx(of_machine[machine.machine])
        assert (machine.n_normal, machine.n_anomalous) == (60, 60)
    for of_type in evaluation.types:
        of_ids = [areas for name, areas in of_machine.items() if name.startswith(of_type.machine_type)]
        figures = of_type.figures
        pooled = value(figures.pooled_auc), value(figures.pooled_pauc)
        assert pooled == pytest.approx(areas(of_type.machine_type))
        means = value(figures.mean_auc), value(figures.mean_pauc)
        assert means == pytest.approx(np.mean(of_ids, axis=0))
        assert value(figures.worst_auc) == pytest.approx(min(auc for auc, _ in of_ids))
        assert of_machine[of_type.worst_machine or ""][0] == pytest.approx(value(figures.worst_auc))
        assert value(figures.harmonic_mean) == pytest.approx(1 / np.mean(1 / np.array(of_ids)))
    for name in ("pooled_auc", "pooled_pauc", "mean_auc", "mean_pauc", "worst_auc"):
        of_types = [value(getattr(of_type.figures, name)) for of_type in evaluation.types]
        assert value(getattr(evaluation.total, name)) == pytest.approx(np.mean(of_types))
    over_all = 1 / np.mean(1 / np.array(list(of_machine.values())))
    assert value(evaluation.total.harmonic_mean) == pytest.approx(over_all)


def test_an_id_with_one_label_is_undefined_and_the_rest_goes_on() -> None:
    good = noisy_clips("fan/id_00", "fan/id_02", "valve/id_00")
    lonely = clips("fan/id_04", [0.0, 1.0], []) + clips("pump/id_00", [], [4.0])
    evaluation = evaluate(good + lonely)
    alone = evaluate(good)
    undefined = {m.machine: m for m in evaluation.machines if m.auc is None}
    assert undefined["fan/id_04"].reason == "no anomalous clip (2 normal)"
    assert undefined["pump/id_00"].reason == "no normal clip (1 anomalous)"
    assert evaluation.undefined == [
        "fan/id_04: no anomalous clip (2 normal)",
        "pump/id_00: no normal clip (1 anomalous)",
        "pump, pooled and as a whole: no normal clip (1 anomalous)",
    ]
    assert evaluation.types[0].figures.mean_auc == alone.types[0].figures.mean_auc
    assert evaluation.types[0].figures.pooled_auc != alone.types[0].figures.pooled_auc
    assert evaluation.total.mean_auc == alone.total.mean_auc
    assert evaluation.total.harmonic_mean == alone.total.harmonic_mean


def test_a_type_may_be_defined_only_as_a_whole() -> None:
    evaluation = evaluate(clips("fan/id_00", [0.0, 1.0], []) + clips("fan/id_02", [], [2.0]))
    figures = evaluation.types[0].figures
    assert value(figures.pooled_auc) == 1
    assert figures.mean_auc is figures.worst_auc is figures.harmonic_mean is None
    assert evaluation.types[0].worst_machine is None
    assert evaluation.undefined[-1] == "fan, mean over IDs and worst ID: no ID has both labels"
    assert evaluation.total.mean_auc is None


def intervals(evaluation: Evaluation) -> list[Figure | None]:
    return [figure for machine in evaluation.machines for figure in (machine.auc, machine.pauc)]


def test_intervals_are_repeatable_whatever_the_order_and_the_company() -> None:
    sounds = noisy_clips("fan/id_00", "fan/id_02", "valve/id_00")
    first = evaluate(sounds, n_resamples=200, seed=1)
    shuffled = random.Random(0).sample(sounds, len(sounds))
    assert evaluate(shuffled, n_resamples=200, seed=1) == first
    assert intervals(evaluate(sounds, n_resamples=200, seed=2)) != intervals(first)
    alone = [clip for clip in sounds if clip.machine == "valve/id_00"]
    assert evaluate(alone, n_resamples=200, seed=1).machines[0] == first.machines[-1]


def test_the_block_of_resamples_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    sounds = noisy_clips("fan/id_00", "fan/id_02", n=10)
    whole = evaluate(sounds, n_resamples=50)
    monkeypatch.setattr("osscl.evaluation.evaluating._MAX_ELEMENTS", 300)
    assert evaluate(sounds, n_resamples=50) == whole


def test_intervals_hold_the_spread_of_fresh_samples() -> None:
    """The width agrees with the standard error of AUC as Hanley and McNeil give it for normal scores."""
    n, shift = 200, 1.2
    rng = np.random.default_rng(11)
    sound = clips("fan/id_00", rng.normal(0, 1, n).tolist(), rng.normal(shift, 1, n).tolist())
    figure = evaluate(sound, n_resamples=2000).machines[0].auc
    fresh = [(rng.normal(shift, 1, n)[:, None] > rng.normal(0, 1, n)[None, :]).mean() for _ in range(400)]
    assert figure is not None
    assert figure.low is not None
    assert figure.high is not None
    assert figure.low < figure.value < figure.high
    assert figure.high - figure.low == pytest.approx(2 * 1.96 * float(np.std(fresh)), rel=0.25)


def test_options_and_scores_are_checked() -> None:
    sound = clips("fan/id_00", [0.0], [1.0])
    with pytest.raises(ConfigError, match="max_fpr is 2"):
        evaluate(sound, max_fpr=2)
    with pytest.raises(ConfigError, match="resamples is -1"):
        evaluate(sound, n_resamples=-1)
    with pytest.raises(ConfigError, match="1000001; it must be from 0 to 1000000"):
        evaluate(sound, n_resamples=1_000_001)
    with pytest.raises(ConfigError, match="seed is -1"):
        evaluate(sound, seed=-1)
    with pytest.raises(EvaluationError, match="no clip with both"):
        evaluate([])
    with pytest.raises(EvaluationError, match=r"normal_0.wav \(fan/id_00\) is nan"):
        evaluate(clips("fan/id_00", [float("nan")], [1.0]))


def test_types_stand_in_the_order_of_the_paper() -> None:
    evaluation = evaluate(noisy_clips("bearing/id_00", "valve/id_00", "ToyCar/id_01", "fan/id_02", n=5))
    assert [of_type.machine_type for of_type in evaluation.types] == ["fan", "ToyCar", "valve", "bearing"]


def test_no_note_claims_the_score_of_a_challenge_that_is_not_computed() -> None:
    # of unknown domains: an AUC of 1 on the source and of 0 on the target are one AUC of 0.5 here, where the
    # challenges from 2021 on have a score near 0
    source, target = clips("fan/id_00", [0.0], [1.0]), clips("fan/id_00", [3.0], [2.0])
    evaluation = evaluate(source + target, n_resamples=0)
    assert value(evaluation.machines[0].auc) == 0.5
    notes = " ".join(notes_of(Report(source={}, evaluation=evaluation, unscored=[])))
    assert "harmonic mean: of the AUCs and pAUCs of all IDs" in notes
    assert "2021" not in notes


def test_the_worst_id_beside_rules_is_the_lowest_of_all_types() -> None:
    built = clips("fan/id_00", [0.0, 1.0], [2.0, 3.0]) + clips("valve/id_00", [0.0, 3.0], [1.0, 2.0])
    *_, (mean, worst) = rules_grid({"memory": evaluate(built, n_resamples=0)}).groups
    assert (mean[:2], worst[:2]) == (["ID mean", "75.00"], ["worst ID", "50.00"])
