"""Where Ray is asked for, and what is said where none answers."""

import socket
import subprocess
import sys
import threading

import pytest

from osscl.distributed.ray_cluster import _begin, chosen_address, connected
from osscl.distributed.ray_package import import_ray
from osscl.errors import ConfigError, DistributedError, MissingExtraError
from support.packages import hide


@pytest.mark.parametrize(
    "wrong", ["head", "ray://head:10001", "head:", ":6379", "head:sixty", "head:99999", ""]
)
def test_what_is_no_address_is_refused_in_a_sentence(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(ConfigError, match=r"--address is '.*'; expected "):
        chosen_address(wrong)


def test_rays_own_variable_is_heard_where_no_address_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    assert chosen_address(None) == "head:6379"
    assert chosen_address("[::1]:6379") == "[::1]:6379"
    monkeypatch.setenv("RAY_ADDRESS", "local")
    assert chosen_address(None) is None
    monkeypatch.setenv("RAY_ADDRESS", "head")
    with pytest.raises(ConfigError, match="RAY_ADDRESS is 'head'"):
        chosen_address(None)


def test_an_address_where_nothing_listens_is_told_before_ray_is_loaded() -> None:
    with socket.socket() as taken:  # bound, and not listening: nobody else gets it meanwhile
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        told = rf"no Ray answers at {address} \(.*\): start one there \("
        with pytest.raises(DistributedError, match=told), connected(address):
            pass


@pytest.mark.parametrize("says", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b""])
def test_an_address_where_something_else_listens_is_told(says: bytes) -> None:
    def answer(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(says)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=answer, args=(server,), daemon=True).start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(DistributedError, match=r"\(what listens there is no Ray\)"), connected(address):
            pass


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "ray", "ray.data")
    with pytest.raises(MissingExtraError, match=r'--runner ray needs the package ray, .*"osscl\[ray\]"'):
        import_ray(is_own=False)


def test_neither_osscl_nor_its_console_loads_an_engine() -> None:
    load = "import sys, osscl, osscl.distributed, osscl.cli.score; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", load], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "osscl" in loaded
    assert not {"ray", "pandas", "pyarrow", "pyspark"} & loaded


def test_a_ray_that_starts_too_slowly_is_told_in_a_sentence() -> None:
    """What Ray raises then is a bare Exception; no Ray can be made so slow by a test."""

    class Slow:
        def init(self, **_: object) -> None:
            raise Exception("The current node timed out during startup. This could happen because ...")

    told = r"^Ray cannot be started on this machine: The current node timed out during startup; try again"
    with pytest.raises(DistributedError, match=told):
        _begin(Slow(), None)
