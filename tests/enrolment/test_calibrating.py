"""Calibrations of rules that use the network: on which clips, at which rates, and what they decide."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

import osscl
from osscl.decisions import threshold
from osscl.enrolment import CalibrateOptions, EnrolOptions, calibrate, enroll
from osscl.enrolment.calibration_clips import thinned
from osscl.enrolment.normals import Normal
from osscl.errors import ConfigError, DecisionError, ModelFileError, OutputError
from osscl.model_file.bundle import read_bundle, write_bundle
from osscl.model_file.decisions import Calibration, StoredDecisions
from osscl.runs.featured import FeaturedClip, featured_clips
from osscl.runs.folder import find_recordings
from osscl.scoring.judge import separating
from osscl.scoring.judges import Judges
from support import once
from support.model_files import tiny_graph, tiny_manifest
from support.normal_recordings import write_normals

MACHINE = "fan/id_00"
N_CLIPS = 8


@pytest.fixture(scope="session")
def recordings() -> Path:
    """8 normal clips of a machine that the tiny model knows, two in each of 4 folders."""

    def make(folder: Path) -> None:
        for day in range(4):
            write_normals(folder / "fan" / "train" / f"day_{day}", 2, first=2 * day)

    return once.made_once("calibrating", make)


@pytest.fixture(scope="session")
def hashes(recordings: Path) -> dict[str, str]:
    """Hash of each clip, by its file's name."""
    found = featured_clips(find_recordings([recordings]))
    return {Path(each.path).name: each.sha256 for each in found if isinstance(each, FeaturedClip)}


@pytest.fixture
def model(tmp_path: Path) -> Callable[..., Path]:
    """Write the tiny model, trained on certain clips."""

    def write(training_clips: tuple[str, ...] | None = ()) -> Path:
        graph = tiny_graph().SerializeToString()
        decisions = StoredDecisions(training_clips=training_clips)
        write_bundle(tmp_path / "model.onnx", graph, replace(tiny_manifest(graph), decisions=decisions))
        return tmp_path / "model.onnx"

    return write


def calibration_of(path: Path, rule: str = "network") -> Calibration:
    decisions = read_bundle(path).manifest.decisions
    assert decisions is not None
    found = decisions.calibration_of(MACHINE, rule)  # type: ignore[arg-type]
    assert found is not None
    return found


def test_normal_scores_are_those_of_scoring_and_decide(
    model: Callable[..., Path], recordings: Path, tmp_path: Path
) -> None:
    path = model()
    report = calibrate(path, recordings, tmp_path / "c.onnx")

    (machine,) = report.machines
    assert (machine.machine, machine.n_clips, machine.n_recordings) == (MACHINE, N_CLIPS, N_CLIPS)
    assert machine.smallest_rate == machine.rate == 1 / 9
    assert (machine.is_guaranteed, machine.decides, machine.n_training_clips) == (True, "network", 0)
    files = sorted(recordings.rglob("*.wav"))
    with osscl.load(path, rule="network") as detector:
        scores = [record.score for record in detector.score_files(files, MACHINE)]
    stored = np.frombuffer(calibration_of(tmp_path / "c.onnx").scores, "<f8")
    assert stored.astype(np.float32).tolist() == np.array(scores, np.float32).tolist()
    assert machine.threshold == separating(threshold(stored, 1 / 9))
    with osscl.load(tmp_path / "c.onnx") as detector:
        records = list(detector.score_files(files, MACHINE))
        assert list(detector.judges.notes()) == []
    assert [record.is_anomaly for record in records] == [False] * N_CLIPS, "ties count against the clip"
    assert {record.threshold for record in records} == {machine.threshold}
    assert sorted(record.p_value or 0 for record in records) == pytest.approx(np.arange(2, 10) / 9)


def test_the_graph_and_all_else_stays(model: Callable[..., Path], recordings: Path, tmp_path: Path) -> None:
    path = model(("0" * 16,))
    calibrate(path, recordings, tmp_path / "c.onnx")
    before, after = read_bundle(path), read_bundle(tmp_path / "c.onnx")
    assert before.graph_sha256 == after.graph_sha256
    assert replace(after.manifest, decisions=None) == replace(before.manifest, decisions=None)
    assert after.manifest.decisions is not None
    assert after.manifest.decisions.training_clips == ("0" * 16,)


def test_clips_of_a_folder_count_once(model: Callable[..., Path], recordings: Path, tmp_path: Path) -> None:
    by_folder = CalibrateOptions(recording="folder")
    (machine,) = calibrate(model(), recordings, tmp_path / "f.onnx", by_folder).machines
    assert (machine.n_clips, machine.n_recordings, machine.smallest_rate) == (N_CLIPS, 4, 1 / 5)
    assert {each.n_clips for each in machine.left_out} == {2}
    assert {Path(each.recording).name for each in machine.left_out} == {f"day_{day}" for day in range(4)}
    by_pattern = CalibrateOptions(recording=r"(day_\d)")
    (again,) = calibrate(model(), recordings, tmp_path / "p.onnx", by_pattern).machines
    assert {each.recording for each in again.left_out} == {f"day_{day}" for day in range(4)}
    assert again.threshold == machine.threshold
    assert again.left_out_rate == machine.left_out_rate


def test_training_clips_are_refused_and_named(
    model: Callable[..., Path], recordings: Path, hashes: dict[str, str], tmp_path: Path
) -> None:
    names = ["normal_id_00_00000003.wav", "normal_id_00_00000005.wav"]
    path = model(tuple(sorted(hashes[name] for name in names)))
    with pytest.raises(DecisionError, match=r"trained on 2 of these 8 clips.*--skip-training") as refused:
        calibrate(path, recordings, tmp_path / "c.onnx")
    assert [name for name in hashes if name in str(refused.value)] == names
    assert not (tmp_path / "c.onnx").exists()


def test_recordings_that_were_trained_on_are_left_out_where_that_is_asked_for(
    model: Callable[..., Path], recordings: Path, hashes: dict[str, str], tmp_path: Path
) -> None:
    path = model((hashes["normal_id_00_00000003.wav"],))
    report = calibrate(path, recordings, tmp_path / "c.onnx", CalibrateOptions(skip_training_clips=True))
    (machine,) = report.machines
    assert (machine.n_clips, machine.n_training_clips, machine.is_guaranteed) == (N_CLIPS - 1, 0, True)
    assert "left out, of recordings that were trained on: 1 of 8 clips" in report.warnings
    by_folder = CalibrateOptions(skip_training_clips=True, recording="folder")
    (machine,) = calibrate(path, recordings, tmp_path / "f.onnx", by_folder).machines
    assert (machine.n_clips, machine.n_recordings) == (N_CLIPS - 2, 3), "the whole recording is left out"
    for known, problem in (
        (tuple(sorted(hashes.values())), "0 normal recordings are too"),
        (None, "does not say"),
    ):
        with pytest.raises(DecisionError, match=problem):
            calibrate(
                model(known), recordings, tmp_path / "n.onnx", CalibrateOptions(skip_training_clips=True)
            )
    with pytest.raises(ConfigError, match="--skip-training-clips leaves out"):
        CalibrateOptions(skip_training_clips=True, allow_training_clips=True)


def test_allowed_training_clips_end_the_guarantee(
    model: Callable[..., Path], recordings: Path, hashes: dict[str, str], tmp_path: Path
) -> None:
    path = model((hashes["normal_id_00_00000003.wav"],))
    report = calibrate(path, recordings, tmp_path / "c.onnx", CalibrateOptions(allow_training_clips=True))
    assert [(each.n_training_clips, each.is_guaranteed) for each in report.machines] == [(1, False)]
    assert not calibration_of(tmp_path / "c.onnx").is_guaranteed
    assert notes_of(tmp_path / "c.onnx") == [
        "no guarantee for fan/id_00: normal clips that it was calibrated on were trained on, or may have "
        "been: more normal clips than asked for may be flagged"
    ]


def test_of_a_model_without_hashes_nothing_is_guaranteed(
    model: Callable[..., Path], recordings: Path, tmp_path: Path
) -> None:
    report = calibrate(model(None), recordings, tmp_path / "c.onnx")
    assert any("whether these clips were trained on cannot be told" in each for each in report.warnings)
    assert [(each.n_training_clips, each.is_guaranteed) for each in report.machines] == [(None, False)]
    assert "no guarantee for fan/id_00" in notes_of(tmp_path / "c.onnx")[0]


def notes_of(path: Path, **how: object) -> list[str]:
    judges = Judges(read_bundle(path).manifest, **how)  # type: ignore[arg-type]
    judges.of(MACHINE)
    return list(judges.notes())


def test_an_explicit_rate_that_is_out_of_reach_fails(
    model: Callable[..., Path], recordings: Path, tmp_path: Path
) -> None:
    rate = CalibrateOptions(false_alarm_rate=0.05)
    with pytest.raises(
        DecisionError, match=r"fan/id_00: 8 normal recordings are too few .* 11 more are needed"
    ):
        calibrate(model(), recordings, tmp_path / "c.onnx", rate)
    assert not (tmp_path / "c.onnx").exists()
    assert "no decision for fan/id_00" in notes_of(calibrated(model(), recordings), false_alarm_rate=0.05)[0]


def calibrated(path: Path, recordings: Path) -> Path:
    calibrate(path, recordings, path.with_name("c.onnx"))
    return path.with_name("c.onnx")


def test_a_calibration_of_another_precision_decides_nothing(
    model: Callable[..., Path], recordings: Path
) -> None:
    path = calibrated(model(), recordings)
    bundle = read_bundle(path)
    assert bundle.manifest.decisions is not None
    other = replace(calibration_of(path), precision="fp16")
    decisions = replace(bundle.manifest.decisions, calibrations=(other,))
    write_bundle(path, bundle.model, replace(bundle.manifest, decisions=decisions))
    with osscl.load(path) as detector:
        (record,) = detector.score_files([next(recordings.rglob("*.wav"))], MACHINE)
        (note,) = detector.judges.notes()
    assert record.status == "ok"
    assert (record.score is None, record.p_value, record.threshold, record.is_anomaly) == (False, *[None] * 3)
    assert note == (
        "no decision for fan/id_00: it was calibrated in fp16 and the model is fp32: calibrate it again"
    )


def test_both_is_calibrated_with_the_memory(
    model: Callable[..., Path], recordings: Path, tmp_path: Path
) -> None:
    both = CalibrateOptions(rule="both")
    with pytest.raises(DecisionError, match="no machine can be calibrated: fan/id_00: it has no memory"):
        calibrate(model(), recordings, tmp_path / "b.onnx", both)
    enroll(recordings, tmp_path / "e.onnx", model())
    (machine,) = calibrate(tmp_path / "e.onnx", recordings, tmp_path / "b.onnx", both).machines
    assert (machine.decides, machine.is_guaranteed, machine.n_clips) == ("both", False, N_CLIPS)
    with osscl.load(tmp_path / "b.onnx") as detector:
        records = list(detector.score_files(sorted(recordings.rglob("*.wav")), MACHINE))
    assert {record.rule for record in records} == {"both"}
    assert {record.threshold for record in records} == {machine.threshold}
    assert not any(record.is_anomaly for record in records), "normal clips that it knows"


def test_the_network_calibrated_beside_a_memory_decides_when_asked(
    model: Callable[..., Path], recordings: Path, tmp_path: Path
) -> None:
    enroll(recordings, tmp_path / "e.onnx", model())
    (machine,) = calibrate(tmp_path / "e.onnx", recordings, tmp_path / "c.onnx").machines
    assert machine.decides == "memory"
    judges = Judges(read_bundle(tmp_path / "c.onnx").manifest, "network")
    assert judges.of(MACHINE).undecided is None


def test_a_file_without_a_network_cannot_be_calibrated(recordings: Path, tmp_path: Path) -> None:
    enroll(recordings, tmp_path / "m.onnx")
    with pytest.raises(ModelFileError, match="memories of machines and no network"):
        calibrate(tmp_path / "m.onnx", recordings, tmp_path / "c.onnx")


def test_machines_that_the_network_does_not_know_are_refused_and_others_go_on(
    model: Callable[..., Path], recordings: Path, tmp_path: Path
) -> None:
    files = [*sorted(recordings.rglob("*.wav")), *write_normals(tmp_path / "press" / "train", 1)]
    report = calibrate(model(), [recordings, files[-1].parent], tmp_path / "c.onnx")
    assert [each.machine for each in report.machines] == [MACHINE]
    assert report.refused == {
        "press/id_00": "the network does not know it; a memory decides of it without a calibration"
    }


def test_two_recordings_and_equal_clips_are_too_few(
    model: Callable[..., Path], recordings: Path, tmp_path: Path
) -> None:
    day, other = (recordings / "fan" / "train" / name for name in ("day_0", "day_1"))
    (tmp_path / "fan" / "train").mkdir(parents=True)
    for number, path in enumerate([*day.iterdir(), *day.iterdir()]):
        (tmp_path / "fan" / "train" / f"normal_id_00_{number}.wav").write_bytes(path.read_bytes())
    with pytest.raises(DecisionError, match="fan/id_00: 2 normal recordings are too few: 3 are the least"):
        calibrate(model(), tmp_path / "fan", tmp_path / "c.onnx")
    assert other.is_dir()


def test_what_is_there_is_not_lost(model: Callable[..., Path], recordings: Path, tmp_path: Path) -> None:
    path = model()
    (tmp_path / "c.onnx").write_text("mine")
    for output, says in ((tmp_path / "c.onnx", "exists; name another file"), (path, "is read by this very")):
        with pytest.raises(OutputError, match=says):
            calibrate(path, recordings, output)
    assert (tmp_path / "c.onnx").read_text() == "mine"
    calibrate(path, recordings, tmp_path / "c.onnx", overwrite=True)
    again = calibrate(tmp_path / "c.onnx", recordings, tmp_path / "d.onnx")
    assert len(again.machines) == 1
    decisions = read_bundle(tmp_path / "d.onnx").manifest.decisions
    assert decisions is not None
    assert len(decisions.calibrations) == 1, "another calibration takes the place of the first"


@pytest.mark.parametrize("rule", ["memory", "all", ""])
def test_other_rules_are_refused(rule: str) -> None:
    with pytest.raises(ConfigError, match="expected one of: network, both"):
        CalibrateOptions(rule=rule)  # type: ignore[arg-type]


def test_of_very_many_clips_some_of_each_recording_calibrate() -> None:
    row = np.zeros(360, np.float32)
    normals = [
        Normal(
            FeaturedClip(f"{i}.wav", f"{i:016x}", row, False, 16_000, np.zeros(6, np.float32)),
            f"r{i % 7 if i < 95_000 else i % 3}",
        )
        for i in range(100_000)
    ]
    kept = thinned(normals, 2000)
    counts = {
        name: sum(each.recording == name for each in kept) for name in {each.recording for each in kept}
    }
    assert len(kept) == 2000
    assert len(counts) == 7
    assert set(counts.values()) <= {2000 // 7, 2000 // 7 + 1}
    assert kept == thinned(normals, 2000)
    assert thinned(normals[:2000], 2000) == normals[:2000]


def test_whole_and_filled_up_clips_are_not_mixed(
    model: Callable[..., Path], recordings: Path, tmp_path: Path
) -> None:
    import soundfile

    from osscl.audio.reading import Fit
    from support.normal_recordings import clip

    (tmp_path / "fan" / "train").mkdir(parents=True)
    soundfile.write(tmp_path / "fan" / "train" / "normal_id_00_9.wav", clip(9, n_samples=90_000), 16_000)
    with pytest.raises(DecisionError, match="1 of 9 recordings is shorter than 10 s"):
        calibrate(
            model(),
            [recordings, tmp_path / "fan"],
            tmp_path / "c.onnx",
            CalibrateOptions(fit=Fit(pad="repeat")),
        )


def test_enrolling_anew_makes_both_worthless(
    model: Callable[..., Path], recordings: Path, tmp_path: Path
) -> None:
    enroll(recordings, tmp_path / "e.onnx", model())
    calibrate(tmp_path / "e.onnx", recordings, tmp_path / "b.onnx", CalibrateOptions(rule="both"))
    more = write_normals(tmp_path / "fan" / "train", 1, first=70)
    enroll(more[0].parent, tmp_path / "f.onnx", tmp_path / "b.onnx", EnrolOptions(add=True))
    decisions = read_bundle(tmp_path / "f.onnx").manifest.decisions
    assert decisions is not None
    assert (decisions.calibrations, decisions.rules) == ((), {MACHINE: "memory"})
