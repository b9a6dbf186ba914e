"""Recordings from S3 on loopback against files, in turns, with the CPU of both sides; 100,000 keys listed.

``python benchmarks/object_stores.py score FOLDER`` and ``python benchmarks/object_stores.py list``; needs
``pip install "osscl[s3]" "moto[server]"``.
"""

import argparse
import logging
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

_PAGE = 1000
_TICKS = os.sysconf("SC_CLK_TCK")


def _serve_moto(ready: Connection, contents: list[tuple[str, str]]) -> None:
    from moto.s3.models import s3_backends
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    backend = s3_backends["123456789012"]["aws"]
    backend.create_bucket("clips", "us-east-1")
    for key, path in contents:
        backend.put_object("clips", key, Path(path).read_bytes())
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    ready.send(server.get_host_and_port())
    threading.Event().wait()


@contextmanager
def running(serve: Callable[..., None], *given: Any) -> Iterator[int]:
    """Run a server in a process of its own, and point boto at it; gives the process's number."""
    ours, its = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(its, *given))
    process.start()
    host, port = ours.recv()
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    try:
        yield process.pid or 0
    finally:
        process.terminate()
        process.join()


def cpu_s(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def score(place: str) -> tuple[float, float]:
    """Score a place by ``osscl score``; wall seconds, and those of CPU."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    # the program beside this Python
    subprocess.run(
        [Path(sys.executable).with_name("osscl"), "score", "demo", place], check=True, capture_output=True
    )
    wall_s = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(folder: Path, n_pairs: int) -> None:
    """Score a folder and its copy in a bucket, in turns."""
    paths = sorted(folder.rglob("*.wav"))
    ratios, rows = [], []
    contents = [(path.relative_to(folder).as_posix(), str(path)) for path in paths]
    with running(_serve_moto, contents) as server:
        for number in range(n_pairs):
            turns = [str(folder), "s3://clips"]
            took = {}
            for place in turns if number % 2 else turns[::-1]:
                before = cpu_s(server)
                took[place] = (*score(place), cpu_s(server) - before)
            local, stored = took[turns[0]], took[turns[1]]
            ratios.append(local[0] / stored[0])
            rows.append((local[1], stored[1], stored[2]))
            print(
                f"pair {number + 1}: files {len(paths) / local[0]:.1f} clips/s (CPU {local[1]:.1f} s), S3 "
                f"{len(paths) / stored[0]:.1f} clips/s (CPU {stored[1]:.1f} s, server {stored[2]:.1f} s), "
                f"ratio {ratios[-1]:.2f}",
                flush=True,
            )
    files, client, serving = (statistics.median(column) for column in zip(*rows, strict=True))
    print(f"{len(paths)} clips, median of {n_pairs} pairs: throughput ratio {statistics.median(ratios):.2f}")
    print(
        f"CPU: files {files:.1f} s; S3 {client:.1f} s and the server {serving:.1f} s; "
        f"files / S3 without the server: {files / client:.2f}"
    )


def _serve_keys(ready: Connection, n_keys: int) -> None:
    """Answer what S3 answers to ListObjectsV2: moto sorts all keys for each page."""
    pages = [
        "".join(
            f"<Contents><Key>day/{number:06}.wav</Key><LastModified>2026-11-26T00:00:00.000Z</LastModified>"
            f"<ETag>&quot;{number:032x}&quot;</ETag><Size>320044</Size><StorageClass>STANDARD</StorageClass></Contents>"
            for number in range(first, min(first + _PAGE, n_keys))
        )
        for first in range(0, n_keys, _PAGE)
    ]

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(404, b"")

        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)
            number = int(asked.get("continuation-token", ["0"])[0])
            more = (
                f"<NextContinuationToken>{number + 1}</NextContinuationToken>"
                if number + 1 < len(pages)
                else ""
            )
            told = f"<IsTruncated>{'true' if more else 'false'}</IsTruncated>{more}{pages[number]}"
            self._answer(200, f"<ListBucketResult><Name>keys</Name>{told}</ListBucketResult>".encode())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        ready.send(server.server_address[:2])
        server.serve_forever()


def list_keys(n_keys: int) -> None:
    """List a bucket of so many keys, and say what that takes."""
    from osscl.runs.folder import find_recordings

    with running(_serve_keys, n_keys) as server:
        next(find_recordings(["s3://keys/day"]))  # what is loaded and connected once
        before = resource.getrusage(resource.RUSAGE_SELF)
        began, serving = time.perf_counter(), cpu_s(server)
        n_found = sum(1 for _ in find_recordings(["s3://keys/day"]))
        took_s = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_SELF)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(
            f"{n_found:,} keys: {took_s:.1f} s, CPU {cpu:.1f} s (server {cpu_s(server) - serving:.1f} s); "
            f"memory grew by {(after.ru_maxrss - before.ru_maxrss) / 1024:.1f} MiB"
        )


def main() -> None:
    """Measure one of both."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    scoring = commands.add_parser("score")
    scoring.add_argument("folder", type=Path)
    scoring.add_argument("--pairs", type=int, default=5)
    listing = commands.add_parser("list")
    listing.add_argument("--keys", type=int, default=100_000)
    asked = parser.parse_args()
    if asked.command == "score":
        compare(asked.folder, asked.pairs)
    else:
        list_keys(asked.keys)


if __name__ == "__main__":
    main()
