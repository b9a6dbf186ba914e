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
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def _serve(ready: Connection, contents: list[tuple[str, str]], n_keys: int) -> None:
    from moto.s3.models import s3_backends
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    backend = s3_backends["123456789012"]["aws"]
    backend.create_bucket("clips", "us-east-1")
    for key, path in contents:
        backend.put_object("clips", key, Path(path).read_bytes())
    for number in range(n_keys):
        backend.put_object("clips", f"day/{number:06}.wav", b"")
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    ready.send(server.get_host_and_port())
    ready.recv()


@contextmanager
def moto(contents: list[tuple[str, str]], n_keys: int = 0) -> Iterator[int]:
    """Run moto's server in a process of its own, and point boto at it; gives the process's number."""
    ours, its = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(its, contents, n_keys))
    process.start()
    host, port = ours.recv()
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    yield process.pid or 0
    ours.send("end")
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
    with moto([(path.relative_to(folder).as_posix(), str(path)) for path in paths]) as server:
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


def list_keys(n_keys: int) -> None:
    """List a bucket of so many keys, and say what that takes."""
    from osscl.runs.folder import find_recordings

    with moto([], n_keys) as server:
        next(find_recordings(["s3://clips/day"]))  # what is loaded and connected once
        before = resource.getrusage(resource.RUSAGE_SELF)
        began, serving = time.perf_counter(), cpu_s(server)
        n_found = sum(1 for _ in find_recordings(["s3://clips/day"]))
        after = resource.getrusage(resource.RUSAGE_SELF)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(
            f"{n_found:,} keys: {time.perf_counter() - began:.1f} s, CPU {cpu:.1f} s (server "
            f"{cpu_s(server) - serving:.1f} s); memory grew by "
            f"{(after.ru_maxrss - before.ru_maxrss) / 1024:.1f} MiB"
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
