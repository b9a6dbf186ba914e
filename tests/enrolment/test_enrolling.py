"""Normal recordings into model files: what is made, and what is refused in one sentence."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import soundfile
from msgspec.structs import replace

import osscl
from osscl.audio.reading import Fit
from osscl.config import FEATURES
from osscl.decisions import Memory
from osscl.enrolment import EnrolOptions, enroll
from osscl.errors import ConfigError, DecisionError, ModelFileError, NoRecordingsError, OutputError
from osscl.features import memory_features
from osscl.model_file.bundle import read_bundle, write_bundle
from osscl.model_file.decisions import StoredDecisions, StoredMemory
from osscl.model_file.restored import restored_background, restored_memory
from osscl.model_file.shipped_background import shipped_background
from support import once
from support.normal_recordings import RATE_HZ, clip, write_normals

PRESS = EnrolOptions(machine="press/id_09")


@pytest.fixture(scope="session")
def recordings() -> Path:
    """12 normal recordings of one machine, below ``press/train``, and two that are called anomalous."""

    def make(folder: Path) -> None:
        write_normals(folder / "press" / "train", 12, name="normal_id_09")
        write_normals(folder / "press" / "train", 2, first=50, machine=3, name="anomaly_id_09")

    return once.made_once("normals", make)


def decisions_of(path: Path) -> StoredDecisions:
    decisions = read_bundle(path).manifest.decisions
    assert decisions is not None
    return decisions


def memory_of(path: Path, machine: str = "press/id_09") -> StoredMemory:
    memory = decisions_of(path).memory_of(machine)
    assert memory is not None
    return memory


def test_a_memory_is_what_the_features_of_the_recordings_give(recordings: Path, tmp_path: Path) -> None:
    made = enroll(recordings, tmp_path / "m.onnx")
    (machine,) = made.machines
    assert (machine.machine, machine.n_clips, machine.n_recordings) == ("press/id_09", 12, 12)
    assert (machine.smallest_rate, machine.rate, machine.rule) == (1 / 13, 1 / 13, "memory")
    assert not machine.is_guaranteed
    assert [Path(path).name[:7] for path in made.left_out] == ["anomaly"] * 2
    rows = memory_features(np.stack([clip(number) for number in range(12)]))
    expected = Memory.fit(rows, None, restored_background(shipped_background()))
    stored = restored_memory(memory_of(tmp_path / "m.onnx"), decisions_of(tmp_path / "m.onnx").background)
    assert np.array_equal(stored.leave_one_out, expected.leave_one_out)
    assert np.array_equal(stored.score(rows).score, expected.score(rows).score)


def test_a_file_of_memories_alone_is_valid_onnx_and_decides(recordings: Path, tmp_path: Path) -> None:
    enroll(recordings, tmp_path / "m.onnx")
    onnx.checker.check_model(onnx.load(tmp_path / "m.onnx"), full_check=True)
    manifest = read_bundle(tmp_path / "m.onnx").manifest
    assert (manifest.schema_version, manifest.has_network, manifest.machines) == (6, False, ("press/id_09",))
    with pytest.raises(ModelFileError, match="memories of machines and no network"):
        _ = manifest.network
    sounds = np.stack([clip(99), clip(99, pitch=1.5)])
    with osscl.load(tmp_path / "m.onnx", false_alarm_rate=0.1) as detector:
        decided = detector.score(sounds, "press/id_09").is_anomaly
    assert decided is not None
    assert np.asarray(decided).tolist() == [False, True]


def test_a_model_keeps_its_graph_and_gets_the_memory(recordings: Path, tmp_path: Path) -> None:
    enroll(recordings, tmp_path / "m.onnx", "demo")
    before, after = read_bundle("demo"), read_bundle(tmp_path / "m.onnx")
    assert after.graph_sha256 == before.graph_sha256
    assert after.manifest.network == before.manifest.network
    assert after.manifest.machines == (*before.manifest.machines, "press/id_09")
    assert decisions_of(tmp_path / "m.onnx").rules == {"press/id_09": "memory"}


def test_a_machine_that_the_network_knows_decides_by_memory(recordings: Path, tmp_path: Path) -> None:
    known = read_bundle("demo").manifest.machines[0]
    enroll(recordings, tmp_path / "m.onnx", "demo", EnrolOptions(machine=known))
    assert decisions_of(tmp_path / "m.onnx").rules == {known: "memory"}


def test_what_the_output_would_replace_is_kept(recordings: Path, tmp_path: Path) -> None:
    output = tmp_path / "m.onnx"
    enroll(recordings, output)
    before = output.read_bytes()
    with pytest.raises(OutputError, match="--overwrite"):
        enroll(recordings, output)
    with pytest.raises(OutputError, match="read by this very command"):
        enroll(recordings, output, output, PRESS, overwrite=True)
    assert output.read_bytes() == before
    enroll(recordings, output, overwrite=True)


# What is added and forgotten


def test_clips_are_added_and_those_that_were_flagged_are_marked(recordings: Path, tmp_path: Path) -> None:
    enroll(recordings, tmp_path / "m.onnx")
    new = tmp_path / "new"
    write_normals(new, 2, first=20, name="x")
    soundfile.write(new / "strange.wav", clip(30, pitch=1.5), RATE_HZ)
    made = enroll(
        new, tmp_path / "m2.onnx", tmp_path / "m.onnx", EnrolOptions(machine="press/id_09", add=True)
    )
    (machine,) = made.machines
    assert (machine.n_clips, machine.n_added, machine.n_equal) == (15, 3, 0)
    assert [Path(path).name for path in machine.flagged] == ["strange.wav"]
    assert any("had called anomalous" in warning for warning in made.warnings)
    stored = memory_of(tmp_path / "m2.onnx")
    assert [each.flagged for each in stored.clips] == [False] * 12 + [
        True,
        False,
        False,
    ]  # strange.wav comes first
    again = enroll(
        new, tmp_path / "m3.onnx", tmp_path / "m2.onnx", EnrolOptions(machine="press/id_09", add=True)
    )
    assert (again.machines[0].n_added, again.machines[0].n_equal) == (0, 3)
    assert memory_of(tmp_path / "m3.onnx") == stored


def test_a_clip_is_forgotten_by_file_or_hash(recordings: Path, tmp_path: Path) -> None:
    enroll(recordings, tmp_path / "m.onnx")
    hashes = [each.sha256 for each in memory_of(tmp_path / "m.onnx").clips]
    path = recordings / "press" / "train" / "normal_id_09_00000004.wav"
    options = EnrolOptions(forget=[path, hashes[7]])
    made = enroll([], tmp_path / "m2.onnx", tmp_path / "m.onnx", options)
    assert [each.n_forgotten for each in made.machines] == [2]
    left = [each.sha256 for each in memory_of(tmp_path / "m2.onnx").clips]
    assert left == [sha256 for place, sha256 in enumerate(hashes) if place not in (4, 7)]
    with pytest.raises(DecisionError, match="no memory holds the clip"):
        enroll([], tmp_path / "m3.onnx", tmp_path / "m2.onnx", options)
    with pytest.raises(DecisionError, match="cannot forget so much"):
        enroll([], tmp_path / "m3.onnx", tmp_path / "m2.onnx", EnrolOptions(forget=left[2:]))


def test_a_memory_that_is_replaced_says_so(recordings: Path, tmp_path: Path) -> None:
    enroll(recordings, tmp_path / "m.onnx")
    made = enroll(recordings, tmp_path / "m2.onnx", tmp_path / "m.onnx")
    assert any("12 clips is replaced" in warning for warning in made.warnings)
    assert (made.machines[0].n_added, made.machines[0].n_equal) == (12, 0)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (EnrolOptions(add=True), "name it before the recordings"),
        (EnrolOptions(forget=["0" * 16]), "name it before the recordings"),
    ],
)
def test_what_changes_memories_needs_some(
    recordings: Path, tmp_path: Path, options: EnrolOptions, sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        enroll(recordings, tmp_path / "m.onnx", options=options)
    with pytest.raises((ConfigError, DecisionError), match="no memory"):
        enroll(recordings, tmp_path / "m.onnx", "demo", options)
    assert not (tmp_path / "m.onnx").exists()


# Recordings, and rates


def test_clips_of_one_recording_count_once(tmp_path: Path) -> None:
    for session in range(4):
        write_normals(tmp_path / "n" / f"session_{session}", 3, first=10 * session)
    by_folder = enroll(
        tmp_path / "n", tmp_path / "a.onnx", None, EnrolOptions(machine="press", recording="folder")
    )
    pattern = EnrolOptions(machine="press", recording=r"(session_\d)/")
    by_pattern = enroll(tmp_path / "n", tmp_path / "b.onnx", None, pattern)
    for made in (by_folder, by_pattern):
        assert (made.machines[0].n_clips, made.machines[0].n_recordings) == (12, 4)
        assert made.machines[0].smallest_rate == 0.2
    assert {each.recording for each in memory_of(tmp_path / "a.onnx", "press").clips} == {
        f"n/session_{session}" for session in range(4)
    }
    assert {each.recording for each in memory_of(tmp_path / "b.onnx", "press").clips} == {
        f"session_{session}" for session in range(4)
    }


def test_one_recording_cut_into_ten_decides_nothing(tmp_path: Path) -> None:
    write_normals(tmp_path / "n", 10)
    made = enroll(tmp_path / "n", tmp_path / "m.onnx", None, EnrolOptions(machine="a", recording="folder"))
    assert (made.machines[0].n_recordings, made.machines[0].rate) == (1, None)
    assert any("too few to decide anything" in warning for warning in made.warnings)


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [("(a", "no regular expression"), ("a", "0 groups"), ("(a)(b)", "2 groups"), ("(zz)", "no recording in")],
)
def test_a_rule_for_recordings_that_tells_nothing_is_refused(
    recordings: Path, tmp_path: Path, rule: str, sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        enroll(recordings, tmp_path / "m.onnx", options=EnrolOptions(recording=rule))


def test_a_rate_that_needs_more_recordings_fails_and_says_how_many(recordings: Path, tmp_path: Path) -> None:
    with pytest.raises(DecisionError, match=r"press/id_09: 12 normal .* 0.05: 7 more are needed"):
        enroll(recordings, tmp_path / "m.onnx", options=EnrolOptions(false_alarm_rate=0.05))
    assert not (tmp_path / "m.onnx").exists()
    made = enroll(recordings, tmp_path / "m.onnx", options=EnrolOptions(false_alarm_rate=0.1))
    assert made.machines[0].rate == 0.1


# Backgrounds


def test_a_background_is_made_of_a_folder(recordings: Path, tmp_path: Path) -> None:
    for machine in range(4):
        write_normals(tmp_path / "many" / "fan", 4, machine=machine, name=f"normal_id_0{machine}")
    options = EnrolOptions(background=tmp_path / "many")
    enroll(recordings, tmp_path / "m.onnx", options=options)
    background = decisions_of(tmp_path / "m.onnx").background
    assert background is not None
    assert (background.n_machines, background.n_clips) == (4, 16)
    assert background.source == "normal recordings of fan/id_00, fan/id_01, fan/id_02, fan/id_03"
    # the model's own wins, and memories that were made with it allow no other
    other = EnrolOptions(machine="press/id_01")
    enroll(recordings, tmp_path / "m2.onnx", tmp_path / "m.onnx", other)
    assert decisions_of(tmp_path / "m2.onnx").background == background
    shutil.rmtree(tmp_path / "many" / "fan")
    for machine in range(4):
        write_normals(tmp_path / "many" / "fan", 4, machine=5 + machine, name=f"normal_id_0{machine}")
    with pytest.raises(ConfigError, match="a file has one"):
        enroll(
            recordings,
            tmp_path / "m3.onnx",
            tmp_path / "m.onnx",
            EnrolOptions(machine="b", background=tmp_path / "many"),
        )
    with pytest.raises(DecisionError, match="needs 4 such machines"):
        enroll(recordings, tmp_path / "m3.onnx", options=EnrolOptions(background=recordings))


def test_the_shipped_background_is_of_these_features() -> None:
    background = restored_background(shipped_background())
    assert background.features_sha256 == FEATURES.sha256
    assert (background.n_machines, background.n_clips) == (40, 640)


def with_other_features(path: Path, output: Path, *, memories: bool) -> None:
    """Write a model file as an osscl with other features would have."""
    bundle = read_bundle(path)
    decisions = bundle.manifest.decisions
    assert decisions is not None
    assert decisions.background is not None
    kept = tuple(replace(each, features_sha256="0" * 64) for each in decisions.memories) if memories else ()
    rules = decisions.rules if memories else {}
    background = replace(decisions.background, features_sha256="0" * 64)
    other = replace(decisions, background=background, memories=kept, rules=rules)
    write_bundle(output, bundle.model, replace(bundle.manifest, decisions=other))


def test_memories_and_backgrounds_of_other_features_are_refused(recordings: Path, tmp_path: Path) -> None:
    enroll(recordings, tmp_path / "m.onnx", "demo")
    with_other_features(tmp_path / "m.onnx", tmp_path / "old.onnx", memories=True)
    for options in (EnrolOptions(add=True), EnrolOptions(machine="fan/id_99")):
        with pytest.raises(
            DecisionError, match="press/id_09: its memory is of features that this osscl does not"
        ):
            enroll(recordings, tmp_path / "m2.onnx", tmp_path / "old.onnx", options)
    with_other_features(tmp_path / "m.onnx", tmp_path / "old2.onnx", memories=False)
    for model in ("old.onnx", "old2.onnx"):
        with pytest.raises(DecisionError, match=r"background is of features that .* --background FOLDER"):
            enroll(recordings, tmp_path / "m2.onnx", tmp_path / model)
    for machine in range(4):
        write_normals(tmp_path / "many" / "fan", 4, machine=machine, name=f"normal_id_0{machine}")
    anew = EnrolOptions(background=tmp_path / "many")
    enroll(recordings, tmp_path / "m2.onnx", tmp_path / "old.onnx", anew)
    assert memory_of(tmp_path / "m2.onnx").features_sha256 == FEATURES.sha256


# Bad input


@pytest.mark.parametrize("n", [1, 2])
def test_too_few_clips_are_refused(tmp_path: Path, n: int) -> None:
    write_normals(tmp_path / "fan", n)
    told = f"fan/id_00: {n} different normal {'clip is' if n == 1 else 'clips are'} too few"
    with pytest.raises(DecisionError, match=told):
        enroll(tmp_path / "fan", tmp_path / "m.onnx")


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoRecordingsError):
        enroll(tmp_path / "empty", tmp_path / "m.onnx")
    write_normals(tmp_path / "fan", 3, name="anomaly_id_00")
    with pytest.raises(NoRecordingsError, match="3 are said to be anomalous"):
        enroll(tmp_path / "fan", tmp_path / "m.onnx")


def test_equal_clips_count_once(tmp_path: Path) -> None:
    paths = write_normals(tmp_path / "fan", 4)
    shutil.copy(paths[0], tmp_path / "fan" / "normal_id_00_copy.wav")
    made = enroll(tmp_path / "fan", tmp_path / "m.onnx")
    assert (made.machines[0].n_clips, made.machines[0].n_equal) == (4, 1)
    for path in paths[1:]:
        shutil.copy(paths[0], path)
    with pytest.raises(DecisionError, match="1 different normal clip is too few"):
        enroll(tmp_path / "fan", tmp_path / "m2.onnx")


def test_unusable_files_are_named_and_the_others_enrolled(tmp_path: Path) -> None:
    folder = tmp_path / "fan"
    write_normals(folder, 4)
    soundfile.write(folder / "normal_id_00_silent.wav", np.zeros(160_000, np.int16), RATE_HZ)
    soundfile.write(folder / "normal_id_00_eight.wav", np.zeros((160_000, 8), np.int16), RATE_HZ)
    soundfile.write(folder / "normal_id_00_rate.wav", clip(9), 44_100)
    soundfile.write(folder / "normal_id_00_short.wav", clip(9)[:80_000], RATE_HZ)
    (folder / "normal_id_00_text.wav").write_text("no sound")
    soundfile.write(folder / "without.wav", clip(8), RATE_HZ)
    made = enroll(folder, tmp_path / "m.onnx")
    found = {Path(each.path).stem.removeprefix("normal_id_00_"): each.status for each in made.unusable}
    assert found == {
        "silent": "corrupt",
        "eight": "unfit",
        "rate": "unfit",
        "short": "unfit",
        "text": "corrupt",
        "without": "unknown_machine",
    }
    assert made.machines[0].n_clips == 4


def test_suspicious_and_clipped_recordings_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "fan"
    write_normals(folder, 12)
    soundfile.write(folder / "normal_id_00_strange.wav", clip(50, pitch=1.5), RATE_HZ)
    loud = np.clip(clip(60).astype(np.int32) * 20, -32768, 32767).astype(np.int16)
    soundfile.write(folder / "normal_id_00_loud.wav", loud, RATE_HZ)
    made = enroll(folder, tmp_path / "m.onnx")
    assert {Path(path).stem for path in made.machines[0].suspicious} == {
        "normal_id_00_strange",
        "normal_id_00_loud",
    }
    assert made.machines[0].n_clips == 14  # none is dropped by itself
    assert any("at full scale" in warning and "loud" in warning for warning in made.warnings)


def test_windows_are_named_by_their_beginnings(tmp_path: Path) -> None:
    folder = tmp_path / "fan"
    write_normals(folder, 4)
    loud = np.clip(clip(60).astype(np.int32) * 20, -32768, 32767).astype(np.int16)
    windows = np.concatenate([clip(61), loud, clip(62), loud // 2 * 2])
    soundfile.write(folder / "normal_id_00_long.wav", windows, RATE_HZ)
    made = enroll(folder, tmp_path / "m.onnx", options=EnrolOptions(hop_s=10.0))
    [said] = [warning for warning in made.warnings if "at full scale" in warning]
    assert "long.wav from 10 s" in said
    assert any("long.wav from 10 s" in path for path in made.machines[0].suspicious)


def test_whole_and_padded_clips_are_not_mixed(tmp_path: Path) -> None:
    folder = tmp_path / "fan"
    write_normals(folder, 4)
    for number in range(3):
        soundfile.write(folder / f"normal_id_00_short{number}.wav", clip(20 + number)[:80_000], RATE_HZ)
    padded = EnrolOptions(fit=Fit(pad="repeat"))
    with pytest.raises(DecisionError, match="3 of 7 recordings are shorter than 10 s"):
        enroll(folder, tmp_path / "m.onnx", options=padded)
    short = tmp_path / "short" / "fan"
    short.mkdir(parents=True)
    for path in folder.glob("*short*"):
        path.rename(short / path.name)
    enroll(short, tmp_path / "m.onnx", options=padded)
    with pytest.raises(DecisionError, match="memory is of filled-up recordings"):
        enroll(
            folder, tmp_path / "m2.onnx", tmp_path / "m.onnx", EnrolOptions(add=True, fit=Fit(pad="repeat"))
        )
    with pytest.raises(DecisionError, match="was made with --pad repeat"):
        enroll(short, tmp_path / "m2.onnx", tmp_path / "m.onnx", EnrolOptions(add=True, fit=Fit(pad="zero")))
    with osscl.load(tmp_path / "m.onnx") as detector:
        records = list(
            detector.score_files([folder / "normal_id_00_00000000.wav", *short.glob("*")], pad="repeat")
        )
    assert [record.status for record in records] == ["ok"] * 4
    assert [record.is_anomaly is None for record in records] == [True, False, False, False]
    assert records[0].score is not None
    assert "the recording is whole" in (records[0].reason or "")


def test_other_rates_of_one_machine_are_said(tmp_path: Path) -> None:
    pytest.importorskip("soxr")
    write_normals(tmp_path / "a" / "fan", 3)
    write_normals(tmp_path / "b" / "fan", 3, first=10, rate_hz=15_000)
    made = enroll(
        [tmp_path / "a", tmp_path / "b"], tmp_path / "m.onnx", options=EnrolOptions(fit=Fit(resample=True))
    )
    assert made.machines[0].n_clips == 6
    assert any("different sample rates (15000, 16000 Hz)" in warning for warning in made.warnings)


def test_names_that_differ_in_case_alone_are_kept_apart(tmp_path: Path) -> None:
    write_normals(tmp_path / "n" / "Fan", 3)
    write_normals(tmp_path / "n" / "fan", 3, first=10)
    made = enroll(tmp_path / "n", tmp_path / "m.onnx")
    assert [machine.machine for machine in made.machines] == ["Fan/id_00", "fan/id_00"]
    assert any("differ in case alone" in warning for warning in made.warnings)
