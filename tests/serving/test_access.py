"""Who may ask: whoever has the token; without one, programs of this machine, by its own name."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import osscl
from osscl.detector import Detector
from osscl.errors import ConfigError, InputError
from osscl.serving.access import OPEN_PATHS, check_reachable, find_token, is_loopback, is_open_to_all
from osscl.serving.server import listen_at
from support.model_files import CLASSES
from support.remembering import write_model
from support.served import WAV, served

TOKEN = "correct-horse-battery"


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Detector]:
    with osscl.load(
        write_model(tmp_path_factory.mktemp("access") / "model.onnx"), "cpu", threads=1
    ) as detector:
        yield detector


def test_a_token_is_asked_for_wherever_recordings_or_models_are_spoken_of(detector: Detector) -> None:
    with served(detector, token=TOKEN) as server:
        paths = [*server.ask("GET", "/openapi.json").json["paths"], "/", "/nothing"]
        for path in paths:
            for given in (
                {},
                {"Authorization": "Bearer correct-horse-batterz"},
                {"Authorization": f"Basic {TOKEN}"},
            ):
                reply = server.ask("GET", path, headers=given)
                assert (reply.code == 401) == (path not in OPEN_PATHS), path
                assert reply.code != 401 or reply.headers["www-authenticate"] == "Bearer"
        asked = server.post(b"", headers=WAV, machine=CLASSES[0])
        assert (asked.code, asked.json["status"]) == (401, "unauthorized")
        assert "carries no token" in asked.json["reason"]
        own = {"Authorization": f"Bearer {TOKEN}"}
        assert server.ask("GET", "/v1/model", headers=own).code == 200
        assert server.post(b"no sound", headers=WAV | own, machine=CLASSES[0]).code == 422


def test_without_a_token_a_page_of_the_web_cannot_ask_by_a_name_of_its_own(detector: Detector) -> None:
    with served(detector) as server:
        for host in ("evil.example", "127.0.0.1.evil.example:80", "10.0.0.7"):
            reply = server.ask("GET", "/v1/model", headers={"Host": host})
            assert (reply.code, reply.json["status"]) == (400, "wrong_host")
        assert "names no host" in server.ask("GET", "/v1/model", headers={"Host": ""}).json["reason"]
        for host in ("localhost", "LOCALHOST:8080", "127.0.0.1:9", "[::1]:8080"):
            assert server.ask("GET", "/v1/model", headers={"Host": host}).code == 200


def test_a_token_comes_from_a_file_or_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OSSCL_SERVE_TOKEN", raising=False)
    assert find_token(None) is None
    monkeypatch.setenv("OSSCL_SERVE_TOKEN", TOKEN)
    assert find_token(None) == TOKEN
    (tmp_path / "token").write_text(f"{TOKEN}2\n")
    assert find_token(tmp_path / "token") == f"{TOKEN}2"
    (tmp_path / "token").chmod(0o644)
    assert is_open_to_all(tmp_path / "token")
    (tmp_path / "token").chmod(0o640)
    assert not is_open_to_all(tmp_path / "token")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "of 0 characters"),
        (b"short", "of 5 characters"),
        (b"x" * 600, "of 600"),
        (b"k\xc3\xb6nig" * 9, "ASCII"),
    ],
)
def test_a_token_that_is_none_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(ConfigError, match=reason):
        find_token(tmp_path / "token")
    with pytest.raises(InputError, match="there is no token "):
        find_token(tmp_path / "missing")


def test_what_others_can_reach_needs_a_token() -> None:
    for host in ("127.0.0.1", "127.3.2.1", "localhost", "::1"):
        assert is_loopback(host)
        check_reachable(host, None)
    for host in ("0.0.0.0", "::", "10.0.0.7", "myhost", ""):
        with pytest.raises(
            ConfigError, match="needs a token: give --token-file FILE, or set OSSCL_SERVE_TOKEN"
        ):
            check_reachable(host, None)
        check_reachable(host, TOKEN)


def test_a_port_that_is_taken_is_told() -> None:
    with listen_at("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        taken.listen()
        with pytest.raises(ConfigError, match=f"port {port} of 127.0.0.1 is taken by another program"):
            listen_at("127.0.0.1", port)
    with pytest.raises(ConfigError, match="no address of this machine"):
        listen_at("no such host.invalid", 0)
    with pytest.raises(ConfigError, match=r"port 0 of 192\.0\.2\.1 cannot be used: Cannot assign"):
        listen_at("192.0.2.1", 0)


def test_nobody_else_hears_of_requests(detector: Detector, monkeypatch: pytest.MonkeyPatch) -> None:
    """FastAPI would tell OpenTelemetry of each where an environment has that."""
    trace = pytest.importorskip("opentelemetry.trace", reason="this FastAPI knows no OpenTelemetry")
    asked = []

    class Provider(trace.TracerProvider):  # type: ignore[misc, name-defined]
        def get_tracer(self, *names: object, **more: object) -> object:
            asked.append(names)
            return trace.NoOpTracer()

    monkeypatch.setattr(trace, "get_tracer_provider", Provider)
    with served(detector) as server:
        assert server.ask("GET", "/health").code == 200
    assert asked == []
