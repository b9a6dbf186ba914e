"""Batches of paths to batches of records: what is scored by any engine is what a local run gives."""

import os
import pickle
from pathlib import Path

import pyarrow
import pytest

import osscl
from osscl.audio.candidate import Candidate
from osscl.audio.reading import AS_THEY_ARE
from osscl.audio.recorded_at import RecordingTimes
from osscl.detector import Detector
from osscl.distributed import ScoreBatch
from osscl.distributed.frames import records_in, spark_schema, table_of
from osscl.distributed.work import Work, opened
from osscl.errors import DistributedError, InputError, ModelFileError
from osscl.machines.labels import MachineNames
from osscl.runs.parquet import record_schema
from osscl.scoring.record import Record
from support.normal_recordings import write_normals

MACHINE = "blower/id_00"


@pytest.fixture
def paths(tmp_path: Path) -> list[bytes]:
    """Recordings, one with a name that is not UTF-8; a damaged file; and one that is not there."""
    made = write_normals(tmp_path / "blower", 3)
    odd = os.fsencode(tmp_path / "blower") + b"/normal_id_00_\xff.wav"
    Path(os.fsdecode(odd)).write_bytes(made[2].read_bytes())
    (tmp_path / "blower" / "broken.wav").write_bytes(b"RIFF")
    names = [*made[:2], tmp_path / "blower" / "broken.wav", tmp_path / "gone.wav"]
    return [*map(os.fsencode, names), odd]


def local(paths: list[bytes]) -> pyarrow.Table:
    """What one process makes of them."""
    with osscl.load("demo", threads=1) as detector:
        candidates = [Candidate(os.fsdecode(path)) for path in paths]
        return table_of(detector.score_candidates(candidates, lambda _: MACHINE, AS_THEY_ARE))


def test_a_batch_gives_the_records_of_a_local_run_also_from_a_pickled_copy(paths: list[bytes]) -> None:
    score = pickle.loads(pickle.dumps(ScoreBatch("demo", machine=MACHINE)))
    scored = score(pyarrow.table({"path": pyarrow.array(paths, pyarrow.binary())}))
    assert scored.equals(local(paths))
    assert scored["status"].to_pylist() == ["ok", "ok", "corrupt", "unreadable", "ok"]
    assert scored.schema == record_schema()


def test_an_iterator_of_batches_gives_one(paths: list[bytes]) -> None:
    batches = (pyarrow.table({"path": pyarrow.array([path], pyarrow.binary())}) for path in paths[:3])
    scored = ScoreBatch("demo", machine=MACHINE)(batches)
    assert next(scored).num_rows == 1
    assert pyarrow.concat_tables(scored).equals(local(paths[1:3]))


def test_windows_are_rows_and_the_recording_follows_them(tmp_path: Path) -> None:
    (path,) = write_normals(tmp_path, 1)
    scored = ScoreBatch("demo", machine=MACHINE, hop_s=10)(pyarrow.table({"path": [str(path)]}))
    assert scored["scope"].to_pylist() == ["window", "file_max", "file_mean", "file_q95"]


def test_the_model_is_opened_once_a_process(tmp_path: Path) -> None:
    first, copy = (pickle.loads(pickle.dumps(ScoreBatch("demo", machine=MACHINE))) for _ in range(2))
    assert opened(first._work)[0] is opened(copy._work)[0]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"file": ["a.wav"]}, "has the columns file; expected a column 'path'"),
        ({"path": [None]}, "holds None; expected the path of a recording"),
        ({"path": [""]}, "holds ''; expected the path of a recording"),
        ({"path": [7]}, "holds 7; expected the path of a recording"),
    ],
)
def test_a_batch_without_paths_is_refused(table: dict[str, list[object]], told: str) -> None:
    with pytest.raises(InputError, match=told):
        ScoreBatch("demo")(pyarrow.table(table))


def test_another_model_file_than_at_the_beginning_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ModelFileError, match=r"demo is another file where a worker runs .* put the same there"
    ):
        opened(Work("demo", "0" * 64))


def test_another_osscl_than_at_the_beginning_is_refused() -> None:
    with pytest.raises(
        DistributedError, match=r"and osscl 0\.0\.7 where the run began: install the same one"
    ):
        opened(Work("demo", "0" * 64, version="0.0.7"))


def test_times_are_told_by_the_place_in_the_whole_run(tmp_path: Path) -> None:
    from osscl.audio.recorded_at import parse_start

    times = RecordingTimes(parse_start("2026-11-03T06:00:00"), 0.3)
    candidates = [Candidate(str(tmp_path / f"gone_{number}.wav")) for number in range(7)]
    with Detector("demo") as detector:
        work = Work("demo", detector.bundle.file_sha256, MachineNames(MACHINE), times=times)
    together, _ = work.scored(candidates)
    apart = [record for first in (0, 3) for record in work.scored(candidates[first : first + 3], first)[0]]
    assert [record.recorded_at for record in apart] == [record.recorded_at for record in together[:6]]
    assert together[6].recorded_at == "2026-11-03T06:00:01.800000"


def test_a_table_of_labels_may_lie_in_a_store() -> None:
    scorer = ScoreBatch("demo", labels="memory://site/labels.csv")
    assert scorer._work.names.labels == "memory://site/labels.csv"


def test_records_survive_a_table() -> None:
    records = [
        Record(path="a.wav", machine="fan/id_00", score=0.5, is_anomaly=True, sample_rate_hz=16000),
        Record(path="b.wav", status="corrupt", reason="no sound"),
    ]
    assert list(records_in(table_of(records))) == records


def test_spark_is_told_the_columns_of_a_record() -> None:
    told = [column.split(" ") for column in spark_schema().split(", ")]
    assert [name for name, _ in told] == list(Record.__struct_fields__)
    assert dict(told)["is_anomaly"] == "boolean"
    assert dict(told)["score"] == "float"
