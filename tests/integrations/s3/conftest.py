"""A real server of S3's interface on this machine, and a way to it that drops one request in ten."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

pytest.importorskip("s3fs", reason='s3fs is not installed: pip install "osscl[s3]"')
moto = pytest.importorskip(
    "moto.server", reason='moto\'s server is not installed: pip install "moto[server]"'
)


@pytest.fixture(scope="session")
def server() -> Iterator[tuple[str, int]]:
    """Host and port of moto's server."""
    running = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    yield running.get_host_and_port()
    running.stop()


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch, server: tuple[str, int], tmp_path: Path) -> Iterator[None]:
    """Where credentials and the store's address are looked for: the environment, and nobody's home."""
    from osscl.storage import attempts, opening

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server[1]}")
    monkeypatch.setattr(attempts, "SHORTEST_WAIT_S", 0.0)
    monkeypatch.setattr(attempts, "LONGEST_WAIT_S", 0.01)
    forget_stores()
    yield
    forget_stores()
    assert not opening._systems


def forget_stores() -> None:
    """Let the next request look at the surroundings anew."""
    import s3fs

    from osscl.storage import opening

    opening._systems.clear()
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def bucket(server: tuple[str, int]) -> Any:
    """A new bucket, by boto's own client, which knows nothing of osscl."""
    from botocore.session import get_session

    client = get_session().create_client("s3", endpoint_url=f"http://127.0.0.1:{server[1]}")
    name = f"b{uuid4().hex}"
    client.create_bucket(Bucket=name)

    class Bucket:
        """What tests do with it."""

        url = f"s3://{name}"

        def put(self, key: str, content: bytes) -> None:
            client.put_object(Bucket=name, Key=key, Body=content)

        def get(self, key: str) -> bytes:
            content: bytes = client.get_object(Bucket=name, Key=key)["Body"].read()
            return content

        def delete(self, key: str) -> None:
            client.delete_object(Bucket=name, Key=key)

        def listed(self) -> list[str]:
            return [each["Key"] for each in client.list_objects_v2(Bucket=name).get("Contents", [])]

    return Bucket()
