"""Scores that others published, as their files are named: they give the published figures."""

import csv
from pathlib import Path

import pytest

from osscl.evaluation.by_domain import evaluate_by_domain
from osscl.evaluation.challenge_rules import rules_of_year, told_rules
from osscl.evaluation.evaluating import evaluate
from osscl.evaluation.labelled import label_by_names
from osscl.runs.score_table import read_records
from osscl.support.csv_rows import CsvWriter

PUBLISHED = {23711: (0.8167, 0.7304), 23712: (0.7796, 0.7125), 23713: (0.7906, 0.7230)}


@pytest.mark.parametrize("seed", PUBLISHED)
def test_the_scores_of_asd3dp_give_the_published_figures(shared: Path, tmp_path: Path, seed: int) -> None:
    published = shared / "data" / "asd3dp" / f"ae_{seed}_file_scores.csv"
    table = tmp_path / "scores.csv"
    with published.open(newline="") as file, table.open("w", newline="") as out:
        writer = CsvWriter(out)
        writer.write(("path", "machine", "status", "score"))
        for row in csv.DictReader(file):
            writer.write((f"printer/test/{row['basename']}", "printer/section_00", "ok", float(row["score"])))
    records = list(read_records(table))
    labelled = label_by_names(records)
    assert not labelled.unlabelled
    assert told_rules(labelled.scores, [record.path for record in records], None) is None  # it has no domains
    (machine,) = evaluate(labelled.scores, n_resamples=0).machines
    assert machine.auc is not None
    assert machine.pauc is not None
    assert (round(machine.auc.value, 4), round(machine.pauc.value, 4)) == PUBLISHED[seed]


@pytest.mark.parametrize("year", range(2021, 2026))
def test_the_case_of_a_target_domain_told_apart_the_wrong_way(shared: Path, year: int) -> None:
    labelled = label_by_names(read_records(shared / "cases" / "scores_2021_domains.csv"))
    found = evaluate_by_domain(labelled.scores, rules_of_year(year), n_resamples=0)
    assert found is not None
    told = [figure and figure.value for figure in (found.source.auc, found.target.auc, found.harmonic_mean)]
    assert told == [1.0, 0.0, 0.0]
