"""``osscl embed`` as its users run it."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

import osscl as library
from osscl.features import memory_features
from support.console import osscl, osscl_each
from support.remembering import normal_clips, stored_memory, write_clips, write_model


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("embed")
    write_model(root / "model.onnx")
    write_model(root / "alone.onnx", [stored_memory("fan/id_00", normal_clips(1, 4))], network=False)
    write_clips(root / "sound" / "fan" / "test", "normal_id_00_", normal_clips(2, 3))
    write_clips(root / "sound", "hall", normal_clips(3, 1))
    (root / "sound" / "fan" / "broken.wav").write_bytes(b"no sound")
    return root


def test_a_folder_becomes_arrays_with_path_and_machine(home: Path, tmp_path: Path) -> None:
    arrays, table = tmp_path / "n.npz", tmp_path / "n.parquet"
    commands = [("embed", home / "model.onnx", home / "sound", "-o", output) for output in (arrays, table)]
    as_arrays, as_table, again = osscl_each([(*commands[0], "--json"), commands[1], commands[1]])
    assert (as_arrays.returncode, as_table.returncode, again.returncode) == (3, 3, 1), as_arrays.stderr
    summary = json.loads(as_arrays.stdout)
    assert summary["n_clips"] == 4
    assert summary["columns"] == {"features": 360, "embedding": 128}
    assert summary["machines"] == {"fan/id_00": 3}
    assert summary["n_without_machine"] == 1
    assert [(Path(each["path"]).name, each["status"]) for each in summary["unusable"]] == [
        ("broken.wav", "corrupt")
    ]
    assert as_table.stderr.splitlines()[-1] == (
        f"4 clips: features [360] and embedding [128], 1 without a machine in their path -> {table}"
    )
    with np.load(arrays) as found:
        by_name = {Path(path).name: row for row, path in enumerate(found["path"])}
        order = [by_name[f"normal_id_00_{i:08}.wav"] for i in range(3)] + [by_name["hall00000000.wav"]]
        clips = np.concatenate([normal_clips(2, 3), normal_clips(3, 1)])
        np.testing.assert_array_equal(found["features"][order], memory_features(clips))
        with library.load(home / "model.onnx", "cpu", threads=1) as detector:
            np.testing.assert_array_equal(found["embedding"][order], detector.embed(clips))
        assert found["machine"][order].tolist() == ["fan/id_00"] * 3 + [""]
        rows = pyarrow.parquet.read_table(table).to_pydict()
        assert rows["path"] == found["path"].tolist()
        assert rows["machine"] == [name or None for name in found["machine"].tolist()]
        assert rows["sha256"] == found["sha256"].tolist()
        for name in ("features", "embedding"):
            np.testing.assert_array_equal(np.array(rows[name], np.float32), found[name])


def test_without_a_network_there_are_features_alone(home: Path, tmp_path: Path) -> None:
    sound, output = home / "sound", tmp_path / "n.npz"
    bare, alone, asked, unnamed, wrong, two = osscl_each(
        [
            ("embed", sound, "-o", output),
            ("embed", home / "alone.onnx", sound, "-o", tmp_path / "a.npz"),
            ("embed", home / "alone.onnx", sound, "-o", tmp_path / "b.npz", "--what", "embedding"),
            ("embed", sound, "-o", tmp_path / "b.npz", "--what", "embedding"),
            ("embed", sound, "-o", tmp_path / "b.csv"),
            ("embed", sound, sound, sound, "-o", tmp_path / "b.npz"),
        ]
    )
    assert [each.returncode for each in (bare, alone, asked, unnamed, wrong, two)] == [3, 3, 1, 2, 2, 2]
    for each in (asked, unnamed, wrong, two):
        assert len(each.stderr.splitlines()) == 1, each.stderr
    assert "no network" in asked.stderr
    assert "name its model file before the folder" in unnamed.stderr
    assert "no table of numbers ends in '.csv'; choose one of: .parquet, .npz" in wrong.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npz", "n.npz"]
    with np.load(output) as found:
        assert sorted(found) == ["features", "machine", "path", "sha256"]


def test_the_embedding_alone(home: Path, tmp_path: Path) -> None:
    done = osscl(
        "embed", home / "model.onnx", home / "sound", "-o", tmp_path / "n.npz", "--what", "embedding"
    )
    assert done.returncode == 3
    with np.load(tmp_path / "n.npz") as found:
        assert sorted(found) == ["embedding", "machine", "path", "sha256"]
        assert np.linalg.norm(found["embedding"], axis=1) == pytest.approx(1, abs=1e-5)


def test_where_nothing_can_be_used_nothing_is_written(tmp_path: Path) -> None:
    write_clips(tmp_path / "sound", "dead", np.zeros((2, 160_000), np.int16))
    done = osscl("embed", tmp_path / "sound", "-o", tmp_path / "n.parquet")
    assert done.returncode == 1
    assert done.stderr == f"error: {tmp_path}/n.parquet was not written: no recording could be used\n"
    assert [path.name for path in tmp_path.iterdir()] == ["sound"]
