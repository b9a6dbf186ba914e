"""The challenge's score files and ground truth, as published and as they go wrong."""

import random
from pathlib import Path

import pytest

from osscl.errors import EvaluationError, OutputError
from osscl.evaluation.challenge import read_score_folder
from osscl.evaluation.challenge_written import write_score_folder
from osscl.evaluation.evaluating import evaluate
from osscl.evaluation.ground_truth import GroundTruth
from osscl.evaluation.labelled import LabelledScore, label_by_names, label_in_name
from osscl.scoring.record import Record

LIST = """\
fan
id_01_00000000.wav,normal_id_01_00000098.wav,0
id_01_00000001.wav,anomaly_id_01_00000011.wav,1
id_03_00000000.wav,anomaly_id_03_00000000.wav,1
ToyCar
id_05_00000000.wav,normal_id_05_00000007.wav,0
id_05_00000001.wav,anomaly_id_05_00000001.wav,1
"""


def record(machine: str, name: str, score: float | None = 1.0) -> Record:
    return Record(path=name, machine=machine, score=score, status="ok" if score is not None else "corrupt")


def listed() -> list[Record]:
    """A score for each clip of `LIST`."""
    return [
        record("fan/id_01", "id_01_00000000.wav", 0.25),
        record("fan/id_01", "x/fan/test/id_01_00000001.wav", 0.75),
        record("fan/id_03", "id_03_00000000.wav", 3.0),
        record("ToyCar/id_05", "id_05_00000000.wav", -1.0),
        record("ToyCar/id_05", "id_05_00000001.wav", 1e-7),
    ]


@pytest.fixture
def truth_file(tmp_path: Path) -> Path:
    path = tmp_path / "eval_data_list.csv"
    path.write_text(LIST)
    return path


def test_scores_are_written_as_the_challenge_takes_them(tmp_path: Path) -> None:
    scores = [
        LabelledScore("fan/id_00", "normal_id_00_00000000.wav", 0.1, False),
        LabelledScore("ToyCar/id_01", "anomaly_id_01_00000003.wav", 12.5, True),
        LabelledScore("fan/id_00", "anomaly_id_00_00000001.wav", 1e-9, True),
    ]
    files = write_score_folder(tmp_path / "new" / "scores", scores)
    assert [file.name for file in files] == [
        "anomaly_score_ToyCar_id_01.csv",
        "anomaly_score_fan_id_00.csv",
    ]
    assert files[1].read_bytes() == b"anomaly_id_00_00000001.wav,1e-09\nnormal_id_00_00000000.wav,0.1\n"
    with pytest.raises(OutputError, match=r"anomaly_score_ToyCar_id_01.csv is already there.*--overwrite"):
        write_score_folder(tmp_path / "new" / "scores", scores)
    write_score_folder(tmp_path / "new" / "scores", scores[:1], overwrite=True)
    assert files[1].read_bytes() == b"normal_id_00_00000000.wav,0.1\n"


def test_scores_come_back_as_they_were_written(tmp_path: Path) -> None:
    rng = random.Random(0)
    scores = [
        LabelledScore(machine, f"{word}_{number:08},x.wav", rng.gauss(0, 1), word == "anomaly")
        for machine in ("fan/id_00", "My_type/section_03")
        for word in ("anomaly", "normal")
        for number in range(20)
    ]
    write_score_folder(tmp_path, scores)
    (tmp_path / "notes.txt").write_text("no scores")
    read = label_by_names(read_score_folder(tmp_path))
    assert sorted(read.scores) == sorted(scores)
    assert not read.unscored
    assert not read.unlabelled
    assert evaluate(read.scores, n_resamples=50) == evaluate(scores, n_resamples=50)


def test_a_machine_that_no_file_can_be_called_after_is_refused(tmp_path: Path) -> None:
    for machine in ("press", "hall/press/id_00", "fan/id_x", "../id_00/x"):
        with pytest.raises(EvaluationError, match=f"machine {machine} has no name like fan/id_01"):
            write_score_folder(tmp_path / "s", [LabelledScore(machine, "normal_1.wav", 1.0, False)])
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a.wav,1\nb.wav\n", "line 2: has 1 values, expected file name and score"),
        (b"a.wav,1\nb.wav,high\n", "line 2: score is 'high', expected a finite number"),
        (b"a.wav,nan\n", "line 1: score is 'nan'"),
        (b"a.wav,-inf\n", "line 1: score is '-inf'"),
        (b'"a.wav,1\n', "line 1: unexpected end of data"),
        (b"\xff\xfe\x00,1\n", "line 1: it is a text in UTF-16"),
        (b"a.wav,1\n" * 5000 + b"\xff,1\n", "line 5001: the byte 0xff is no UTF-8"),
    ],
)
def test_broken_score_files_name_the_line(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "anomaly_score_fan_id_01.csv").write_bytes(content)
    with pytest.raises(EvaluationError, match=f"anomaly_score_fan_id_01.csv.*{message}"):
        read_score_folder(tmp_path)


def test_score_folders_without_scores_or_with_odd_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="holds no score files; expected names like"):
        read_score_folder(tmp_path)
    (tmp_path / "anomaly_score_fan.csv").write_text("a.wav,1\n")
    with pytest.raises(EvaluationError, match="its name does not say the machine"):
        read_score_folder(tmp_path)


def test_the_list_of_the_challenge_labels_scores(truth_file: Path) -> None:
    labelled = GroundTruth.read(truth_file).label(listed())
    assert [clip.is_anomaly for clip in labelled.scores] == [False, True, True, False, True]
    assert labelled.scores[1] == LabelledScore("fan/id_01", "id_01_00000001.wav", 0.75, True)


def test_one_list_a_type_says_the_same(truth_file: Path, tmp_path: Path) -> None:
    fan, _, car = LIST.partition("ToyCar\n")
    folder = tmp_path / "truth"
    folder.mkdir()
    (folder / "ground_truth_fan.csv").write_text(fan.removeprefix("fan\n"))
    (folder / "eval_data_list_ToyCar.csv").write_text(car.replace("\n", "\r\n"))
    whole = GroundTruth.read(truth_file).label(listed())
    assert GroundTruth.read(folder).label(listed()) == whole
    alone = GroundTruth.read(folder / "ground_truth_fan.csv").label(listed()[:3])
    assert alone.scores == whole.scores[:3]


def test_a_list_that_went_through_a_spreadsheet_is_read(truth_file: Path) -> None:
    whole = GroundTruth.read(truth_file).label(listed())
    filled = "\r\n".join(line if "," in line else f"{line},," for line in LIST.splitlines())
    truth_file.write_bytes(b"\xef\xbb\xbf" + filled.encode() + b"\r\n\r\n,,\r\n")
    assert GroundTruth.read(truth_file).label(listed()) == whole


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "lists no clip"),
        ("fan\n", "lists no clip"),
        ("id_01_0.wav,normal_id_01_0.wav,0\n", "line 1: a clip before any machine type; put a line"),
        (
            "fan\nid_01_0.wav,0\n",
            "line 2: is 'id_01_0.wav,0'; expected file name, name with label, and",
        ),
        ("fan\nid_01_0.wav,normal_id_01_0.wav,2\n", "line 2: is .*,2'; expected"),
        ("fan\nid_01_0.wav,normal_id_01_0.wav,1\n", "line 2: says 1 of 'normal_id_01_0.wav'; 0 is normal"),
        ("fan\nclip.wav,normal_id_01_0.wav,0\n", "line 2: file name 'clip.wav' does not hold one machine ID"),
        (f"{LIST}fan\nid_01_00000000.wav,x,0\n", r"1 clip \(fan/id_01: id_01_00000000.wav\) more than once"),
    ],
)
def test_broken_lists_are_refused(truth_file: Path, text: str, message: str) -> None:
    truth_file.write_text(text)
    with pytest.raises(EvaluationError, match=message):
        GroundTruth.read(truth_file)


def test_lists_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="there is no file "):
        GroundTruth.read(tmp_path / "nowhere.csv")
    with pytest.raises(EvaluationError, match=r"holds no .csv file"):
        GroundTruth.read(tmp_path)


def test_every_mismatch_is_named_and_counted(truth_file: Path) -> None:
    truth = GroundTruth.read(truth_file)
    with pytest.raises(EvaluationError) as missing:
        truth.label(listed()[1:])
    assert str(missing.value).endswith(
        "eval_data_list.csv: 1 clip (fan/id_01: id_01_00000000.wav) of the list without a score"
    )
    strangers = [record("fan/id_01", f"id_01_{number:08}.wav") for number in range(2, 9)]
    with pytest.raises(EvaluationError, match=r"7 scores \(fan/id_01: id_01_00000002.wav, .*, \.\.\.\) of"):
        truth.label(listed() + strangers)
    with pytest.raises(EvaluationError, match=r"without a score; 1 score .* of clips that the list does not"):
        truth.label([*listed()[1:], record("fan/id_02", "id_01_00000000.wav")])
    with pytest.raises(EvaluationError, match=r"1 clip \(fan/id_03: id_03_00000000.wav\) more than once"):
        truth.label([*listed(), listed()[2]])


def test_a_clip_that_could_not_be_scored_is_no_mismatch(truth_file: Path) -> None:
    unscored = record("fan/id_01", "id_01_00000000.wav", None)
    labelled = GroundTruth.read(truth_file).label([unscored, *listed()[1:]])
    assert labelled.unscored == [unscored]
    assert len(labelled.scores) == 4


def test_names_tell_labels() -> None:
    names = (
        "a/normal_id_00_1.wav",
        "anomaly_x.flac",
        "normal",
        "id_01_1.wav",
        "normal_/x.wav",
        "Normal_1.wav",
    )
    assert [label_in_name(name) for name in names] == [False, True, None, None, None, None]
    records = [record("fan/id_00", name) for name in names]
    labelled = label_by_names(records)
    assert [clip.name for clip in labelled.scores] == ["normal_id_00_1.wav", "anomaly_x.flac"]
    assert labelled.unlabelled == list(names[2:])
    with pytest.raises(
        EvaluationError, match=r"1 clip \(a/normal_id_00_1.wav\) more than once in the scores"
    ):
        label_by_names([*records, records[0]])
    with pytest.raises(EvaluationError, match="has a score and no machine"):
        label_by_names([Record(path="normal_1.wav", score=1.0)])


def test_names_with_backslashes_between_them_tell_labels() -> None:
    paths = (r"C:\data\fan\test\normal_id_00_1.wav", r"fan\test\anomaly_id_00_1.wav", r"fan\test\id_00.wav")
    assert [label_in_name(path) for path in paths] == [False, True, None]
    labelled = label_by_names([record("fan/id_00", path) for path in paths])
    assert [clip.name for clip in labelled.scores] == ["normal_id_00_1.wav", "anomaly_id_00_1.wav"]
    assert label_in_name(r"fan/test/normal_\xe9\x.wav") is False  # the name as it is goes first
    with pytest.raises(EvaluationError) as caught:
        label_by_names([record("fan/id_00", r"normal_clips\anomaly_id_00_1.wav")])
    assert str(caught.value) == (
        r"normal_clips\anomaly_id_00_1.wav can be read in two ways, as normal_clips\anomaly_id_00_1.wav and "
        "as anomaly_id_00_1.wav; write / between the names in its path"
    )


def test_names_meet_the_list_however_accents_and_folders_are_spelled(tmp_path: Path) -> None:
    composed, apart = "id_01_caf\u00e9.wav", "id_01_cafe\u0301.wav"
    path = tmp_path / "eval_data_list.csv"
    path.write_text(f"fan\n{composed},normal_1.wav,0\nid_01_1.wav,anomaly_1.wav,1\n", encoding="utf-8")
    scored = [record("fan/id_01", f"fan/test/{apart}"), record("fan/id_01", r"fan\test\id_01_1.wav")]
    labelled = GroundTruth.read(path).label(scored)
    assert [(clip.name, clip.is_anomaly) for clip in labelled.scores] == [
        (composed, False),
        ("id_01_1.wav", True),
    ]
    # as a clip of its own, a spelling stands for itself; then a third one may be either
    path.write_text(f"fan\n{composed},normal_1.wav,0\n{apart},anomaly_1.wav,1\n", encoding="utf-8")
    both = [record("fan/id_01", composed), record("fan/id_01", apart)]
    assert [clip.is_anomaly for clip in GroundTruth.read(path).label(both).scores] == [False, True]
    with pytest.raises(EvaluationError, match=r"may be 2 clips \(.*\) of .*, which differ in how accents"):
        GroundTruth.read(path).label([record("fan/id_01", f"fan\\{apart}")])


def test_companions_of_macos_are_no_lists(truth_file: Path) -> None:
    (truth_file.parent / f"._{truth_file.name}").write_bytes(b"\0\5\26\7\0\2\0\0Mac OS X")
    assert len(GroundTruth.read(truth_file.parent).label(listed()).scores) == 5


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff"])
def test_a_score_file_without_a_score_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "anomaly_score_fan_id_01.csv").write_text("normal_id_01_00000000.wav,1.0\n")
    (tmp_path / "anomaly_score_fan_id_02.csv").write_text(content)
    with pytest.raises(EvaluationError, match=r"anomaly_score_fan_id_02.csv: holds no score; write it again"):
        read_score_folder(tmp_path)
