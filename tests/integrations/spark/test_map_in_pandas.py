"""`ScoreBatch` in Spark's mapInPandas, by real Spark: the records of a local run, each once."""

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import osscl
from osscl.distributed import ScoreBatch
from osscl.distributed.frames import table_of
from osscl.runs.score_table import read_records
from support.normal_recordings import write_normals

sql = pytest.importorskip("pyspark.sql", reason="pyspark is not installed: pip install pyspark pandas")
if shutil.which("java") is None:
    pytest.skip("Spark needs Java: apt-get install default-jre-headless", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings("default")  # Spark's own are not ours to mend
MACHINE = "blower/id_00"
N_CLIPS = 12


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """Two processes of this machine, each task tried up to four times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)  # the one that has osscl
        session = (
            sql.SparkSession.builder.master("local[2,4]")
            .config("spark.ui.enabled", "false")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .getOrCreate()
        )
        session.sparkContext.setLogLevel("FATAL")
        yield session
        session.stop()


@pytest.fixture
def paths(tmp_path: Path) -> list[str]:
    """Recordings, one of them damaged."""
    made = write_normals(tmp_path / "blower", N_CLIPS)
    made[5].write_bytes(b"RIFF")
    return list(map(str, made))


def local(paths: list[str]) -> list[dict[str, Any]]:
    with osscl.load("demo", threads=1) as detector:
        return table_of(detector.score_files(paths, MACHINE)).to_pylist()  # type: ignore[no-any-return]


def by_spark(spark: Any, score: Any, paths: list[str], output: Path) -> list[dict[str, Any]]:
    """Score in four partitions, and read the table that Spark wrote."""
    import pyarrow.parquet

    rows = spark.createDataFrame([(path,) for path in paths], "path string").repartition(4)
    rows.mapInPandas(score, ScoreBatch("demo").spark_schema).write.parquet(str(output))
    assert sorted(each.path for each in read_records(output)) == sorted(paths)
    table = pyarrow.parquet.read_table(output).sort_by("path")
    return table.to_pylist()  # type: ignore[no-any-return]


def test_spark_gives_the_records_of_a_local_run(spark: Any, paths: list[str], tmp_path: Path) -> None:
    scored = by_spark(spark, ScoreBatch("demo", machine=MACHINE), paths, tmp_path / "scores.parquet")
    assert scored == local(paths)
    assert [row["status"] for row in scored].count("corrupt") == 1


def test_each_record_comes_once_where_a_process_ends(spark: Any, paths: list[str], tmp_path: Path) -> None:
    score, met = ScoreBatch("demo", machine=MACHINE), tmp_path / "met"

    def scored(frames: Any) -> Any:
        for frame in frames:
            yield score(frame)
            if not met.exists():  # its rows are made by now, and not yet taken
                met.touch()
                os.kill(os.getpid(), signal.SIGKILL)

    assert by_spark(spark, scored, paths, tmp_path / "scores.parquet") == local(paths)
    assert met.exists()
