"""examples/node scores what Detector scores, and checks a model file on its golden clips."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from osscl.enrolment import EnrolOptions, enroll
from osscl.model_file.decisions import Rule
from support.normal_recordings import clip, write_normals
from support.real_recordings import BY_NETWORK, EMBEDDED, REMEMBERED, real_recordings
from support.remembering import stored_memory, write_model
from support.scored_elsewhere import (
    EXAMPLES,
    MACHINE,
    RULES,
    Line,
    Scored,
    assert_equal_lines,
    lines_of,
    make_scored,
    needed_module,
)

NODE = shutil.which("node")
HANGS_AFTER_S = 600
MOST_LINES = {"network.mjs": 350, "memory.mjs": 300}


def run_node(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a script of the example."""
    if NODE is None:
        pytest.skip("node is not installed (apt-get install nodejs npm)")
    command = [NODE, str(EXAMPLES / "node" / script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=HANGS_AFTER_S, check=False)


@pytest.fixture(scope="module")
def scored() -> Scored:
    return make_scored()


def lines_by_node(scored: Scored, machine: str, rule: Rule) -> dict[str, Line]:
    """What the example says of all recordings."""
    done = run_node("score.mjs", scored.model, machine, *scored.recordings, "--rule", rule)
    assert (done.returncode, done.stderr) == (0, "")
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert {(each["machine"], each["rule"]) for each in said} == {(machine, rule)}
    return {Path(each["path"]).name: Line.of(each) for each in said}


@pytest.mark.parametrize("rule", RULES)
def test_it_gives_what_the_detector_gives(scored: Scored, rule: Rule) -> None:
    needed_module("node", "onnxruntime-node")
    assert_equal_lines(lines_by_node(scored, MACHINE, rule), scored.lines[rule])


PRESS = "press/id_09"


def by_domain(folder: Path) -> Path:
    for machine, domain in enumerate(("source", "target")):
        write_normals(folder / "normal" / domain, 6 + 2 * machine, machine=machine)
    model = folder / "model.onnx"
    enroll(folder / "normal", model, None, EnrolOptions(machine=PRESS, by_domain=True))
    return model


def without_background(folder: Path) -> Path:
    memory = stored_memory(PRESS, np.stack([clip(number) for number in range(9)]), list("aabbccdde"))
    return write_model(folder / "model.onnx", [memory], network=False)


@pytest.mark.parametrize("make", [by_domain, without_background])
def test_memories_alone_need_no_package(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    model = make(tmp_path)
    paths = write_normals(tmp_path / "scored", 2, first=50)
    scored = Scored(model, paths, {"memory": lines_of(model, "memory", PRESS, paths)})
    assert_equal_lines(lines_by_node(scored, PRESS, "memory"), scored.lines["memory"])


@pytest.mark.parametrize(("machine", "rule"), [REMEMBERED, EMBEDDED, BY_NETWORK])
def test_real_recordings_give_what_the_detector_gives(shared: Path, machine: str, rule: Rule) -> None:
    needed_module("node", "onnxruntime-node")
    real = real_recordings(shared)
    assert_equal_lines(lines_by_node(real, machine, rule), real.lines[rule])


@pytest.mark.parametrize("model", ["native", "graph"])
def test_a_network_is_its_checkpoints(scored: Scored, model: str) -> None:
    needed_module("node", "onnxruntime-node")
    import osscl.models

    demo = Path(next(iter(osscl.models.__path__))) / "demo.onnx"
    done = run_node("check.mjs", demo if model == "native" else scored.model)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["golden_clips"]["is_same"] is True


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["nobody"], "nobody: the model does not know it; it knows blower/id_00, blower/id_01, "),
        ([MACHINE, "--rule", "ear"], "there is no rule ear; expected network, memory, both, embedding"),
        (["gearbox/id_00", "--rule", "memory"], "gearbox/id_00: it has no memory; run osscl enroll"),
        (
            ["gearbox/id_00", "--rule", "embedding"],
            "gearbox/id_00: it has no memory of embeddings; run osscl enroll",
        ),
        ([MACHINE, "--rate", "2"], "the false-alarm rate is 2; expected 0 < rate < 1"),
        ([MACHINE, "--channel", "left"], "--channel is left; expected a number from 0"),
        ([MACHINE, "--loud"], "Unknown option '--loud'"),
        ([], "usage: node score.mjs MODEL MACHINE RECORDING.wav"),
    ],
)
def test_what_is_asked_wrongly_is_said(scored: Scored, options: list[str], said: str) -> None:
    asked = [*options[:1], *scored.recordings[:1], *options[1:]] if options else []
    done = run_node("score.mjs", scored.model, *asked)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {said}")
    assert len(done.stderr.splitlines()) == 1


def test_a_recording_that_cannot_be_scored_is_a_line(scored: Scored, tmp_path: Path) -> None:
    fast, missing = tmp_path / "fast.wav", tmp_path / "missing.wav"
    soundfile.write(fast, clip(0), 48_000)
    recordings = [fast, missing, scored.recordings[0]]
    done = run_node("score.mjs", scored.model, MACHINE, *recordings, "--rule", "memory")
    said: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 3
    assert [each.get("error", "").removeprefix(str(missing)) for each in said] == [
        "the recording has 48000 Hz, expected 16000 Hz; resample it first",
        " cannot be read: ENOENT",
        "",
    ]


def test_few_recordings_decide_nothing(scored: Scored) -> None:
    done = run_node(
        "score.mjs", scored.model, MACHINE, scored.recordings[0], "--rule", "memory", "--rate", "0.01"
    )
    said = json.loads(done.stdout)
    assert said["isAnomaly"] is None
    assert said["why"] == "12 normal recordings are too few for a false-alarm rate of 0.01"
    assert np.isclose(said["pValue"], 1 / 13)


@pytest.mark.parametrize("name", MOST_LINES)
def test_it_is_short(name: str) -> None:
    assert len((EXAMPLES / "node" / name).read_text().splitlines()) <= MOST_LINES[name]
