"""What a training tells is counted from 1, also where an earlier osscl counted from 0."""

import json
from pathlib import Path

import msgspec

from osscl.training.reports import METRICS_FILE, EpochReport, MetricsLog, StepReport, read_reports
from support.made_up_training import made_up_reports


def as_once_written(folder: Path) -> None:
    """The metrics of a training of 2 epochs with 3 steps each, as they were written before."""
    lines = []
    for report in made_up_reports(2, 3):
        line = json.loads(msgspec.json.encode(report))
        line["epoch"] -= 1
        if "step" in line:
            line["step"] -= 1
        lines.append(json.dumps(line) + "\n")
    assert json.loads(lines[0])["epoch"] == 0
    (folder / METRICS_FILE).write_text("".join(lines))


def test_older_metrics_are_read_as_new_ones(tmp_path: Path) -> None:
    as_once_written(tmp_path)
    assert read_reports(tmp_path) == made_up_reports(2, 3)


def test_a_resumed_training_goes_on_counting_from_one(tmp_path: Path) -> None:
    as_once_written(tmp_path)
    log = MetricsLog(tmp_path, n_steps=4)
    told = made_up_reports(2, 3)
    for report in told[5:]:
        log(report)
    log.close()
    lines = [json.loads(line) for line in (tmp_path / METRICS_FILE).read_text().splitlines()]
    assert [(line["epoch"], line.get("step")) for line in lines] == [
        *((1, 1), (1, 2), (1, 3), (1, None)),
        *((2, 1), (2, 2), (2, 3), (2, None)),
    ]
    assert read_reports(tmp_path) == told
    assert {type(report) for report in told} == {StepReport, EpochReport}
