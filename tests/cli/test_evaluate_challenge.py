"""``osscl evaluate`` with domains, years and the files of the challenge from 2021 on, as its users run it."""

import csv
import json
from pathlib import Path

import pytest

from support.console import osscl_each

DOMAINS = ("source", "target")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Scores and decisions of two types, named as the development data of 2022 to 2025."""
    return write_table(tmp_path / "scores.csv", "test/section_00_{domain}_test_{word}_{number:04}_m-n_W.wav")


@pytest.fixture
def unnamed(tmp_path: Path) -> Path:
    """The same scores, of clips whose names tell nothing, as evaluation data have it."""
    return write_table(tmp_path / "unnamed.csv", "test/section_00_{place:04}.wav")


def write_table(path: Path, name: str) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "machine", "status", "score", "is_anomaly"))
        for machine_type in ("fan", "ToyDrone"):
            for place in range(16):
                domain, word, number = DOMAINS[place % 2], ("normal", "anomaly")[place // 8], place % 8
                score = (place * 7) % 16 / 4 + place // 8
                named = name.format(domain=domain, word=word, number=number, place=place)
                flagged = str(score > 2.5).lower()
                writer.writerow(
                    (f"{machine_type}/{named}", f"{machine_type}/section_00", "ok", score, flagged)
                )
    return path


@pytest.fixture
def lists(tmp_path: Path) -> tuple[Path, Path]:
    """The evaluators' two folders for these clips."""
    folders = tmp_path / "ground_truth_data", tmp_path / "ground_truth_domain"
    labels, domains = [place // 8 for place in range(16)], [place % 2 for place in range(16)]
    for folder, bits in zip(folders, (labels, domains), strict=True):
        folder.mkdir()
        for machine_type in ("fan", "ToyDrone"):
            lines = [f"section_00_{place:04}.wav,{bit}\n" for place, bit in enumerate(bits)]
            (folder / f"ground_truth_{machine_type}_section_00_test.csv").write_text("".join(lines))
    return folders


def test_names_lists_and_files_give_the_same_figures(
    table: Path, unnamed: Path, lists: tuple[Path, Path], tmp_path: Path
) -> None:
    labels, domains = lists
    truth = ("--ground-truth", labels, "--domains", domains)
    by_names, by_lists, alone, year, written = osscl_each(
        [
            ("evaluate", table, "--json"),
            ("evaluate", unnamed, *truth, "--json"),
            ("evaluate", unnamed, "--ground-truth", labels, "--json"),
            ("evaluate", unnamed, *truth, "--challenge", 2023, "-o", tmp_path / "r.csv"),
            ("evaluate", unnamed, *truth, "--challenge", 2024, "--write-scores", tmp_path / "s", "--json"),
        ]
    )
    assert [run.returncode for run in (by_names, by_lists, alone, year, written)] == [0] * 5, by_names.stderr
    document = json.loads(by_names.stdout)
    found = document["domains"]
    assert document["challenge"] == {"name": "DCASE 2022 to 2025", "told_by": "names"}
    assert found["rules"] == "DCASE 2022 to 2025"
    assert (found["source"]["n_normal"], found["target"]["n_anomalous"]) == (8, 8)
    assert set(found["source"]) == set(found["target"])
    assert found["source"]["f1"]["value"] == pytest.approx(2 / 7)  # 3 of 8 flagged, 1 of them rightly
    listed = json.loads(by_lists.stdout)
    assert listed["domains"] == found
    assert listed["evaluation"] == document["evaluation"]
    assert listed["source"]["domains"] == str(domains)
    assert json.loads(alone.stdout)["domains"] is None
    assert (
        "no figures by domain: neither the list of labels nor the names tell source from target"
        in alone.stderr
    )
    assert "--domains" in alone.stderr
    for part in ("Each domain, as DCASE 2023 counts, %", "Decisions in each domain", "the official score"):
        assert part in " ".join(year.stdout.split())
    rows = [row for row in csv.DictReader((tmp_path / "r.csv").read_text().splitlines()) if row["challenge"]]
    totals = {row["domain"]: row for row in rows if row["level"] == "total"}
    assert {row["challenge"] for row in rows} == {"DCASE 2023"}
    assert float(totals["source"]["auc"]) == found["source"]["auc"]["value"]
    assert float(totals["both"]["harmonic_mean"]) == found["harmonic_mean"]["value"]
    assert sorted(path.name for path in (tmp_path / "s").iterdir()) == sorted(
        f"{kind}_{machine_type}_section_00_test.csv"
        for kind in ("anomaly_score", "decision_result")
        for machine_type in ("fan", "ToyDrone")
    )
    assert f"-> {tmp_path / 's'}: 2 files of scores, 2 of decisions\n" in written.stderr
    again, mistaken = osscl_each(
        [
            ("evaluate", "--scores", tmp_path / "s", *truth, "--challenge", 2024, "--json"),
            ("evaluate", "--scores", tmp_path / "s", "--ground-truth", tmp_path / "s"),
        ]
    )
    assert again.returncode == 0, again.stderr
    assert mistaken.returncode == 1
    assert "holds what a submission says, and --ground-truth takes the labels" in mistaken.stderr
    assert json.loads(again.stdout)["domains"] == json.loads(written.stdout)["domains"]


def test_a_submission_of_2021_has_a_file_a_domain(tmp_path: Path) -> None:
    table = write_table(tmp_path / "t.csv", "{domain}_test/section_00_{domain}_test_{word}_{number:04}.wav")
    folder = tmp_path / "s"
    told, year = osscl_each(
        [
            ("evaluate", table, "--json", "--write-scores", folder),
            ("evaluate", table, "--challenge", 2021, "--bootstrap", 0),
        ]
    )
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["challenge"]["name"] == "DCASE 2021"
    assert "pAUC" in year.stdout
    assert "AUC and pAUC of its own clips, as DCASE 2021 counts." in year.stdout
    assert len(list(folder.glob("anomaly_score_fan_section_00_*_test.csv"))) == 2
    (again,) = osscl_each([("evaluate", "--scores", folder, "--json")])
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["domains"] == json.loads(told.stdout)["domains"]


def test_2020_is_named_beside_its_means(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    rows = [
        f"fan/test/{word}_id_00_{n}.wav,fan/id_00,ok,{n}" for n, word in enumerate(("normal", "anomaly") * 2)
    ]
    table.write_text("\n".join(["path,machine,status,score", *rows, ""]))
    asked, told = osscl_each([("evaluate", table, "--challenge", 2020), ("evaluate", table, "--json")])
    assert "DCASE 2020, official: ID means, %" in asked.stdout
    document = json.loads(told.stdout)
    assert (document["challenge"]["name"], document["domains"]) == ("DCASE 2020", None)


def test_a_year_that_does_not_fit_is_told_before_anything_is_scored(model_file: Path, tmp_path: Path) -> None:
    # of recordings that cannot be scored, no line with a score is left that could fit or not
    folder = tmp_path / "data" / "fan" / "test"
    folder.mkdir(parents=True)
    for word in ("normal", "anomaly"):
        (folder / f"{word}_id_00_00000000.wav").touch()
    data = tmp_path / "data"
    (tmp_path / "eval_data_list.csv").write_text("fan\nid_00_5.wav,normal_id_00_5.wav,0\n")
    year, other_list, without = osscl_each(
        [
            ("evaluate", model_file, data, "--challenge", 2023),
            ("evaluate", model_file, data, "--ground-truth", tmp_path / "eval_data_list.csv"),
            ("evaluate", model_file, data),
        ]
    )
    assert (year.returncode, other_list.returncode, without.returncode) == (1, 1, 1)
    assert "--challenge is 2023, which has machines like fan/section_00" in year.stderr
    assert "1 clip (fan/id_00: id_00_5.wav) of the list without a score; 2 scores" in other_list.stderr
    assert "corrupt: the file is empty" not in year.stderr + other_list.stderr
    assert "corrupt: the file is empty" in without.stderr


def test_wrong_usage_is_told_in_one_sentence(
    table: Path, unnamed: Path, lists: tuple[Path, Path], tmp_path: Path
) -> None:
    labels, domains = lists
    wrong: list[tuple[tuple[object, ...], int, str]] = [
        ((table, "--challenge", 2019), 2, "--challenge is 2019; expected a year from 2020 to 2025"),
        ((table, "--challenge", 2020), 1, "--challenge is 2020, which has machines like fan/id_00"),
        ((table, "--challenge", 2023, "--max-fpr", 0.2), 2, "leave out one of --challenge and --max-fpr"),
        ((unnamed, "--domains", domains), 2, "give the labels with --ground-truth"),
        (
            (unnamed, "--ground-truth", labels, "--domains", labels),
            1,
            "--ground-truth and --domains are both",
        ),
        ((unnamed, "--ground-truth", domains, "--domains", labels), 1, "the wrong way round"),
        ((unnamed, "--ground-truth", labels, "--challenge", 2022), 1, "nothing tells it of 32 clips"),
        ((unnamed, "--ground-truth", labels, "--domains", tmp_path / "nowhere"), 2, "nowhere"),
        ((unnamed,), 1, "there is no clip with both a score and a label"),
    ]
    results = osscl_each([("evaluate", *arguments) for arguments, _, _ in wrong])
    for (arguments, code, message), result in zip(wrong, results, strict=True):
        assert (result.returncode, result.stdout) == (code, ""), arguments
        assert message in " ".join(result.stderr.replace("│", " ").split()), arguments
