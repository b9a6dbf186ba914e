"""A new site in one call: what is written, that no normal clip judges itself, and what is refused."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from osscl.commissioning.commissioned import Commissioned
from osscl.commissioning.commissioning import commission
from osscl.decisions import decide
from osscl.enrolment import EnrolOptions, enroll
from osscl.errors import DecisionError, MissingExtraError, OutputError
from osscl.model_file.bundle import read_bundle, write_bundle
from osscl.model_file.restored import restored_embeddings, restored_memory
from osscl.runs.score_table import read_records
from support.model_files import tiny_graph, tiny_manifest
from support.normal_recordings import write_normals

N = 4
NAMES = ["model.onnx", "normals.csv", "normals.csv.run.json", "report.html"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four normal recordings: enough for a decision of each by the three others."""
    folder = tmp_path_factory.mktemp("commissioning")
    write_normals(folder / "press" / "train", N, name="normal_id_09")
    return folder


@pytest.fixture(scope="module")
def done(home: Path) -> Commissioned:
    return commission(home / "press", home / "site")


def test_model_table_and_page_are_written_and_nothing_else(home: Path, done: Commissioned) -> None:
    assert sorted(path.name for path in (home / "site").iterdir()) == NAMES
    assert sorted(path.name for path in home.iterdir()) == ["press", "site"]
    page = (home / "site" / "report.html").read_text()
    for text in (done.headline, *(text for _, text in done.points)):
        assert text in page
    assert 'href="./../press/train/normal_id_09_' in page


def test_the_highest_of_the_normals_is_no_bad_one(home: Path, done: Commissioned) -> None:
    [standing] = [said for name, said in done.points if name == "False alarms"]
    assert standing == (
        "1 of 4 normal clips is flagged when each is judged by the others, at 20 %. That is no sign of bad "
        "recordings: at this rate the highest recordings of each machine are always flagged, whatever they "
        "sound like."
    )
    page = (home / "site" / "report.html").read_text()
    row = page[page.index('<ol class="machines">') : page.index("</ol>")]
    assert "<span>As expected</span>" in row
    assert (
        "1 of 4 clips flagged: of 4 recordings judged by one another the highest always are, at this rate"
        in row
    )


def test_the_record_of_the_run_names_the_model_where_it_is(home: Path, done: Commissioned) -> None:
    run = json.loads((home / "site" / "normals.csv.run.json").read_text())
    assert Path(run["model"]) == (home / "site" / "model.onnx").absolute()
    assert run["recordings_per_s"] == pytest.approx(done.recordings_per_s, abs=0.1)
    assert run["model_sha256"] == read_bundle(home / "site" / "model.onnx").file_sha256


def test_no_normal_clip_is_judged_by_itself(home: Path, done: Commissioned) -> None:
    decisions = read_bundle(home / "site" / "model.onnx").manifest.decisions
    assert decisions is not None
    memory = restored_memory(decisions.memories[0], decisions.background)
    records = list(read_records(home / "site" / "normals.csv"))
    left_out = memory.leave_one_out
    found = np.array([record.score for record in records], np.float32)
    assert np.array_equal(np.sort(found), np.sort(left_out.astype(np.float32)))
    assert not np.allclose(np.sort(found), np.sort(memory.score(memory.features).score), atol=0.1)
    for record in records:
        row = int(np.abs(left_out - (record.score or 0.0)).argmin())
        others = np.delete(left_out, row)
        by_others = decide(others, [record.score or 0.0], 1 / N)
        assert by_others.is_anomaly is not None
        assert (record.p_value, record.is_anomaly) == (by_others.p_value[0], by_others.is_anomaly[0])
        z = (record.z_level, record.z_modulation, record.z_flutter, record.z_event)
        assert all(each is not None for each in z)
        assert sum(w * (each or 0.0) for w, each in zip((1, 1, 1, 0.25), z, strict=True)) == pytest.approx(
            record.score, abs=1e-4
        )


def test_a_machine_that_decides_by_embeddings_is_judged_by_them(home: Path, tmp_path: Path) -> None:
    graph = tiny_graph().SerializeToString()
    write_bundle(tmp_path / "tiny.onnx", graph, tiny_manifest(graph))
    enroll(home / "press", tmp_path / "e.onnx", tmp_path / "tiny.onnx", EnrolOptions(rule="embedding"))
    made = commission(home / "press", tmp_path / "site", tmp_path / "e.onnx")
    decisions = read_bundle(tmp_path / "site" / "model.onnx").manifest.decisions
    assert decisions is not None
    left_out = restored_embeddings(decisions.embeddings[0], None).leave_one_out
    records = list(read_records(tmp_path / "site" / "normals.csv"))
    assert {(record.rule, record.z_level) for record in records} == {("embedding", None)}
    found = np.array([record.score for record in records], np.float32)
    assert np.array_equal(np.sort(found), np.sort(left_out.astype(np.float32)))
    assert "no detection limits are measured by the rule embedding" in (made.no_limits or "")


def test_the_limits_are_in_the_model_file_and_few_recordings_are_said(home: Path, done: Commissioned) -> None:
    decisions = read_bundle(home / "site" / "model.onnx").manifest.decisions
    assert decisions is not None
    assert done.sensitivity is not None
    assert decisions.limits == done.sensitivity.machines
    assert "fewer than the 60" in " ".join(done.sensitivity.warnings)


def test_an_earlier_site_is_replaced_only_when_asked(home: Path, done: Commissioned) -> None:
    before = (home / "site" / "report.html").stat().st_mtime_ns
    with pytest.raises(
        OutputError, match=r"model.onnx exists; name another file, or use overwrite=True \(--overwrite\)"
    ):
        commission(home / "press", home / "site")
    assert (home / "site" / "report.html").stat().st_mtime_ns == before


def test_too_few_recordings_leave_nothing_behind(home: Path, tmp_path: Path) -> None:
    write_normals(tmp_path / "press" / "train", 2, name="normal_id_09")
    with pytest.raises(DecisionError, match="2 different normal clips are too few"):
        commission(tmp_path / "press", tmp_path / "site")
    assert [path.name for path in tmp_path.iterdir()] == ["press"]


def test_one_recording_gives_scores_and_says_what_is_missing(tmp_path: Path) -> None:
    write_normals(tmp_path / "session" / "press" / "id_09", 3)
    how = EnrolOptions(machine="press/id_09", recording="folder")
    done = commission(tmp_path / "session", tmp_path / "site", options=how)
    assert done.headline == (
        "Not ready to watch press/id_09: too few normal recordings; 20 or more are wanted, and "
        "with n of them the lowest false-alarm rate is 1 / (n + 1)."
    )
    assert done.next_commands[0].endswith(" NEW_RECORDINGS --machine press/id_09 --output scores.csv")
    assert done.sensitivity is None
    assert {record.is_anomaly for record in read_records(tmp_path / "site" / "normals.csv")} == {None}
    assert done.no_limits is not None
    assert f"Not known: {done.no_limits}" in dict(done.points)["Finds"]


def test_a_missing_package_is_told_before_anything_is_read(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)  # as where it is not installed
    stages: list[str] = []
    with pytest.raises(MissingExtraError, match="the page needs the package Jinja2"):
        commission(home / "press", tmp_path / "site", on_stage=stages.append)
    assert stages == []
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_leaves_nothing_behind(home: Path, tmp_path: Path) -> None:
    def interrupt(stage: str) -> None:
        if stage == "page":
            raise KeyboardInterrupt

    how = EnrolOptions(machine="press/id_09", recording="folder")  # no limits: they take their time
    with pytest.raises(KeyboardInterrupt):
        commission(home / "press", tmp_path / "site", options=how, on_stage=interrupt)
    assert list(tmp_path.iterdir()) == []
