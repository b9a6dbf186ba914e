"""Files of each year: found by the evaluators' rules, and read back; and as they go wrong."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import hmean
from sklearn.metrics import roc_auc_score

from osscl.errors import EvaluationError, OutputError
from osscl.evaluation.by_domain import evaluate_by_domain
from osscl.evaluation.challenge import read_score_folder
from osscl.evaluation.challenge_rules import rules_of_year
from osscl.evaluation.challenge_written import check_score_folder, refuse_among_scores, write_score_folder
from osscl.evaluation.ground_truth import GroundTruth
from osscl.evaluation.labelled import LabelledScore
from osscl.machines.domains import DOMAINS


def submission(name: str = "section_{section}_{number:04}.wav") -> list[LabelledScore]:
    """Clips of two types and two sections, without labels in their names, as evaluation data have it."""
    rng = np.random.default_rng(0)
    return [
        LabelledScore(
            f"{machine_type}/section_{section}",
            name.format(section=section, number=number, domain=DOMAINS[number % 2]),
            round(rng.normal(number % 4 > 1), 1),
            number % 4 > 1,
            number % 3 == 0,
            DOMAINS[number % 2],
        )
        for machine_type in ("ToyDrone", "bandsaw")
        for section in ("00", "01")
        for number in range(24)
    ]


def write_lists(folder: Path, clips: list[LabelledScore], year: int) -> tuple[Path, Path]:
    """Lists of labels and domains as the evaluators come with them."""
    folders = folder / "ground_truth_data", folder / "ground_truth_domain"
    for place in folders:
        place.mkdir(parents=True)
    for clip in clips:
        infix = f"_{clip.domain}" if year == 2021 else ""
        name = f"ground_truth_{clip.machine.replace('/', '_')}{infix}_test.csv"
        for place, bit in zip(folders, (clip.is_anomaly, clip.domain == "target"), strict=True):
            with (place / name).open("a") as file:
                file.write(f"{clip.name},{bit:d}\n")
    return folders


def read_as_evaluators_do(path: Path) -> np.ndarray:
    """Second column in the order of the rows: how all of them pair scores with labels."""
    with path.open() as file:
        return np.array([float(row[1]) for row in sorted(csv.reader(file))])


def official_score(scores: Path, labels: Path, domains: Path, year: int) -> float:
    """What the evaluator of a year makes of the files, in its own way."""
    names = sorted(path.name for path in labels.glob("ground_truth_*.csv"))
    machines = sorted({name.split("_")[2] for name in names})
    sections = sorted({found for name in names for found in re.findall("section_[0-9][0-9]", name)})
    figures = []
    for machine in machines:
        for section in sections:
            for infix in ["_source", "_target"] if year == 2021 else [""]:
                stem = f"{machine}_{section}{infix}_test.csv"
                score = read_as_evaluators_do(scores / f"anomaly_score_{stem}")
                label = read_as_evaluators_do(labels / f"ground_truth_{stem}")
                decided = read_as_evaluators_do(scores / f"decision_result_{stem}")
                assert len(score) == len(label) == len(decided)
                assert set(decided) <= {0, 1}
                figures.append(roc_auc_score(label, score, max_fpr=0.1))
                if year == 2021:
                    figures.append(roc_auc_score(label, score))
                    continue
                is_target = read_as_evaluators_do(domains / f"ground_truth_{stem}")
                for bit in (0, 1):
                    chosen = (is_target == bit) | (label != 0)
                    figures.append(roc_auc_score(label[chosen], score[chosen]))
    return float(hmean(figures))


@pytest.mark.parametrize("year", range(2021, 2026))
def test_evaluators_find_the_files_and_come_to_the_same_score(tmp_path: Path, year: int) -> None:
    clips, rules = submission(), rules_of_year(year)
    labels, domains = write_lists(tmp_path, clips, year)
    files = write_score_folder(tmp_path / "scores", clips, rules)
    infixes = ("_source", "_target") if year == 2021 else ("",)
    assert [file.name for file in files] == sorted(
        f"{kind}_{machine}_section_{section}{infix}_test.csv"
        for kind in ("anomaly_score", "decision_result")
        for machine in ("ToyDrone", "bandsaw")
        for section in ("00", "01")
        for infix in infixes
    )
    expected = official_score(tmp_path / "scores", labels, domains, year)
    read = read_score_folder(tmp_path / "scores")
    truth = GroundTruth.read(labels, None if year == 2021 else domains)
    labelled = truth.label(read)
    assert sorted(labelled.scores) == sorted(clips)
    found = evaluate_by_domain(labelled.scores, rules, n_resamples=0)
    assert found is not None
    assert found.harmonic_mean is not None
    assert found.harmonic_mean.value == pytest.approx(expected, abs=1e-12)


def test_files_have_two_columns_and_no_header(tmp_path: Path) -> None:
    clips = [clip for clip in submission() if clip.machine == "bandsaw/section_01"][:2]
    scores, decisions = write_score_folder(tmp_path, clips[::-1], rules_of_year(2024))
    lines = [f"section_01_{number:04}.wav" for number in range(2)]
    assert scores.read_text() == "".join(
        f"{line},{clip.score}\n" for line, clip in zip(lines, clips, strict=True)
    )
    assert decisions.read_text() == f"{lines[0]},1\n{lines[1]},0\n"


def test_decisions_are_written_where_all_clips_were_decided(tmp_path: Path) -> None:
    clips, rules = submission(), rules_of_year(2022)
    write_score_folder(tmp_path, clips, rules)
    clips[0] = clips[0]._replace(was_flagged=None)
    files = write_score_folder(tmp_path, clips, rules, overwrite=True)
    missing = tmp_path / "decision_result_ToyDrone_section_00_test.csv"
    assert len(files) == 7
    assert missing not in files
    assert not missing.exists()  # decisions of the earlier run would count as these scores'
    of_2020 = [clip._replace(machine="fan/id_00", domain=None) for clip in clips[1:3]]
    assert [file.name for file in write_score_folder(tmp_path / "2020", of_2020)] == [
        "anomaly_score_fan_id_00.csv"
    ]
    with pytest.raises(OutputError, match=r"anomaly_score_ToyDrone_section_00_test.csv is already there"):
        check_score_folder(tmp_path, overwrite=False)
    with pytest.raises(OutputError, match="is named like the scores"):
        refuse_among_scores(tmp_path / "decision_result_x.csv", tmp_path)
    without = [clip._replace(domain=None) for clip in clips]
    with pytest.raises(
        EvaluationError, match="tells no domain, and DCASE 2021 has a file of scores a domain"
    ):
        write_score_folder(tmp_path / "2021", without, rules_of_year(2021))


SCORES = b"section_00_0.wav,1.5\nsection_00_1.wav,0.5\n"
DECISIONS = b"section_00_0.wav,1\nsection_00_1.wav,0\n"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"decision_result_fan_section_00_test.csv": DECISIONS[:19]},
            r"not match .*: 1 clip \(section_00_1.wav\) w",
        ),
        (
            {"decision_result_fan_section_00_test.csv": DECISIONS + b"section_00_2.wav,0\n"},
            r"not match anomaly_score_.*_test.csv: 1 decision \(section_00_2.wav\) of clips without",
        ),
        (
            {"decision_result_fan_section_01_test.csv": DECISIONS},
            "has no anomaly_score_fan_section_01_test.csv",
        ),
        (
            {"decision_result_fan_section_00_test.csv": SCORES},
            "line 1: is .*; expected file name and 0 .*, no head",
        ),
        ({"decision_result_fan_section_00_test.csv": b""}, "holds no decision; write it again"),
        (
            {"decision_result_fan.csv": b""},
            "expected one like decision_result_fan_id_01.csv or decision_result_fan_",
        ),
        ({"anomaly_score_fan_section_00.csv": SCORES}, "are both of fan/section_00: move one away"),
        (
            {"anomaly_score_fan_section_00_source_test.csv": SCORES},
            "are both of fan/section_00: move one away",
        ),
        (
            {"anomaly_score_fan_section_00_test.csv": SCORES + SCORES[:21]},
            r"1 clip \(section_00_0.wav\) more than",
        ),
        (
            {"anomaly_score_fan_section_00_test.csv": b"name,score\n" + SCORES},
            "line 1: score is 'score', expected a",
        ),
        (
            {"anomaly_score_fan_section_00_test.csv": b"a.wav,inf\n"},
            "line 1: score is 'inf', expected a finite",
        ),
    ],
)
def test_files_that_do_not_fit_are_refused(tmp_path: Path, files: dict[str, bytes], message: str) -> None:
    for name, content in ({"anomaly_score_fan_section_00_test.csv": SCORES} | files).items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(EvaluationError, match=message):
        read_score_folder(tmp_path)


def test_line_ends_and_byte_order_marks_of_other_systems_are_read(tmp_path: Path) -> None:
    name = "fan_section_00_test.csv"
    (tmp_path / f"anomaly_score_{name}").write_bytes(
        b"\xef\xbb\xbf" + SCORES.replace(b"\n", b"\r\n") + b",\r\n"
    )
    (tmp_path / f"decision_result_{name}").write_bytes(DECISIONS.replace(b"\n", b"\r\n"))
    read = read_score_folder(tmp_path)
    assert [(r.path, r.score, r.is_anomaly) for r in read] == [
        ("section_00_0.wav", 1.5, True),
        ("section_00_1.wav", 0.5, False),
    ]


LABELS = "section_00_0.wav,0\nsection_00_1.wav,1\n"


def lists(tmp_path: Path, labels: dict[str, str], domains: dict[str, str]) -> tuple[Path, Path]:
    folders = tmp_path / "labels", tmp_path / "domains"
    for folder, files in zip(folders, (labels, domains), strict=True):
        folder.mkdir()
        for section, content in files.items():
            (folder / f"ground_truth_fan_section_{section}_test.csv").write_bytes(content.encode())
    return folders


def test_labels_and_domains_are_joined(tmp_path: Path) -> None:
    bom_and_crlf = "\ufeff" + LABELS.replace("\n", "\r\n")
    labels, domains = lists(tmp_path, {"00": LABELS}, {"00": bom_and_crlf})
    (tmp_path / "anomaly_score_fan_section_00_test.csv").write_bytes(SCORES)
    read = read_score_folder(tmp_path)
    joined = GroundTruth.read(labels, domains).label(read)
    assert [(clip.is_anomaly, clip.domain) for clip in joined.scores] == [(False, "source"), (True, "target")]
    alone = GroundTruth.read(labels).label(read)
    assert [(clip.is_anomaly, clip.domain) for clip in alone.scores] == [(False, None), (True, None)]


@pytest.mark.parametrize(
    ("labels", "domains", "message"),
    [
        (
            {"00": LABELS},
            {"01": LABELS.replace("_00_", "_01_")},
            r"1 machine \(fan/section_00\) not in .*domains; 1 ",
        ),
        (
            {"00": LABELS},
            {"00": LABELS[:19]},
            r"1 clip \(fan/section_00: section_00_1.wav\) not in .*domains",
        ),
        ({"00": LABELS[:19]}, {"00": LABELS}, r"1 clip \(fan/section_00: section_00_1.wav\) not in .*labels"),
        ({"00": LABELS}, {"00": LABELS, "01": "section_01_0.wav,0\n"}, r"1 machine .* not in .*labels"),
        (
            {"00": LABELS},
            {"00": LABELS + LABELS},
            r"2 clips \(fan/section_00: .*\) more than once in .*domains",
        ),
        (
            {"00": LABELS},
            {"00": "name,domain\n" + LABELS},
            "line 1: is 'name,domain'; .* 0 .source. or 1 .target., no",
        ),
        (
            {"00": LABELS},
            {"00": LABELS + "section_00_2.wav,2\n"},
            "line 3: is 'section_00_2.wav,2'; expected",
        ),
        (
            {"00": "file,label\n"},
            {"00": LABELS},
            "line 1: is 'file,label'; expected file name and 0 .normal. or 1",
        ),
        (
            {"00": "section_01_0.wav,0\n"},
            {},
            "line 1: file name 'section_01_0.wav' is of section_01, and the file",
        ),
        (
            {"00": "section_00_test_normal_0.wav,1\n"},
            {},
            "line 1: says 1 of 'section_00_test_normal_0.wav'; 0 is",
        ),
        ({"00": "a,b,0\n"}, {}, "line 1: has 3 values, expected file name and label"),
        ({"00": LABELS}, {}, "holds no .csv file"),
        ({"00": LABELS}, {"00": ""}, "holds no domain; write it again"),
    ],
)
def test_lists_that_do_not_fit_are_refused(
    tmp_path: Path, labels: dict[str, str], domains: dict[str, str], message: str
) -> None:
    with pytest.raises(EvaluationError, match=message):
        GroundTruth.read(*lists(tmp_path, labels, domains))


def test_folders_given_twice_or_the_wrong_way_round_are_refused(tmp_path: Path) -> None:
    labels, domains = write_lists(tmp_path, submission(), 2023)
    with pytest.raises(
        EvaluationError, match=r"--ground-truth and --domains are both .*ground_truth_data; the"
    ):
        GroundTruth.read(labels, labels.parent / "." / labels.name)
    with pytest.raises(EvaluationError, match="by their names, the wrong way round; exchange them"):
        GroundTruth.read(domains, labels)
    stranger = domains / "eval_data_list.csv"
    stranger.write_text("fan\n")
    with pytest.raises(
        EvaluationError, match="is no list of domains; expected names like ground_truth_fan_s"
    ):
        GroundTruth.read(labels, domains)


def test_a_list_of_other_clips_is_told_by_the_domains_in_names(tmp_path: Path) -> None:
    clips = submission("section_{section}_{domain}_test_{number}.wav")
    labels, domains = write_lists(tmp_path, [c._replace(domain="target") for c in clips], 2023)
    write_score_folder(tmp_path / "scores", clips, rules_of_year(2023))
    with pytest.raises(
        EvaluationError, match="is named as of the source domain, and listed as of the target"
    ):
        GroundTruth.read(labels, domains).label(read_score_folder(tmp_path / "scores"))
