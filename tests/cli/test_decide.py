"""``osscl score`` with decisions, and ``osscl decide``, as their users run them."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest

from osscl.scoring.record import COLUMNS
from support.console import osscl, osscl_each
from support.remembering import (
    calibration,
    faulty_clips,
    network_scores,
    normal_clips,
    stored_memory,
    write_clips,
    write_model,
)

N = 24
Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models with and without memories, and a folder of three machines to score."""
    root = tmp_path_factory.mktemp("decide")
    plain = write_model(root / "plain.onnx")
    fan, press = (
        stored_memory("fan/id_00", normal_clips(1, N)),
        stored_memory("press/id_09", normal_clips(2, N)),
    )
    of_fan = network_scores(plain, "fan/id_00", normal_clips(3, N))
    write_model(
        root / "model.onnx",
        [fan, press],
        [
            calibration("fan/id_00", "network", of_fan),
            calibration("fan/id_00", "both", np.linspace(-2, 2, N), of_fan),
        ],
        {"fan/id_00": "memory", "press/id_09": "memory"},
    )
    write_model(root / "alone.onnx", [fan, press], network=False)
    sound = root / "sound"
    for machine in ("fan/test", "press/test"):
        of = "id_00" if machine == "fan/test" else "id_09"
        write_clips(sound / machine, f"normal_{of}_", normal_clips(4, 3))
        write_clips(sound / machine, f"anomaly_{of}_", faulty_clips(5, 2))
    write_clips(sound / "pump" / "test", "normal_id_02_", normal_clips(6, 1))
    write_clips(sound / "fan" / "test", "normal_id_00_9", np.zeros((1, 160_000), np.int16))
    return root


def rows(table: Path) -> Rows:
    return list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))


def decided(found: Rows) -> dict[str, str]:
    return {Path(row["path"]).name: row["is_anomaly"] for row in found}


def test_a_folder_is_decided_and_what_was_flagged_is_said(home: Path, tmp_path: Path) -> None:
    done = osscl("score", home / "model.onnx", home / "sound", "-o", tmp_path / "s.csv")
    assert done.returncode == 0, done.stderr
    said = done.stderr.splitlines()
    assert said[-1] == "5 of 11 flagged at 5 %: fan/id_00 (3), press/id_09 (2)"
    assert said[-2] == (
        "no decision for pump/id_02: it is not calibrated: osscl calibrate on normal recordings that were "
        "not trained on"
    )
    found = rows(tmp_path / "s.csv")
    assert {row["rule"] for row in found} == {"memory", "network"}
    for row in found:
        has_memory = row["rule"] == "memory"
        assert [row[name] != "" for name in ("z_level", "z_flutter", "p_value", "is_anomaly")] == [
            has_memory
        ] * 4
        assert (row["is_anomaly"] == "true") == (
            (has_memory and "normal" not in row["path"]) or "_900" in row["path"]
        )
    [silent] = [row for row in found if row["status"] == "silent"]
    assert (silent["is_anomaly"], silent["rule"]) == ("true", "memory")


def test_the_three_columns_agree_in_every_format(home: Path, tmp_path: Path) -> None:
    outputs = [tmp_path / f"s{suffix}" for suffix in (".csv", ".jsonl", ".parquet")]
    score = ("score", home / "model.onnx", home / "sound", "--false-alarm-rate", "0.2", "-o")
    assert {done.returncode for done in osscl_each([(*score, output) for output in outputs])} == {0}
    table = pyarrow.parquet.read_table(outputs[2])
    assert table.schema.names == list(COLUMNS)
    types = {name: str(table.schema.field(name).type) for name in COLUMNS[4:8] + COLUMNS[11:]}
    assert types == {
        "score": "float",
        "p_value": "double",
        "threshold": "double",
        "is_anomaly": "bool",
        "rule": "string",
        **dict.fromkeys(("z_level", "z_modulation", "z_flutter", "z_event"), "float"),
        **dict.fromkeys(("recorded_at", "quality", "explanation", "scope"), "string"),
    }
    lines: list[list[dict[str, Any]]] = [
        [
            {
                name: row[name] and json.loads(row[name])
                for name in ("score", "p_value", "threshold", "is_anomaly")
            }
            for row in rows(outputs[0])
        ],
        [json.loads(line) for line in outputs[1].read_text().splitlines()],
        table.to_pylist(),
    ]
    for found in lines:
        flagged = [
            (row["is_anomaly"], row["score"] >= row["threshold"], row["p_value"] <= 0.2)
            for row in found
            if row["is_anomaly"] not in (None, "")
        ]
        assert len(flagged) == 11
        assert {len(set(each)) for each in flagged} == {1}
        assert {each[0] for each in flagged} == {True, False}


def test_only_anomalies_are_written_and_tell_the_caller(home: Path, tmp_path: Path) -> None:
    output = tmp_path / "s.csv"
    sound = home / "sound" / "press"
    options = ("--only", "anomalies", "--fail-on-anomaly", "-o", output)
    strict, nothing, broken = osscl_each(
        [
            ("score", home / "model.onnx", sound, *options),
            ("score", home / "model.onnx", sound / "test" / "normal_id_09_00000000.wav", "--fail-on-anomaly"),
            ("score", home / "model.onnx", sound, __file__, "--fail-on-anomaly", "--json"),
        ]
    )
    assert strict.returncode == 4, strict.stderr
    assert decided(rows(output)) == {f"anomaly_id_09_{i:08}.wav": "true" for i in range(2)}
    assert "5 files: 5 ok" in strict.stderr
    assert nothing.returncode == 0, nothing.stderr
    assert nothing.stderr.splitlines()[-1] == "0 of 1 flagged at 5 %"
    assert broken.returncode == 4  # before 3, which stands for the file that is no sound


def test_a_machine_without_a_memory_has_a_line_that_says_so(home: Path, tmp_path: Path) -> None:
    done = osscl("score", home / "model.onnx", home / "sound", "--rule", "memory", "-o", tmp_path / "s.csv")
    assert done.returncode == 3, done.stderr
    [line] = [row for row in rows(tmp_path / "s.csv") if row["machine"] == "pump/id_02"]
    assert (line["status"], line["score"], line["rule"]) == ("no_score", "", "")
    assert line["reason"] == (
        "pump/id_02: it has no memory; make one from its normal recordings by osscl enroll"
    )


def test_memories_alone_score_what_they_know(home: Path, tmp_path: Path) -> None:
    score = ("score", home / "alone.onnx", home / "sound", "-o")
    alone, network, asked = osscl_each(
        [
            (*score, tmp_path / "alone.csv"),
            (*score, tmp_path / "network.csv", "--rule", "network"),
            ("score", home / "model.onnx", home / "sound", "-o", tmp_path / "both.csv"),
        ]
    )
    assert alone.returncode == 3
    assert network.returncode == 1
    assert len(network.stderr.splitlines()) == 1
    assert not (tmp_path / "network.csv").exists()
    assert asked.returncode == 0
    by_path = {row["path"]: row for row in rows(tmp_path / "both.csv")}
    for row in rows(tmp_path / "alone.csv"):
        if row["machine"]:
            assert row == by_path[row["path"]]
        else:
            assert row["status"] == "unknown_machine"


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_table_is_decided_as_if_it_had_been_scored_at_that_rate(
    home: Path, tmp_path: Path, suffix: str
) -> None:
    first, again, other = (tmp_path / f"{name}{suffix}" for name in ("first", "again", "other"))
    score = ("score", home / "model.onnx", home / "sound", "--false-alarm-rate")
    scored, rescored, decide = osscl_each(
        [
            (*score, "0.5", "-o", first),
            (*score, "0.05", "-o", other),
            ("decide", first, "--model", home / "model.onnx", "--false-alarm-rate", "0.05", "-o", again),
        ]
    )
    assert (scored.returncode, rescored.returncode, decide.returncode) == (0, 0, 0), decide.stderr
    assert scored.stderr.splitlines()[-1] != rescored.stderr.splitlines()[-1]
    assert decide.stderr.splitlines()[-1] == f"{rescored.stderr.splitlines()[-1]} -> {again}"
    if suffix == ".parquet":
        assert pyarrow.parquet.read_table(again).equals(pyarrow.parquet.read_table(other))
    else:
        assert again.read_bytes() == other.read_bytes()
    run = json.loads(again.with_name(again.name + ".run.json").read_text())
    assert run["scored"]["options"]["false_alarm_rate"] == 0.5
    assert run["options"] == {"false_alarm_rate": 0.05}
    assert run["anomalies"] == {"fan/id_00": 3, "press/id_09": 2}


def test_the_rule_of_each_line_says_which_calibration_counts(home: Path, tmp_path: Path) -> None:
    tables = {rule: tmp_path / f"{rule}.csv" for rule in ("network", "both")}
    fan = home / "sound" / "fan"
    done = osscl_each(
        [
            *(
                ("score", home / "model.onnx", fan, "--rule", rule, "-o", table)
                for rule, table in tables.items()
            ),
            *(
                ("decide", table, "--model", home / model, "-o", f"{table}.{model}.csv")
                for table in tables.values()
                for model in ("model.onnx", "plain.onnx", "alone.onnx")
            ),
        ]
    )
    assert [each.returncode for each in done] == [0, 0, *[0, 3, 3] * 2], [each.stderr for each in done]
    for table in tables.values():
        assert rows(Path(f"{table}.model.onnx.csv")) == rows(table)
        for model in ("plain.onnx", "alone.onnx"):
            assert not [*tmp_path.glob(f"{table.name}.{model}.csv*")]  # neither table nor record
    said = [each.stderr.splitlines() for each in done[2:]]
    assert [len(lines) for lines in said] == [1] * 6  # what is not decided is said once
    assert said[1][0].startswith(
        "error: nothing of the table can be decided, and none is written: no decision for fan/id_00: it is "
        "not calibrated: osscl calibrate"
    )


def test_a_rate_that_no_machine_allows_leaves_what_is_there(home: Path, tmp_path: Path) -> None:
    table, strict = tmp_path / "s.csv", tmp_path / "strict.csv"
    strict.write_text("of yesterday")
    decide = ("decide", table, "--model", home / "model.onnx", "--false-alarm-rate", "0.001", "-o", strict)
    scored, refused = osscl_each(
        [("score", home / "model.onnx", home / "sound", "-o", table), (*decide, "--overwrite")]
    )
    assert (scored.returncode, refused.returncode) == (0, 3)
    assert "24 normal recordings are too few for a false-alarm rate of 0.001" in refused.stderr
    assert strict.read_text() == "of yesterday"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("s.csv", "s.csv.journal", "s.csv.run.json", "strict.csv")
    ]


def test_scores_of_another_memory_are_not_decided(home: Path, tmp_path: Path) -> None:
    table, output = tmp_path / "s.csv", tmp_path / "d.csv"
    other = write_model(
        tmp_path / "other.onnx",
        [
            stored_memory("fan/id_00", normal_clips(1, N - 1)),
            stored_memory("press/id_09", normal_clips(2, N)),
        ],
        rules={"fan/id_00": "memory", "press/id_09": "memory"},
    )
    scored, decide = osscl_each(
        [
            ("score", home / "model.onnx", home / "sound", "-o", table),
            ("decide", table, "--model", other, "-o", output),
        ]
    )
    assert (scored.returncode, decide.returncode) == (0, 0)
    assert decide.stderr.splitlines()[0] == (
        "no decision for fan/id_00: it was scored by another network or memory than the model file holds "
        "now: score the recordings again"
    )
    assert {row["machine"] for row in rows(output) if row["is_anomaly"]} == {"press/id_09"}
    (tmp_path / "s.csv.run.json").unlink()
    unknown = osscl("decide", table, "--model", home / "model.onnx", "--fail-on-anomaly", "--json")
    assert unknown.returncode == 4
    assert f"{table} has no record of its run beside it: taken as scored by" in unknown.stderr
    lines = [json.loads(line) for line in unknown.stdout.splitlines()]
    assert sum(line["is_anomaly"] is True for line in lines) == 5


def test_tables_of_others_keep_their_lines_and_names(home: Path, tmp_path: Path) -> None:
    table = tmp_path / "s.csv"
    table.write_text(
        "path,machine,status,score,rule,colour\n"
        "a\\x5cxff\\xff.wav,fan/id_00,ok,1.5,memory,red\n"
        "b.wav,fan/id_00,ok,1e9,memory,\nc.wav,fan/id_00,ok,2,,\nd.wav,fan/id_00,ok,2,loudness,\n"
        "e.wav,crane/id_00,ok,2,memory,\nf.wav,,corrupt,,,\n"
    )
    done = osscl("decide", table, "--model", home / "alone.onnx", "-o", tmp_path / "d.csv")
    assert done.returncode == 0, done.stderr
    found = rows(tmp_path / "d.csv")
    assert list(found[0]) == list(COLUMNS)
    assert [row["path"] for row in found] == ["a\\x5cxff\\xff.wav", *(f"{letter}.wav" for letter in "bcdef")]
    assert [row["is_anomaly"] for row in found] == ["false", "true", "", "", "", ""]
    assert done.stderr.splitlines()[1:4] == [
        "no decision for fan/id_00: the table does not say by which rule it was scored: score the recordings "
        "again",
        "no decision for fan/id_00: its rule is 'loudness'; expected one of: network, memory, both, "
        "embedding",
        "no decision for crane/id_00: the model file does not know it",
    ]
    assert done.stderr.splitlines()[-1].startswith("1 of 2 flagged at 5 %: fan/id_00 (1)")


def test_a_clip_that_was_filled_up_stays_undecided(home: Path, tmp_path: Path) -> None:
    sound, table, output = tmp_path / "press" / "test", tmp_path / "s.csv", tmp_path / "d.csv"
    write_clips(sound, "anomaly_id_09_", faulty_clips(5, 1)[:, :80_000])
    write_clips(sound, "anomaly_id_09_1", faulty_clips(5, 1))
    model = home / "model.onnx"
    scored, with_record = osscl_each(
        [
            ("score", model, sound, "--pad", "repeat", "-o", table),
            ("decide", table, "--model", model, "-o", output),
        ]
    )
    assert (scored.returncode, with_record.returncode) == (0, 0), scored.stderr
    assert rows(output) == rows(table)
    assert sorted(row["is_anomaly"] for row in rows(output)) == ["", "true"]
    (tmp_path / "s.csv.run.json").unlink()
    assert osscl("decide", table, "--model", model, "-o", output, "--overwrite").returncode == 0
    assert rows(output) == rows(table)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("1.5,memory", "1.5,memory,9"), "line 2: has 6 values where the header names 5 columns"),
        (("1.5,memory", "x,memory"), "line 2: score is x, expected a finite number"),
        (("score,rule", "score,is_anomaly"), "line 2: is_anomaly is memory, expected true, false or nothing"),
        (("score,rule", "score,threshold"), "line 2: threshold is memory, expected a finite number"),
    ],
)
def test_a_table_that_cannot_be_read_leaves_nothing(
    home: Path, tmp_path: Path, change: tuple[str, str], sentence: str
) -> None:
    table = tmp_path / "s.csv"
    table.write_text("path,machine,status,score,rule\na.wav,fan/id_00,ok,1.5,memory\n".replace(*change))
    done = osscl("decide", table, "--model", home / "alone.onnx", "-o", tmp_path / "d.csv")
    assert done.returncode == 1
    assert done.stderr == f"error: {table}, {sentence}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["s.csv"]
