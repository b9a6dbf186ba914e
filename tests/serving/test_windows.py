"""Recordings of any length in one request: the lines of a folder run with ``--hop``, within limits."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import soundfile

import osscl
from osscl.audio.candidate import Candidate
from osscl.audio.reading import Fit
from osscl.audio.windows import open_windows
from osscl.backends import ComputeOptions
from osscl.detector import Detector
from osscl.runs.explaining import explain_file
from osscl.scoring.record import Record
from osscl.serving.limits import Limits
from osscl.support.two_spellings import in_query
from support.model_files import CLASSES
from support.remembering import faulty_clips, normal_clips, stored_memory, write_model
from support.served import Reply, Served, served
from support.waiting import wait_until

REMEMBERED = "press/id_09"
LIMITS = Limits(max_windows=8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Long recordings, whole and damaged, and a model with a memory and a network."""
    folder = tmp_path_factory.mktemp("long")
    sound = np.concatenate([*normal_clips(2, 1), *faulty_clips(3, 1), *normal_clips(4, 1)])[:440_000]
    soundfile.write(folder / "20261103_235955.wav", sound, 16_000)
    soundfile.write(folder / "long.flac", sound, 16_000)
    soundfile.write(folder / "long.w64", sound, 16_000)
    soundfile.write(folder / "silent.wav", sound * 0, 16_000)
    soundfile.write(folder / "short.wav", sound[:80_000], 16_000)
    soundfile.write(folder / "nan.wav", np.where(np.arange(440_000) == 200_000, np.nan, 0.1), 16_000, "FLOAT")
    soundfile.write(folder / "clip.wav", sound[:160_000], 16_000)
    (folder / "cut.wav").write_bytes((folder / "20261103_235955.wav").read_bytes()[:-200_000])
    (folder / "empty.wav").touch()
    write_model(folder / "model.onnx", [stored_memory(REMEMBERED, normal_clips(1, 24))])
    return folder


@pytest.fixture(scope="module")
def detector(folder: Path) -> Iterator[Detector]:
    with osscl.load(folder / "model.onnx", "cpu", threads=2) as detector:
        yield detector


@pytest.fixture(scope="module")
def server(detector: Detector) -> Iterator[Served]:
    with served(detector, LIMITS) as server:
        yield server


def as_json(record: Record, name: str) -> dict[str, Any]:
    """A line of a folder run, with settings as a query has them."""
    built: dict[str, Any] = json.loads(msgspec.json.encode(record)) | {"path": name}
    return built | {"reason": None if record.reason is None else in_query(record.reason)}


@pytest.mark.parametrize(
    ("machine", "hop_s", "fit"),
    [(REMEMBERED, 5, {}), (REMEMBERED, 12.5, {"pad": "zero"}), (CLASSES[0], 10, {"pad": "repeat"})],
)
def test_answers_are_the_lines_of_a_folder_run(
    server: Served, detector: Detector, folder: Path, machine: str, hop_s: float, fit: dict[str, Any]
) -> None:
    statuses = set()
    for path in sorted(folder.iterdir()):
        run = detector.score_candidates([Candidate(str(path))], lambda _: machine, Fit(**fit), hop_s=hop_s)
        lines = [as_json(record, path.name) for record in run]
        reply = server.post(path.read_bytes(), machine=machine, name=path.name, hop_s=hop_s, **fit)
        scored = [line for line in lines if line["score"] is not None]
        assert reply.code == (200 if scored else 422), path.name
        if scored:
            *windows, file_max, file_mean, file_q95 = lines
            assert reply.json["windows"] == windows
            assert [reply.json[each["scope"]] for each in (file_max, file_mean, file_q95)] == lines[-3:]
            assert reply.json["n_windows"] == len(windows)
            assert reply.json["n_flagged"] == sum(window["is_anomaly"] is True for window in windows)
        else:
            assert {name: reply.json[name] for name in lines[0]} == lines[0]
        statuses |= {line["status"] for line in lines}
    assert {"ok", "silent", "corrupt"} <= statuses


def test_flagged_windows_are_explained_where_asked_for(
    server: Served, detector: Detector, folder: Path
) -> None:
    path = folder / "long.flac"
    told = server.post(path.read_bytes(), machine=REMEMBERED, hop_s=5, explain="true").json
    assert told["n_flagged"] >= 2
    assert 0 < told["false_alarm_rate"] < 1
    for window in told["windows"]:
        found = explain_file(detector, str(path), REMEMBERED, Fit(), window["start_s"])
        assert window["explanation"] == (found.sentence if window["is_anomaly"] else None)
    assert told["note"] == (
        "1 recording ends with a part shorter than 10 s, left out (2.5 s); pad=repeat or zero scores it, "
        "filled up"
    )


def test_more_windows_than_may_be_are_refused_by_the_header_alone(server: Served, folder: Path) -> None:
    content = (folder / "long.w64").read_bytes()
    reply = server.post(content, machine=REMEMBERED, hop_s=0.01)
    assert (reply.code, reply.json["status"]) == (413, "too_large")
    assert reply.json["reason"] == (
        "the recording lasts 27.5 s and has 1751 windows; a request may have 8, and 80 s of sound "
        "(--max-windows): send it in parts, or with a larger hop_s"
    )
    hours = (
        12 * 60 * 16_000
    )  # of nothing, which FLAC makes small: few windows, and a lot to read between them
    soundfile.write(folder.parent / "hours.flac", np.zeros(hours, np.int16), 16_000)
    reply = server.post((folder.parent / "hours.flac").read_bytes(), machine=REMEMBERED, hop_s=600)
    assert reply.code == 413
    assert "lasts 720 s and has 2 windows; a request may have 8, and 80 s" in reply.json["reason"]
    assert reply.json["reason"].endswith("send it in parts")


@pytest.mark.parametrize("hop_s", ["0", "nan", "-1", "1e9", "ten"])
def test_a_hop_that_is_none_is_refused(server: Served, hop_s: str) -> None:
    reply = server.post(b"no sound", machine=REMEMBERED, hop_s=hop_s)
    assert (reply.code, reply.json["status"]) == (400, "wrong_request")
    assert f"hop_s is {hop_s}" in reply.json["reason"]


@pytest.mark.parametrize("pad", [None, "zero"])
@pytest.mark.parametrize("hop_s", [0.7, 5, 10, 12.5, 27.5, 40])
def test_windows_are_counted_as_they_are_cut(folder: Path, hop_s: float, pad: Any) -> None:
    for name in ("long.flac", "clip.wav"):
        with open_windows(folder / name, hop_s, Fit(pad=pad)) as windows:
            n_windows = windows.n_windows
            assert n_windows == len(list(windows))


class Held(Detector):
    """A detector that waits for leave behind each window."""

    def __init__(self, model: Path) -> None:
        super().__init__(model, ComputeOptions("cpu", threads=1))
        self.gate, self.n_given = threading.Event(), 0

    def __enter__(self) -> "Held":
        return self

    def score_candidates(self, *args: Any, **named: Any) -> Iterator[Record]:
        for record in super().score_candidates(*args, **named):
            self.n_given += 1
            self.gate.wait()
            yield record


def test_clips_do_not_wait_for_long_recordings_and_what_nobody_wants_is_left(folder: Path) -> None:
    content = (folder / "long.flac").read_bytes()
    head = (
        f"POST /v1/score?machine={REMEMBERED}&hop_s=5 HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: audio/flac\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    replies: list[Reply] = []
    with Held(folder / "model.onnx") as detector, served(detector) as server:
        with server.connect() as connection:
            connection.sendall(head.encode() + content)
            wait_until(lambda: detector.n_given == 1)
            another = threading.Thread(
                target=lambda: replies.append(server.post(content, machine=REMEMBERED, hop_s=5))
            )
            another.start()
            wait_until(lambda: server.metric("osscl_waiting") == 1)  # one long recording after the other
            assert server.post((folder / "clip.wav").read_bytes(), machine=REMEMBERED).code == 200
        gone = 'osscl_requests_total{code="499",route="/v1/score"}'
        wait_until(lambda: server.metric(gone) == 1)
        detector.gate.set()
        another.join()
    assert [reply.json["n_windows"] for reply in replies] == [4]
    assert detector.n_given == 1 + 4 + 3  # of the first no more than the window that it was at
