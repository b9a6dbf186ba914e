"""``osscl evaluate`` as its users run it: with a model, a table, or the challenge's files."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from msgspec.structs import replace
from sklearn.metrics import roc_auc_score

from osscl.cli.evaluated import say_training
from osscl.errors import EvaluationError
from osscl.evaluation.testset import find_test_recordings, is_for_training
from osscl.model_file.golden import golden_clips
from osscl.runs.passed_over import PassedOver
from osscl.training.judging import judge
from support.console import osscl, osscl_each
from support.model_files import tiny_graph, tiny_manifest
from support.reference import Reference

CLIPS = golden_clips(4)
HEADER = "path,machine,status,score\n"


def write_wav(path: Path, number: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, CLIPS[number], 16_000)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A small data set with everything that is not to be scored in it."""
    root = tmp_path / "data"
    for number, name in enumerate(("normal_id_00_0", "normal_id_00_1", "anomaly_id_00_0", "anomaly_id_02_0")):
        write_wav(root / "fan" / "test" / f"{name}.wav", number)
    write_wav(root / "fan" / "test" / "unknown_id_00_0.wav", 0)
    write_wav(root / "fan" / "train" / "normal_id_00_7.wav", 0)
    (root / "fan" / "test" / "normal_id_00_2.wav").write_bytes(b"")
    return root


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of scores of two types; one ID has normal clips alone."""
    rng = np.random.default_rng(0)
    path = tmp_path / "scores.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "machine", "status", "reason", "score", "colour"))
        for machine in ("fan/id_00", "fan/id_02", "valve/id_00"):
            machine_type, machine_id = machine.split("/")
            for number in range(40):
                word = "anomaly" if number % 2 else "normal"
                name = f"{machine_type}/test/{word}_{machine_id}_{number:08}.wav"
                writer.writerow((name, machine, "ok", "", round(rng.normal(number % 2), 2), "red"))
        writer.writerow(("valve/test/normal_id_06_0.wav", "valve/id_06", "silent", "zeros", 1.5, ""))
        writer.writerow(("valve/train/normal_id_06_0.wav", "valve/id_06", "ok", "", 1.5, ""))
    return path


def table_rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def test_a_model_is_evaluated_on_the_test_folders(model_file: Path, data: Path, tmp_path: Path) -> None:
    result = osscl("evaluate", model_file, data, "--json", "--write-scores", tmp_path / "scores")
    assert result.returncode == 3, result.stderr
    document = json.loads(result.stdout)
    evaluation = document["evaluation"]
    assert (evaluation["n_normal"], evaluation["n_anomalous"]) == (2, 2)
    assert [(m["machine"], m["auc"] is None) for m in evaluation["machines"]] == [
        ("fan/id_00", False),
        ("fan/id_02", True),
    ]
    assert evaluation["undefined"] == ["fan/id_02: no normal clip (1 anomalous)"]
    assert [(Path(c["path"]).name, c["status"]) for c in document["unscored"]] == [
        ("normal_id_00_2.wav", "corrupt")
    ]
    assert document["source"]["labels"] == "file names"
    assert document["source"]["backend"] == "onnxruntime"
    assert "left out, neither name nor folder tells a label: 1 clip (" in result.stderr
    assert "normal_id_00_2.wav: corrupt: the file is empty" in result.stderr
    again = osscl("evaluate", "--scores", tmp_path / "scores", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["evaluation"] == evaluation


def test_recordings_give_what_the_reference_gives(reference_model: Path, reference: Reference) -> None:
    result = osscl("evaluate", reference_model, reference.data_set, "--json", "--compare", "paper")
    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    scores, paths = reference.outputs["score"], reference.clips
    assert len(document["evaluation"]["types"]) == 6
    for of_type in document["evaluation"]["types"]:
        chosen = [i for i, path in enumerate(paths) if path.parts[-3] == of_type["machine_type"]]
        labels = [paths[i].name.startswith("anomaly_") for i in chosen]
        expected = roc_auc_score(labels, scores[chosen])
        assert of_type["figures"]["pooled_auc"]["value"] == pytest.approx(expected)
    assert document["published"]["pooled_auc"]["fan"] == 0.9841


def test_a_table_is_evaluated_in_every_format(table: Path, tmp_path: Path) -> None:
    rows = table_rows(table)
    shown = osscl("evaluate", table, "-o", tmp_path / "r.csv", "--write-scores", tmp_path / "scores")
    assert shown.returncode == 0, shown.stderr
    assert "left out: 1 in folders named train" in shown.stderr
    for part in ("fan/id_02", "pooled", "ID mean", "worst ID", "valve/id_06: no anomalous clip (1 normal)"):
        assert part in shown.stdout
    figures = {row["name"]: row for row in table_rows(tmp_path / "r.csv")}
    fan = [row for row in rows if row["machine"].startswith("fan")]
    labels = ["anomaly" in row["path"] for row in fan]
    expected = roc_auc_score(labels, [float(row["score"]) for row in fan])
    assert float(figures["fan"]["pooled_auc"]) == pytest.approx(expected)
    assert figures["valve/id_06"]["auc"] == ""
    assert figures["fan"]["worst_machine"] in ("fan/id_00", "fan/id_02")
    assert float(figures["total"]["mean_auc_low"]) < float(figures["total"]["mean_auc"])
    as_json = osscl("evaluate", table, "--json", "--seed", "3", "--bootstrap", "10", "--max-fpr", "0.2")
    evaluation = json.loads(as_json.stdout)["evaluation"]
    assert (evaluation["seed"], evaluation["n_resamples"], evaluation["max_fpr"]) == (3, 10, 0.2)
    lines = [
        {"path": r["path"], "machine": r["machine"], "status": r["status"], "score": float(r["score"])}
        for r in rows
    ]
    (tmp_path / "s.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    same = osscl("evaluate", tmp_path / "s.jsonl")
    assert same.stdout == shown.stdout
    assert osscl("evaluate", "--scores", tmp_path / "scores").stdout == shown.stdout


def test_a_submission_is_evaluated_against_the_ground_truth(tmp_path: Path) -> None:
    truth, scores = tmp_path / "eval_data_list.csv", tmp_path / "scores"
    scores.mkdir()
    truth.write_text("fan\nid_01_0.wav,normal_id_01_3.wav,0\nid_01_1.wav,anomaly_id_01_1.wav,1\n")
    (scores / "anomaly_score_fan_id_01.csv").write_text("id_01_1.wav,0.5\nid_01_0.wav,0.1\n")
    result = osscl("evaluate", "--scores", scores, "--ground-truth", truth, "-o", tmp_path / "r.md")
    assert result.returncode == 0, result.stderr
    assert "| fan/id_01 | 1 | 1 | 100.00 | too few | 100.00 | too few |" in (tmp_path / "r.md").read_text()
    (scores / "anomaly_score_fan_id_01.csv").write_text("id_01_1.wav,0.5\nid_01_2.wav,0.1\n")
    wrong = osscl("evaluate", "--scores", scores, "--ground-truth", truth)
    assert wrong.returncode == 1
    assert wrong.stderr == (
        f"error: the scores do not match {truth}: 1 clip (fan/id_01: id_01_0.wav) of the list without a "
        "score; 1 score (fan/id_01: id_01_2.wav) of clips that the list does not hold\n"
    )


def test_what_a_training_came_to_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    manifest = tiny_manifest(tiny_graph().SerializeToString())
    for n_right, beginning in (
        (10, "A: by its training, the network learned to"),
        (1, "A: warning: by its "),
    ):
        say_training(replace(manifest, verdict=judge(n_right, 10, [10] * 12)), "A: ")
        said = capsys.readouterr().err
        assert said.startswith(beginning)
        assert said.count("\n") == 1
    say_training(manifest)
    assert capsys.readouterr().err == ""


def test_what_the_list_of_labels_does_not_hold_is_left_out_of_a_folder(
    model_file: Path, tmp_path: Path
) -> None:
    # as a data set of 2020 lies on a disk: the development's test clips beside those of the evaluation
    write_wav(tmp_path / "data" / "dev_data" / "fan" / "test" / "normal_id_00_0.wav", 0)
    write_wav(tmp_path / "data" / "eval_data" / "fan" / "test" / "id_02_0.wav", 1)
    write_wav(tmp_path / "data" / "eval_data" / "fan" / "test" / "id_02_1.wav", 2)
    truth = tmp_path / "eval_data_list.csv"
    truth.write_text("fan\nid_02_0.wav,normal_id_02_3.wav,0\nid_02_1.wav,anomaly_id_02_1.wav,1\n")
    result = osscl("evaluate", model_file, tmp_path / "data", "--ground-truth", truth, "--json")
    assert result.returncode == 0, result.stderr
    evaluation = json.loads(result.stdout)["evaluation"]
    assert [(m["machine"], m["n_normal"], m["n_anomalous"]) for m in evaluation["machines"]] == [
        ("fan/id_02", 1, 1)
    ]
    assert "left out, not in the list of labels: 1 clip (" in result.stderr
    assert "normal_id_00_0.wav)" in result.stderr


def test_published_figures_stand_beside(table: Path, tmp_path: Path) -> None:
    shown = osscl("evaluate", table, "--compare", "paper", "--bootstrap", "0", "-o", tmp_path / "r.md")
    differs = "these clips are not the paper's test set, so that no difference says anything of the model: "
    for part in ("98.41", "95.71", "88.42", "94.95", "here (2 of these types)"):
        assert part in shown.stdout
        assert part in (tmp_path / "r.md").read_text()
    assert "interval" not in shown.stdout
    assert differs in (tmp_path / "r.md").read_text()
    assert "of its 23 machine IDs are missing" in " ".join(shown.stdout.split())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "there is no clip with both a score and a label"),
        (
            "path,machine,score\na,b,1\n",
            "line 2: column status is missing; expected path, machine",
        ),
        (HEADER + "a,b,ok\n", "line 2: has 3 values where the header names 4 columns"),
        (HEADER + "normal_1.wav,fan/id_00,ok,\n", "line 2: status is 'ok' and score ''"),
        (HEADER + "normal_1.wav,fan/id_00,corrupt,1\n", "line 2: status is 'corrupt' and"),
        (
            HEADER + "normal_1.wav,fan/id_00,ok,nan\n",
            "line 2: score is nan, expected a",
        ),
        (HEADER + "normal_1.wav,fan/id_00,ok,x\n", "line 2: score is x, expected a finite"),
        (
            HEADER + "clip.wav,fan/id_00,ok,1\n",
            "there is no clip with both a score and a label",
        ),
    ],
)
def test_unusable_tables_are_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "s.csv").write_text(content)
    result = osscl("evaluate", tmp_path / "s.csv")
    assert result.returncode == 1
    assert message in result.stderr
    assert result.stdout == ""


def test_earlier_outputs_are_not_lost(table: Path, tmp_path: Path) -> None:
    report = tmp_path / "r.json"
    report.write_text("precious")
    refused = osscl("evaluate", table, "-o", report)
    assert refused.returncode == 1
    assert "--overwrite" in refused.stderr
    assert report.read_text() == "precious"
    assert osscl("evaluate", table, "-o", report, "--overwrite").returncode == 0
    assert json.loads(report.read_text())["evaluation"]["n_normal"] == 61
    (tmp_path / "anomaly_score_fan_id_00.csv").write_text("precious")
    assert osscl("evaluate", table, "--write-scores", tmp_path).returncode == 1
    for output, message in ((tmp_path / "r.txt", ".md, .csv, .json"), (tmp_path / "x" / "r.md", "no folder")):
        assert message in osscl("evaluate", table, "-o", output).stderr


def test_wrong_usage_exits_with_2(table: Path, tmp_path: Path) -> None:
    wrong: list[tuple[object, ...]] = [
        (),
        ("model.onnx",),
        ("demo",),
        (tmp_path / "nowhere.csv",),
        (table, "--scores", tmp_path),
        (table, "--compare", "rumour"),
        (table, "--threads", "2"),
        (table, "--max-fpr", "0"),
        (table, "--bootstrap", "-1"),
        (table, "--bootstrap", "1000001"),
        (table, "--ground-truth", tmp_path / "nowhere.csv"),
        ("model.onnx", tmp_path / "nowhere"),
    ]
    results = osscl_each([("evaluate", *arguments) for arguments in wrong])
    assert [(result.args[1:], result.returncode) for result in results if result.returncode != 2] == []


def test_what_a_table_has_no_use_for_is_told_before_it_is_looked_at(table: Path, tmp_path: Path) -> None:
    among = ("-o", tmp_path / "anomaly_score_fan_id_00.csv", "--write-scores", tmp_path / ".", "--overwrite")
    told = [
        (("--resample",), "go with MODEL and DATA: here nothing is computed"),
        (("--pad", "sideways"), "go with MODEL and DATA: here nothing is computed"),
        ((tmp_path,), "a table of scores takes no DATA"),
        (among, "named like the scores"),
    ]
    results = osscl_each([("evaluate", table, *arguments) for arguments, _ in told])
    for (_, message), result in zip(told, results, strict=True):
        assert message in result.stderr
        assert result.returncode in (1, 2)
    assert list(tmp_path.glob("anomaly_score_*")) == []


def test_a_data_set_without_test_recordings_is_refused(model_file: Path, tmp_path: Path) -> None:
    write_wav(tmp_path / "fan" / "train" / "normal_id_00_0.wav", 0)
    nothing = osscl("evaluate", model_file, tmp_path)
    assert nothing.returncode == 1
    assert nothing.stderr == (
        "error: no .wav, .flac, .w64 or .rf64 in a folder named test, such as "
        "fan/test/normal_id_00_00000000.wav, below "
        f"{tmp_path}: it holds 1 recording elsewhere; name another folder, or move what lies elsewhere\n"
    )
    write_wav(tmp_path / "fan" / "test" / "id_00_0.wav", 0)
    unnamed = osscl("evaluate", model_file, tmp_path)
    assert unnamed.returncode == 1
    assert "neither name nor folder tells a label of 1 recording (" in unnamed.stderr


def test_test_folders_are_those_below_the_data_set(tmp_path: Path) -> None:
    root = tmp_path / "test" / "fan"  # what lies above the data set says nothing of it
    for name in ("test/id_00/normal_1.wav", "train/normal_2.wav", "normal_3.wav", "test_old/normal_4.wav"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    for data in (root, root / "test"):
        assert [Path(found.path).name for found in find_test_recordings(data)] == ["normal_1.wav"]
    paths = ("fan/train/x.wav", "train/fan/test/x.wav", "x.wav", "fan/training/x.wav", "train.wav")
    assert [is_for_training(path) for path in paths] == [True, False, False, False, False]
    foreign = (r"C:\fan\train\x.wav", r"fan\test\x.wav", r"train\fan/test\x.wav", r"x\train.wav")
    assert [is_for_training(path) for path in foreign] == [True, False, False, False]
    with pytest.raises(EvaluationError, match=r"can be read in two ways, in a folder named train and in one"):
        is_for_training(r"test/fan\train\x.wav")


def test_links_are_evaluated_by_their_own_names(tmp_path: Path) -> None:
    store, root = tmp_path / "store", tmp_path / "data"
    for name in ("a/normal_1.wav", "b/test/id_00/normal_2.wav", "c/normal_3.wav", "blob"):
        (store / name).parent.mkdir(parents=True, exist_ok=True)
        (store / name).touch()
    (root / "fan" / "test2").mkdir(parents=True)
    for link, target in (("fan/test", "a"), ("fan/clips", "b/test"), ("fan/train", "c")):
        (root / link).symlink_to(store / target)
    (root / "pump" / "test").mkdir(parents=True)
    (root / "pump" / "test" / "normal_4.wav").symlink_to(store / "blob")
    (root / "pump" / "again").symlink_to(root / "fan" / "test")
    met = PassedOver()
    paths = [Path(found.path).relative_to(root) for found in find_test_recordings(root, met)]
    assert sorted(map(str, paths)) == [
        "fan/clips/id_00/normal_2.wav",
        "fan/test/normal_1.wav",
        "pump/test/normal_4.wav",
    ]
    assert met.n_elsewhere == 1


def test_a_run_says_what_it_passed_over(model_file: Path, data: Path) -> None:
    for path in list(data.rglob("*.wav")):
        path.with_name(f"._{path.name}").write_bytes(b"\0\5\26\7\0\2\0\0Mac OS X        ")
    (data / "fan" / "test" / "normal_id_00_2.wav").unlink()
    result = osscl("evaluate", model_file, data, "--json", "--bootstrap", "0")
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("7 files named ._* passed over: companions that macOS writes\n") == 1


def test_equal_reasons_are_summed_up(tmp_path: Path) -> None:
    lines = [
        f"fan/test/{label}_id_00_{n}.wav,fan/id_00,ok,,{n}" for label in ("normal", "anomaly") for n in (1, 2)
    ]
    reason = "the model knows no machine saw/id_09"
    lines += [f"saw/test/normal_id_09_{n:02}.wav,saw/id_09,unknown_machine,{reason}," for n in range(32)]
    lines.append("fan/test/normal_id_00_9.wav,fan/id_00,corrupt,it is empty,")
    (tmp_path / "s.csv").write_text("\n".join(["path,machine,status,reason,score", *lines, ""]))
    (done,) = osscl_each([("evaluate", "s.csv")], tmp_path)
    assert done.returncode == 3
    assert done.stderr.splitlines() == [
        f"not scored: 32 recordings: unknown machine: {reason} (saw/test/normal_id_09_00.wav, "
        "saw/test/normal_id_09_01.wav, saw/test/normal_id_09_02.wav and 29 more)",
        "not scored: fan/test/normal_id_00_9.wav: corrupt: it is empty",
    ]
