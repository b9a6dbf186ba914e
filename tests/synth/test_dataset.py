"""A data set: layout, counts, what stands in its record, what happens when it cannot be written."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from osscl import synth
from osscl.errors import ConfigError, OutputError
from osscl.machines.dcase import machine_of_path

PLAN = synth.DatasetPlan(machines=3, train=4, normal=3, anomalous=7, seed=5)


def written(folder: Path, plan: synth.DatasetPlan, overwrite: bool = False) -> dict[str, bytes]:
    """Write a data set; its files by name."""
    for _ in synth.write_dataset(folder, plan, overwrite):
        pass
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set."""
    folder = tmp_path_factory.mktemp("synth") / "new" / "set"
    written(folder, PLAN)
    return folder


def test_files_stand_as_dcase_names_them(folder: Path) -> None:
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.wav"))
    assert len(names) == 14
    assert "blower/train/normal_id_00_00000001.wav" in names  # the first machine takes the remainder
    assert "waterpump/train/normal_id_00_00000001.wav" not in names
    assert "gearbox/test/anomaly_id_00_00000001.wav" in names
    assert Counter(name.split("/")[0] for name in names) == {"blower": 6, "waterpump": 4, "gearbox": 4}
    known = [machine.name for machine in synth.machines(3)]
    for name in names:
        assert machine_of_path(folder / name, known) == name.split("/")[0] + "/id_00"
        information = soundfile.info(folder / name)
        assert (information.samplerate, information.channels, information.frames) == (16_000, 1, 160_000)
        assert information.subtype == "PCM_16"


def test_the_record_tells_each_clip(folder: Path) -> None:
    record = json.loads((folder / "synth.json").read_text())
    assert record["seed"] == 5
    assert record["counts"] == {"train": 4, "normal": 3, "anomalous": 7}
    assert record["machines"] == ["blower/id_00", "waterpump/id_00", "gearbox/id_00"]
    assert record["generator"] == "osscl.synth/1"
    rows = {row["path"]: row for row in record["clips"]}
    assert set(rows) == {path.relative_to(folder).as_posix() for path in folder.rglob("*.wav")}
    for row in rows.values():
        assert {"mode", "band_hz", "rate_hz", "time_s"} <= set(row)
        shows = row["band_hz"] is not None or row["rate_hz"] is not None
        assert shows == (row["fault"] is not None)
    for path, row in rows.items():
        assert (row["label"] == "anomaly") == ("anomaly_" in path) == (row["fault"] is not None)
    path = "blower/test/anomaly_id_00_00000001.wav"
    key = synth.ClipKey("blower/id_00", 5, "test", "anomaly", 1)
    clip = synth.make_clip(key, synth.fault(rows[path]["fault"], rows[path]["severity"]))
    stored, _ = soundfile.read(folder / path, dtype="int16")
    np.testing.assert_array_equal(stored, np.rint(clip * 32767.0))


def test_a_larger_set_begins_with_the_smaller(folder: Path, tmp_path: Path) -> None:
    larger = written(tmp_path, synth.DatasetPlan(machines=3, train=6, normal=4, anomalous=8, seed=5))
    assert len(larger) == 19
    for path in folder.rglob("*.wav"):
        assert larger[path.relative_to(folder).as_posix()] == path.read_bytes()


def test_no_two_clips_of_any_seed_are_equal(folder: Path, tmp_path: Path) -> None:
    other = written(tmp_path, synth.DatasetPlan(machines=3, train=4, normal=3, anomalous=7, seed=6))
    contents = [path.read_bytes() for path in folder.rglob("*.wav")]
    contents += [content for name, content in other.items() if name.endswith(".wav")]
    assert len(contents) == len(set(contents)) == 28


def test_faults_are_spread_evenly() -> None:
    plan = synth.DatasetPlan(machines=12, anomalous=1200, seed=7)
    pairs = Counter((clip.key.machine, clip.fault, clip.severity) for clip in plan.clips())
    for machine in synth.machines(12):
        shares = [count for (name, _, _), count in pairs.items() if name == machine.name]
        assert len(shares) == 3 * len(machine.type.faults)
        assert sum(shares) == 100
        assert max(shares) - min(shares) <= 2


def test_a_folder_that_holds_something_is_left_alone(folder: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    with pytest.raises(OutputError, match="not empty"):
        written(folder, PLAN)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    small = synth.DatasetPlan(machines=1, normal=1)
    (tmp_path / "mine.txt").write_text("kept")
    assert set(written(tmp_path, small, overwrite=True)) == {
        "mine.txt",
        "synth.json",
        "blower/test/normal_id_00_00000000.wav",
    }


def test_an_interrupted_set_has_whole_files_and_no_record(tmp_path: Path) -> None:
    steps = synth.write_dataset(tmp_path / "set", PLAN)
    next(steps)
    next(steps)
    steps.close()  # type: ignore[attr-defined]
    left = [path for path in (tmp_path / "set").rglob("*") if path.is_file()]
    assert len(left) == 2
    for path in left:
        assert soundfile.info(path).frames == 160_000


def test_wrong_outputs_and_counts_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="is a file"):
        written(tmp_path / "file", PLAN)
    with pytest.raises(OutputError, match="cannot be written"):
        written(tmp_path / "file" / "below", PLAN)
    with pytest.raises(ConfigError, match="no clip is asked for"):
        synth.DatasetPlan()
    with pytest.raises(ConfigError, match="normal is -1"):
        synth.DatasetPlan(normal=-1)
    with pytest.raises(ConfigError, match="machines is 0"):
        synth.DatasetPlan(machines=0, normal=1)
    with pytest.raises(ConfigError, match="machines is 401"):
        synth.DatasetPlan(machines=401, normal=1)
    with pytest.raises(ConfigError, match="seed is -1"):
        synth.DatasetPlan(normal=1, seed=-1)
    with pytest.raises(ConfigError, match="`machines` and `ids` are both given"):
        synth.DatasetPlan(machines=3, ids=(30,), normal=1)
    with pytest.raises(ConfigError, match="ids has 100; expected numbers from 0 to 99"):
        synth.DatasetPlan(ids=(30, 100), normal=1)
    with pytest.raises(ConfigError, match="ids has 20 twice"):
        synth.DatasetPlan(ids=(20, 21, 20), normal=1)
    with pytest.raises(ConfigError, match="ids is empty"):
        synth.machines_of_ids(())
    with pytest.raises(ConfigError, match="faults have 'rust'; expected one of: imbalance"):
        synth.DatasetPlan(anomalous=1, faults=("rust",))
    with pytest.raises(ConfigError, match="faults have leak twice"):
        synth.DatasetPlan(machines=1, anomalous=1, faults=("leak", "leak"))
    with pytest.raises(ConfigError, match="no anomalous clip is asked for"):
        synth.DatasetPlan(normal=1, faults=("event",))
    with pytest.raises(ConfigError, match="gearbox/id_00 can have none of the chosen faults"):
        synth.DatasetPlan(anomalous=4, faults=("leak", "clogging"))


def test_machines_of_given_ids() -> None:
    plan = synth.DatasetPlan(ids=(30, 31, 32), train=12, normal=24, anomalous=13, seed=5)
    names = [machine.name for machine in plan.all_machines()]
    assert names[:5] == [
        "blower/id_30",
        "waterpump/id_30",
        "gearbox/id_30",
        "compressor/id_30",
        "blower/id_31",
    ]
    assert len(set(names)) == 12
    counts = Counter((clip.key.machine, clip.key.split, clip.key.label) for clip in plan.clips())
    assert counts["compressor/id_32", "train", "normal"] == 1
    assert counts["compressor/id_32", "test", "normal"] == 2
    assert counts["blower/id_30", "test", "anomaly"] == 2
    assert synth.dataset_record(plan)["machines"] == names
    same = synth.DatasetPlan(ids=(0, 1, 2), normal=24, anomalous=24, seed=5)
    assert list(same.clips()) == list(synth.DatasetPlan(machines=12, normal=24, anomalous=24, seed=5).clips())


def test_chosen_faults() -> None:
    events = synth.DatasetPlan(ids=(20, 25), anomalous=24, faults=("event",))
    assert {clip.fault for clip in events.clips()} == {"event"}
    assert set(Counter((clip.key.machine, clip.severity) for clip in events.clips()).values()) == {1}
    some = synth.DatasetPlan(machines=4, anomalous=24, faults=("leak", "event"))
    kinds = {(clip.key.machine, clip.fault) for clip in some.clips()}
    assert ("gearbox/id_00", "event") in kinds
    assert ("gearbox/id_00", "leak") not in kinds
    assert ("blower/id_00", "leak") in kinds
