"""What comes back for a recording: what a folder run says of the same file, to the last bit."""

import io
import json
import sys
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
from osscl.detector import Detector
from osscl.runs.explaining import explain_file
from osscl.support.two_spellings import in_query
from support.model_files import CLASSES
from support.remembering import (
    faulty_clips,
    memories_by_domain,
    normal_clips,
    stored_memory,
    write_clips,
    write_model,
)
from support.served import WAV, Served, served

REMEMBERED = "press/id_09"
RAW = {"Content-Type": "application/octet-stream"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings of all kinds, and a model that knows a machine by its network and one by its memory."""
    folder = tmp_path_factory.mktemp("served")
    write_clips(folder, "normal_", normal_clips(5, 3))
    write_clips(folder, "faulty_", faulty_clips(6, 3))
    [clip] = normal_clips(7, 1)
    soundfile.write(folder / "20261103_142000.flac", clip, 16_000)
    soundfile.write(folder / "float.wav", clip / 32768, 16_000, subtype="FLOAT")
    soundfile.write(folder / "silent.wav", np.zeros(160_000, np.int16), 16_000)
    soundfile.write(folder / "short.wav", clip[:80_000], 16_000)
    soundfile.write(folder / "stereo.wav", np.stack([clip, clip[::-1]], axis=1), 16_000)
    soundfile.write(folder / "fast.wav", np.tile(clip, 3), 44_100)
    soundfile.write(folder / "long.wav", np.tile(clip, 2), 16_000)
    (folder / "cut.wav").write_bytes((folder / "float.wav").read_bytes()[:300_000])
    (folder / "empty.wav").touch()
    (folder / "text.wav").write_text("no sound")
    write_model(folder / "model.onnx", [stored_memory(REMEMBERED, normal_clips(1, 24))])
    return folder


@pytest.fixture(scope="module")
def detector(folder: Path) -> Iterator[Detector]:
    with osscl.load(folder / "model.onnx", "cpu", threads=2) as detector:
        yield detector


@pytest.fixture(scope="module")
def server(detector: Detector) -> Iterator[Served]:
    with served(detector) as server:
        yield server


def local(detector: Detector, path: Path, machine: str, **fit: Any) -> dict[str, Any]:
    """What a folder run says of a file, but for its place, and with settings as a query has them."""
    [record] = detector.score_candidates([Candidate(str(path))], lambda _: machine, Fit(**fit))
    built: dict[str, Any] = json.loads(msgspec.json.encode(record)) | {"path": path.name}
    return built | {"reason": None if record.reason is None else in_query(record.reason)}


def without_more(answer: dict[str, Any]) -> dict[str, Any]:
    """The columns of a result table in an answer."""
    return {name: value for name, value in answer.items() if name not in ("id", "false_alarm_rate", "note")}


@pytest.mark.parametrize("machine", [CLASSES[0], REMEMBERED])
@pytest.mark.parametrize(
    "fit", [{}, {"channel": 0, "pad": "repeat"}, {"resample": True, "channel": "mean", "pad": "zero"}]
)
def test_answers_are_those_of_a_folder_run(
    server: Served, detector: Detector, folder: Path, machine: str, fit: dict[str, Any]
) -> None:
    statuses = set()
    for path in sorted(folder.iterdir()):
        expected = local(detector, path, machine, **fit)
        reply = server.post(path.read_bytes(), machine=machine, name=path.name, **fit)
        assert without_more(reply.json) == expected, path.name
        assert reply.code == (200 if expected["score"] is not None else 422)
        statuses.add(expected["status"])
    assert {"ok", "silent", "corrupt"} <= statuses


def test_the_name_of_a_recording_tells_which_domains_memory_judges_it(folder: Path, tmp_path: Path) -> None:
    write_model(tmp_path / "moved.onnx", memories_by_domain(REMEMBERED), network=False)
    scores = {}
    with osscl.load(tmp_path / "moved.onnx", "cpu", threads=1) as moved, served(moved) as server:
        for name in ("a_source_0.wav", "a_target_0.wav", "a_0.wav"):
            path = tmp_path / name
            path.write_bytes((folder / "normal_00000000.wav").read_bytes())
            answer = server.post(path.read_bytes(), machine=REMEMBERED, name=name).json
            assert without_more(answer) == local(moved, path, REMEMBERED)
            scores[name] = answer["score"]
    assert scores["a_source_0.wav"] == scores["a_0.wav"] < scores["a_target_0.wav"]  # the nearer one judges


def test_many_clients_at_once_get_their_own_answers(server: Served, detector: Detector, folder: Path) -> None:
    paths = sorted(folder.glob("*_0*.wav"))
    asked = [(path, machine) for machine in (CLASSES[0], CLASSES[1], REMEMBERED) for path in paths]
    expected = {each: local(detector, *each) for each in asked}
    got: list[tuple[tuple[Path, str], dict[str, Any]]] = []

    def ask(number: int) -> None:
        for at in range(len(asked)):
            path, machine = each = asked[(at + number) % len(asked)]
            # all of one name: nothing but the order of a batch tells them apart
            reply = server.post(path.read_bytes(), machine=machine, name="one name")
            got.append((each, reply.json))

    clients = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert len(got) == 8 * len(asked)
    for each, answer in got:
        assert without_more(answer) == expected[each] | {"path": "one name"}


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_samples_are_scored_as_the_same_file(
    server: Served, detector: Detector, folder: Path, dtype: str
) -> None:
    path = folder / ("faulty_00000000.wav" if dtype == "int16" else "float.wav")
    samples = soundfile.read(path, dtype=dtype)[0]
    expected = local(detector, path, REMEMBERED)
    words = {"machine": REMEMBERED, "name": path.name}
    raw = server.post(samples.tobytes(), headers=RAW, dtype=dtype, sample_rate_hz=16_000, **words)
    assert without_more(raw.json) == expected
    numbers = json.dumps({"samples": samples.tolist(), "dtype": dtype, "sample_rate_hz": 16_000})
    as_json = server.post(numbers.encode(), headers=JSON, **words)
    assert without_more(as_json.json) == expected


def test_a_flagged_recording_is_explained_where_asked_for(
    server: Served, detector: Detector, folder: Path
) -> None:
    flagged, normal = folder / "faulty_00000000.wav", folder / "normal_00000001.wav"
    found = explain_file(detector, str(flagged), REMEMBERED, Fit())
    answer = server.post(flagged.read_bytes(), machine=REMEMBERED, explain="true").json
    assert answer["is_anomaly"] is True
    assert answer["explanation"] == found.sentence
    assert answer["score"] >= answer["threshold"]
    assert 0 < answer["false_alarm_rate"] < 1
    assert server.post(flagged.read_bytes(), machine=REMEMBERED).json["explanation"] is None
    assert server.post(normal.read_bytes(), machine=REMEMBERED, explain="true").json["explanation"] is None


def test_everything_that_is_heard_comes_from_a_route_of_its_own(
    server: Served, detector: Detector, folder: Path
) -> None:
    for name in ("faulty_00000000.wav", "normal_00000001.wav"):
        found = explain_file(detector, str(folder / name), REMEMBERED, Fit())
        reply = server.post((folder / name).read_bytes(), "explain", machine=REMEMBERED)
        assert reply.code == 200
        assert reply.json["findings"] == json.loads(msgspec.json.encode(found.findings))
        assert reply.json["explanation"] == found.sentence
    silent = server.post((folder / "silent.wav").read_bytes(), "explain", machine=REMEMBERED)
    assert (silent.code, silent.json["status"]) == (422, "not_explained")
    assert "no sound to explain" in silent.json["reason"]


def test_why_nothing_is_decided_is_said(server: Served, folder: Path) -> None:
    answer = server.post((folder / "normal_00000000.wav").read_bytes(), machine=CLASSES[0]).json
    assert (answer["reason"], answer["is_anomaly"]) == (None, None)
    assert answer["note"].startswith("no decision: it is not calibrated")
    long = server.post((folder / "long.wav").read_bytes(), machine=CLASSES[0]).json
    assert "its first 10 s were scored" in long["note"]
    assert "; no decision: it is not calibrated" in long["note"]
    windows = server.post((folder / "long.wav").read_bytes(), machine=CLASSES[0], hop_s=10).json
    assert windows["note"].startswith("no decision: it is not calibrated")


def test_reasons_are_in_the_words_of_a_query(server: Served, folder: Path) -> None:
    reasons = {}
    for name in ("stereo.wav", "short.wav", "fast.wav"):
        reply = server.post((folder / name).read_bytes(), machine=REMEMBERED)
        reasons[name] = reply.json["reason"]
        assert reply.code == 422
        assert "--" not in reply.json["reason"]
    assert "channel=mean" in reasons["stereo.wav"]
    assert "pad=repeat or zero" in reasons["short.wav"]
    assert "resample=true" in reasons["fast.wav"]


def test_a_package_that_the_server_lacks_is_its_own_fault(
    server: Served, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "soxr", None)
    reply = server.post((folder / "fast.wav").read_bytes(), machine=REMEMBERED, resample="true")
    assert (reply.code, reply.json["status"]) == (501, "not_installed")
    assert reply.json["reason"].startswith("on the server, resampling needs the package soxr")


def test_what_lies_behind_the_clip_is_said(server: Served, folder: Path) -> None:
    long = server.post((folder / "long.wav").read_bytes(), machine=REMEMBERED).json
    assert long["note"] == (
        "the recording lasts 20 s, and its first 10 s were scored; hop_s=10 scores all of it, window by "
        "window"
    )
    assert server.post((folder / "float.wav").read_bytes(), machine=REMEMBERED).json["note"] is None


def test_the_beginning_is_told_by_the_name_and_by_the_file_itself(server: Served, folder: Path) -> None:
    content = (folder / "float.wav").read_bytes()
    named = server.post(content, machine=REMEMBERED, name="a/20261103_142000.wav").json
    assert named["recorded_at"] == "2026-11-03T14:20:00"
    origination = (
        b"bext" + (602).to_bytes(4, "little") + (bytes(320) + b"2026-11-0406:30:00").ljust(602, b"\0")
    )
    with_bext = content[:12] + origination + content[12:]
    with_bext = with_bext[:4] + (len(with_bext) - 8).to_bytes(4, "little") + with_bext[8:]
    assert server.post(with_bext, machine=REMEMBERED).json["recorded_at"] == "2026-11-04T06:30:00"


def test_no_file_of_the_server_is_read(server: Served, folder: Path) -> None:
    path = str(folder / "faulty_00000000.wav")
    reply = server.post(b"no sound", machine=REMEMBERED, name=path)
    assert (reply.json["status"], reply.json["path"]) == ("corrupt", path)


WRONG: dict[str, tuple[dict[str, str], dict[str, Any], int, str]] = {
    "no machine": (WAV, {}, 400, "machine is missing"),
    "unknown machine": (WAV, {"machine": "press/id_10"}, 404, "machine press/id_10 is not known"),
    "unknown word": (WAV, {"machine": REMEMBERED, "explian": 1}, 400, "explian is not known; known are"),
    "wrong word": (WAV, {"machine": REMEMBERED, "pad": "loop"}, 400, "pad is loop"),
    "wrong channel": (WAV, {"machine": REMEMBERED, "channel": "left"}, 400, "channel is left"),
    "no type": ({}, {"machine": REMEMBERED}, 415, "the content type is not given"),
    "form": ({"Content-Type": "multipart/form-data"}, {"machine": REMEMBERED}, 415, "--data-binary @FILE"),
    "encoded": (WAV | {"Content-Encoding": "gzip"}, {"machine": REMEMBERED}, 415, "encoded as gzip"),
    "raw of unknown kind": (RAW, {"machine": REMEMBERED}, 400, "say dtype="),
    "file with a dtype": (WAV, {"machine": REMEMBERED, "dtype": "int16"}, 400, "speak of raw samples"),
    "half a sample": (
        RAW,
        {"machine": REMEMBERED, "dtype": "int16", "sample_rate_hz": 16_000},
        422,
        "9 bytes, no whole number of int16",
    ),
    "no JSON": (JSON, {"machine": REMEMBERED}, 400, "the body is no JSON"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_request_is_told_in_a_sentence(server: Served, what: str) -> None:
    headers, words, code, reason = WRONG[what]
    reply = server.post(b"no sound!", headers=headers, **words)
    assert reply.code == code
    assert reason in reply.json["reason"]
    assert reply.json["id"] == reply.headers["x-request-id"]


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ({"samples": [1, 2.5], "dtype": "int16", "sample_rate_hz": 16_000}, "sample 1 is 2.5"),
        ({"samples": [40_000], "dtype": "int16", "sample_rate_hz": 16_000}, "sample 0 is 40000"),
        ({"samples": [1e300] * 80_000, "dtype": "float32", "sample_rate_hz": 16_000}, "NaN or infinity"),
        ({"samples": [3e4] * 80_000, "dtype": "float32", "sample_rate_hz": 16_000}, "divide integers"),
        ({"samples": [], "dtype": "float32", "sample_rate_hz": 16_000}, "no samples"),
        ({"samples": [0.5], "dtype": "float32", "sample_rate_hz": 0}, "sample_rate_hz"),
        ({"samples": [0.5], "dtype": "int32", "sample_rate_hz": 16_000}, "dtype"),
        (
            {"samples": ["a"], "dtype": "int16", "sample_rate_hz": 16_000},
            ": samples[0]: expected float, got str",
        ),
        ({"samples": [1], "dtype": "int16"}, "sample_rate_hz"),
        ({"samples": [1], "dtype": "int16", "sample_rate_hz": 16_000, "machine": "x"}, "machine"),
    ],
)
def test_wrong_samples_are_told_in_a_sentence(server: Served, sent: dict[str, Any], reason: str) -> None:
    reply = server.post(json.dumps(sent).encode(), headers=JSON, machine=REMEMBERED, pad="zero")
    assert reply.code == 422
    assert reason in reply.json["reason"]


def test_other_addresses_and_methods_are_told(server: Served) -> None:
    assert server.ask("GET", "/v1/scores").json["reason"].startswith("nothing is at /v1/scores")
    wrong = server.ask("GET", "/v1/score")
    assert (wrong.code, wrong.headers["allow"]) == (405, "POST")
    assert wrong.json["reason"].startswith("GET is not answered at /v1/score")


def test_a_request_keeps_the_id_that_it_brings(server: Served, folder: Path) -> None:
    content = (folder / "float.wav").read_bytes()
    given = server.post(content, headers=WAV | {"X-Request-ID": "shift-7.clip_3"}, machine=REMEMBERED)
    assert given.json["id"] == given.headers["x-request-id"] == "shift-7.clip_3"
    strange = server.post(content, headers=WAV | {"X-Request-ID": "a b<"}, machine=REMEMBERED)
    assert strange.json["id"] != "a b<"
    assert strange.code == 400
    assert strange.json["reason"].startswith("X-Request-ID is 'a b<'; expected 1 to 64 letters")


def test_a_word_that_comes_twice_is_refused(server: Served) -> None:
    for words in (f"machine=nobody&machine={REMEMBERED}", f"machine={REMEMBERED}&pad=zero&pad=zero"):
        reply = server.ask("POST", f"/v1/score?{words}", b"no sound", WAV)
        assert (reply.code, reply.json["status"]) == (400, "wrong_request")
        assert "more than once" in reply.json["reason"]


def test_a_page_is_asked_for_its_head(server: Served) -> None:
    for path in ("/", "/health", "/v1/machines"):
        head, whole = server.ask("HEAD", path), server.ask("GET", path)
        assert (head.code, head.body) == (200, b"")
        assert head.headers["content-length"] == str(len(whole.body))
    assert server.ask("HEAD", "/v1/score").code == 405


def test_an_address_with_a_line_too_many_is_told(server: Served) -> None:
    reply = server.ask("GET", "/v1/machines/")
    assert (reply.code, reply.json["status"]) == (404, "not_found")
    assert reply.json["id"] == reply.headers["x-request-id"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ({"channel": "-1"}, "channel is -1; expected a number from 0 on, or mean"),
        ({"explain": "maybe"}, "explain is maybe; expected true or false"),
        ({"pad": "loop"}, "pad is loop; expected 'repeat' or 'zero'"),
        ({"sample_rate_hz": "x"}, "sample_rate_hz is x; expected a whole number"),
        ({"sample_rate_hz": 0}, "sample_rate_hz is 0; expected 1 or more"),
        ({"hop_s": "x"}, "hop_s is x; expected a number"),
        ({"hop_s": "inf"}, "hop_s is inf; expected"),
        ({"name": "x" * 2000}, "expected at most 1024 characters"),
    ],
)
def test_wrong_words_are_told_in_words_of_the_house(
    server: Served, words: dict[str, Any], reason: str
) -> None:
    reply = server.post(b"", machine=REMEMBERED, **words)
    assert reply.code == 400
    assert reason in reply.json["reason"]
    assert "Input should" not in reply.json["reason"]


def test_facts_of_model_and_machines(server: Served, detector: Detector) -> None:
    model = server.ask("GET", "/v1/model").json
    assert model["model_sha256"] == detector.bundle.file_sha256
    assert model["clip_s"] == 10
    machines = {each["machine"]: each for each in server.ask("GET", "/v1/machines").json}
    assert tuple(machines) == detector.machines
    assert machines[REMEMBERED]["rule"] == "memory"
    assert machines[REMEMBERED]["undecided"] is None
    assert "not calibrated" in machines[CLASSES[0]]["undecided"]


def test_health_readiness_and_metrics(detector: Detector, folder: Path) -> None:
    with served(detector) as server:
        assert server.ask("GET", "/health").code == server.ask("GET", "/ready").code == 200
        server.post((folder / "faulty_00000000.wav").read_bytes(), machine=REMEMBERED)
        server.post((folder / "text.wav").read_bytes(), machine=REMEMBERED)
        server.ask("GET", "/somewhere/else")
        assert server.metric('osscl_recordings_total{status="ok"}') == 1
        assert server.metric('osscl_recordings_total{status="corrupt"}') == 1
        assert server.metric(f'osscl_anomalies_total{{machine="{REMEMBERED}"}}') == 1
        assert server.metric('osscl_requests_total{code="200",route="/v1/score"}') == 1
        assert server.metric('osscl_requests_total{code="404",route="other"}') == 1
        assert server.metric("osscl_body_bytes") == 0
        assert server.metric("osscl_waiting") == 0


def test_the_description_is_whole(server: Served, folder: Path) -> None:
    document = server.ask("GET", "/openapi.json").json
    assert {"/v1/score", "/v1/explain", "/v1/model", "/v1/machines", "/health", "/ready", "/metrics"} == set(
        document["paths"]
    )
    text = json.dumps(document)
    schemas = document["components"]["schemas"]
    named = {part.partition('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert named <= set(schemas)
    assert "HTTPValidationError" not in text  # FastAPI's own, which is never sent
    score = document["paths"]["/v1/score"]["post"]
    assert {str(code) for code in (200, 400, 401, 404, 408, 413, 415, 422, 500, 501, 503)} == set(
        score["responses"]
    )
    answer = server.post((folder / "float.wav").read_bytes(), machine=REMEMBERED).json
    examples = score["responses"]["200"]["content"]["application/json"]["examples"]
    assert set(answer) == set(examples["beginning"]["value"]) == set(schemas["Answer"]["properties"])
    in_windows = server.post((folder / "long.wav").read_bytes(), machine=REMEMBERED, hop_s=10).json
    example = examples["windows"]["value"]
    assert set(in_windows) == set(example) == set(schemas["WindowsAnswer"]["properties"])
    assert set(in_windows["windows"][0]) == set(example["windows"][0]) == set(example["file_max"])
    assert {each["name"] for each in score["parameters"]} == {
        "machine", "name", "resample", "channel", "pad", "dtype", "sample_rate_hz", "explain", "hop_s"
    }  # fmt: skip


def test_a_file_in_memory_is_read_as_the_same_file(detector: Detector, folder: Path) -> None:
    """The room below: content instead of a path, in a folder run too."""
    paths = sorted(folder.iterdir())
    in_memory = [Candidate(path.name, content=path.read_bytes()) for path in paths]
    records = detector.score_candidates(in_memory, lambda _: REMEMBERED, Fit())
    for record, path in zip(records, paths, strict=True):
        [of_file] = detector.score_candidates([Candidate(str(path))], lambda _: REMEMBERED, Fit())
        assert record == msgspec.structs.replace(of_file, path=path.name)


def test_samples_that_fill_no_file(server: Served) -> None:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros(0, np.int16), 16_000, format="WAV", subtype="PCM_16")
    reply = server.post(buffer.getvalue(), machine=REMEMBERED)
    assert (reply.code, reply.json["status"]) == (422, "corrupt")
