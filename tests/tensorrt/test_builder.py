"""The builder of the backend, run with TensorRT-RTX, whose builder and parser need no GPU."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from osscl.backends.tensorrt.builder import _set_timing_cache
from support.tensorrt_rtx_builder import MAX_BATCH, UNKNOWN_OPERATOR

PROGRAM = str(Path(__file__).parents[1] / "support" / "tensorrt_rtx_builder.py")
Build = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def build(rtx: dict[str, str]) -> Build:
    """Build in a process that can import TensorRT-RTX."""

    def run(*arguments: object) -> dict[str, Any]:
        command = [sys.executable, "-W", "error", PROGRAM, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=rtx)
        assert done.returncode == 0, done.stderr
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    return run


@pytest.fixture(scope="module")
def whole(build: Build) -> dict[str, Any]:
    return build("whole")


def test_the_demonstration_model_is_built_for_any_batch_up_to_the_largest(whole: dict[str, Any]) -> None:
    assert whole["error"] is None
    assert whole["n_bytes"] > 2**20
    assert whole["profile"] == {
        "waveform": [[1, 160_000], [16, 160_000], [MAX_BATCH, 160_000]],
        "log_mel": [[1, 128, 313], [16, 128, 313], [MAX_BATCH, 128, 313]],
    }


def test_the_graph_is_strongly_typed_and_tf32_is_off(whole: dict[str, Any]) -> None:
    assert whole["network_flags"] == whole["strongly_typed"] > 0
    assert not whole["tf32"]
    assert whole["verbosity"] == "DETAILED"


def test_progress_is_reported_phase_by_phase(whole: dict[str, Any]) -> None:
    steps = whole["progress"]
    phase, done, total = steps[-1]
    assert done == total > 1
    assert steps[0] == [phase, 0, total]
    assert len({phase for phase, _, _ in steps}) > 3
    assert all(0 <= done <= total for _, done, total in steps)


def test_timings_are_given_back(whole: dict[str, Any]) -> None:
    assert whole["n_timing_bytes"] > 0


@pytest.mark.parametrize("case", ["own_timings", "damaged_timings"])
def test_timings_that_cannot_be_read_do_no_harm_and_are_warned_of(build: Build, case: str) -> None:
    built = build(case)  # TensorRT-RTX reads none at all without a GPU, not even its own
    assert built["error"] is None
    assert built["n_bytes"] > 2**20
    assert any("Failed to deserialize timing cache" in warning for warning in built["warnings"])


class Refusing:
    """Settings of a builder that takes no timings but empty ones, as another card's are refused."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []

    def create_timing_cache(self, content: bytes) -> bytes:
        return content

    def set_timing_cache(self, cache: bytes, ignore_mismatch: bool) -> bool:
        assert not ignore_mismatch
        self.taken.append(cache)
        return not cache


def test_timings_that_tensorrt_refuses_are_dropped_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    config = Refusing()
    _set_timing_cache(None, config, b"of another card")
    assert config.taken == [b"of another card", b""]
    assert "timing cache is of no use" in caplog.text


def test_all_errors_of_the_parser_are_shown_with_their_nodes(build: Build) -> None:
    kind, message = build("unknown_operator")["error"]
    assert kind == "BackendError"
    assert f"node {UNKNOWN_OPERATOR} mystery" in message
    assert "cannot read the graph" in message
    assert "export the model again" in message
    kind, message = build("not_onnx")["error"]
    assert (kind, "MODEL_DESERIALIZE_FAILED" in message) == ("BackendError", True)


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ("missing_input", "reads the graph's inputs as waveform float32 [batch, 160000], log_mel"),
        ("renamed_output", "the manifest says vector float32 [batch, 128]"),
        ("other_shape", "the manifest says waveform float32 [batch, 80000]"),
    ],
)
def test_a_graph_that_is_not_what_the_manifest_says_is_refused(build: Build, case: str, says: str) -> None:
    kind, message = build(case)["error"]
    assert kind == "BackendError"
    assert says in message


def test_a_build_that_fails_gives_the_last_reason(build: Build) -> None:
    kind, message = build("small_workspace")["error"]
    assert kind == "BackendError"
    assert "cannot build an engine for this model" in message
    assert "workspace" in message


def test_a_build_stops_when_asked_to(build: Build, whole: dict[str, Any]) -> None:
    stopped = build("stopped")
    assert stopped["error"][0] == "BuildStopped"
    assert len(stopped["progress"]) < len(whole["progress"]) / 2


def test_what_fails_in_the_callback_ends_the_build_and_is_raised(build: Build) -> None:
    assert build("failing_callback")["error"] == ["LookupError", "no such bar"]


def test_ctrl_c_stops_a_build_in_the_middle(rtx: dict[str, str]) -> None:
    command = [sys.executable, "-W", "error", PROGRAM, "interrupted"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=rtx
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "building\n", process.communicate()[1]
        process.send_signal(signal.SIGINT)
        out, messages = process.communicate(timeout=300)  # unless it is seen, the build never ends
    assert process.returncode == 0, messages
    assert out == "KeyboardInterrupt, after ['BuildStopped']\n"
