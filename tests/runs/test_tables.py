"""Tables of a run, and the record beside them."""

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from osscl.audio.reading import Fit
from osscl.detector import Detector, load
from osscl.machines.labels import machine_source
from osscl.model_file.golden import golden_clips
from osscl.runs.folder import find_recordings
from osscl.runs.run import score_to_table
from osscl.runs.tables import OutputTable
from osscl.runs.tally import Tally
from osscl.scoring.record import COLUMNS, Record
from support.audio_files import encoded


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Recordings of four machines."""
    for number, machine in enumerate(("fan/id_00", "fan/id_02", "valve/id_06", "valve/id_04")):
        machine_type, machine_id = machine.split("/")
        path = tmp_path / "sound" / machine_type / f"normal_{machine_id}_0.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(golden_clips(number + 1)[-1]))
    return tmp_path / "sound"


def rows(table: Path | str) -> list[dict[str, str]]:
    text = table.read_text(encoding="utf-8") if isinstance(table, Path) else table
    return list(csv.DictReader(text.splitlines()))


def score(detector: Detector, folder: Path, table: OutputTable, stop_after: int = 99) -> Tally:
    """Score a folder into a table; Ctrl-C comes after so many lines."""
    tally = Tally()

    def interrupt(_: Record) -> None:
        if tally.n_files == stop_after:
            raise KeyboardInterrupt

    score_to_table(
        detector,
        detector.score_candidates(find_recordings([str(folder)]), machine_source(detector.machines), Fit()),
        table,
        options={"asked": "for"},
        tally=tally,
        on_record=interrupt,
        on_run=lambda run: None,
    )
    return tally


def test_all_formats_hold_the_same_lines(model_file: Path, folder: Path, tmp_path: Path) -> None:
    with load(model_file) as detector:
        for ending in ("csv", "jsonl", "parquet"):
            score(detector, folder, OutputTable(tmp_path / f"s.{ending}"))
    table = rows(tmp_path / "s.csv")
    lines = [json.loads(line) for line in (tmp_path / "s.jsonl").read_text().splitlines()]
    parquet = pyarrow.parquet.read_table(tmp_path / "s.parquet")
    assert parquet.column_names == list(COLUMNS)
    metadata = pyarrow.parquet.read_metadata(tmp_path / "s.parquet").metadata
    assert metadata is not None
    assert json.loads(metadata[b"osscl.run"])["counts"] == {"ok": 4}
    assert len(table) == 4
    for row, line, other in zip(table, lines, parquet.to_pylist(), strict=True):
        assert list(line) == list(COLUMNS)
        assert float(row["score"]) == line["score"]
        assert np.float32(row["score"]) == np.float32(other["score"])
        assert row["path"] == line["path"] == other["path"]
        assert line["p_value"] is None
        assert other["is_anomaly"] is None


def test_an_interrupted_run_leaves_no_half_table(model_file: Path, folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "s.csv"
    with load(model_file) as detector, pytest.raises(KeyboardInterrupt):
        score(detector, folder, OutputTable(output), stop_after=2)
    assert [path.name for path in tmp_path.iterdir()] == ["sound"]
