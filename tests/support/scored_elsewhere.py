"""A model file whose graph holds the front end, recordings, and what Detector makes of them by every rule."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import soundfile

import osscl
from osscl.enrolment import CalibrateOptions, EnrolOptions, calibrate, enroll
from osscl.export import export_onnx
from osscl.model_file.decisions import Rule
from support.normal_recordings import RATE_HZ, clip, write_normals
from support.once import made_once

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
MACHINE = "blower/id_00"
"""A class of the demonstration's network, so that every rule can be had of it."""
RULES: tuple[Rule, ...] = ("network", "memory", "both", "embedding")
SCORE_ERROR = 5e-4
"""How far another runtime's score may lie from Detector's."""
_N_NORMAL = 12
_N_SCORED = 2


class Line(NamedTuple):
    """What is said of one recording."""

    score: float
    p_value: float | None
    is_anomaly: bool | None

    @classmethod
    def of(cls, said: dict[str, float | bool | None]) -> "Line":
        """Take it as the examples say it."""
        score = said["score"]
        assert score is not None
        p_value, decision = said["pValue"], said["isAnomaly"]
        return cls(score, p_value, None if decision is None else bool(decision))


class Scored(NamedTuple):
    """A model file, recordings, and the line of each by every rule, ``lines["memory"]["name.wav"]``."""

    model: Path
    recordings: list[Path]
    lines: dict[str, dict[str, Line]]


def make_scored() -> Scored:
    """Enroll and calibrate made recordings of a machine, and score others: once for all tests."""
    folder = made_once("scored elsewhere", _make)
    lines = json.loads((folder / "lines.json").read_text())
    read = {rule: {name: Line(*line) for name, line in by_name.items()} for rule, by_name in lines.items()}
    return Scored(folder / "model.onnx", sorted((folder / "scored").glob("*.wav")), read)


def needed_module(example: str, module: str) -> None:
    """Skip where npm has not brought what an example needs."""
    if not (EXAMPLES / example / "node_modules" / module).is_dir():
        pytest.skip(f"{module} is not installed (npm ci in examples/{example})")


def _make(folder: Path) -> None:
    normals = folder / "normal"
    write_normals(normals, _N_NORMAL)
    names = ("graph", "memory", "embedded", "network", "model")
    graph, remembered, embedded, calibrated, model = (folder / f"{name}.onnx" for name in names)
    export_onnx("demo", graph, front_end="graph")
    enroll(normals, remembered, graph, EnrolOptions(machine=MACHINE))
    enroll(normals, embedded, remembered, EnrolOptions(machine=MACHINE, rule="embedding"))
    calibrate(embedded, normals, calibrated, CalibrateOptions(machine=MACHINE))
    calibrate(calibrated, normals, model, CalibrateOptions(machine=MACHINE, rule="both"))
    scored = folder / "scored"
    write_normals(scored, _N_SCORED, first=_N_NORMAL)
    soundfile.write(scored / "anomaly.wav", clip(99, pitch=1.5), RATE_HZ, subtype="PCM_16")
    paths = sorted(scored.glob("*.wav"))
    lines = {rule: lines_of(model, rule, MACHINE, paths) for rule in RULES}
    (folder / "lines.json").write_text(json.dumps(lines))


def lines_of(model: Path, rule: Rule, machine: str, paths: list[Path]) -> dict[str, Line]:
    """What Detector makes of recordings, by their names."""
    clips = np.stack([soundfile.read(path, dtype="int16")[0][:160_000] for path in paths])
    with osscl.load(model, rule=rule) as detector:
        scores = detector.score(clips, machine)
    p_values = [None if np.isnan(p) else float(p) for p in scores.p_value]
    decisions = scores.is_anomaly.tolist()  # None where nothing is decided
    by_clip = zip(paths, scores.score.tolist(), p_values, decisions, strict=True)
    return {path.name: Line(score, p_value, decision) for path, score, p_value, decision in by_clip}


def assert_equal_lines(got: dict[str, Line], expected: dict[str, Line]) -> None:
    """Scores that agree within the bound; equal p-values and decisions."""
    assert got.keys() == expected.keys()
    for name, line in got.items():
        assert abs(line.score - expected[name].score) <= SCORE_ERROR, name
        assert line[1:] == expected[name][1:], name
