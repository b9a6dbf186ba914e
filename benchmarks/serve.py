"""`osscl serve` beside a folder run of the same files: answers compared one by one, throughput in turn.

Eight clients, processes that do little but send and receive, post the files over connections that they keep.
At the same time others send half a request, one byte a second, and more than is taken.

osscl synth clips --machines 4 --train 40 --normal 25 --anomalous 25
osscl enroll clips --output enrolled.onnx
python benchmarks/serve.py demo clips
python benchmarks/serve.py enrolled.onnx clips
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
from serving.trouble import trouble

import osscl
from osscl.audio.candidate import Candidate
from osscl.audio.reading import Fit
from osscl.machines.dcase import MachineFromPath

_N_CLIENTS = 8
_OVERSIZED = 1 << 20  # the server of this script takes no more
_CLIENT = Path(__file__).with_name("serving") / "client.py"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    files = sorted(options.folder.rglob("*.wav"))
    chosen = random.Random(options.seed)
    asked = [chosen.choice(files) for _ in range(options.requests)]
    with osscl.load(options.model, "cpu") as detector:
        machine_of = MachineFromPath(detector.machines)
        known = [path for path in asked if _is_known(machine_of, path)]
        local = {
            str(path): msgspec.to_builtins(record)
            for path, record in zip(known, detector.score_files(known), strict=True)
        }
        with _server(options.model) as (port, process):
            with trouble(port, detector.machines[0]):
                done = _ask_all(port, known, machine_of)
            _compare(local, done.answers)
            _measure(detector, port, process, known, machine_of, options.rounds, chosen)


def _is_known(machine_of: MachineFromPath, path: Path) -> bool:
    try:
        machine_of(path)
    except osscl.MachineError:
        return False
    return True


def _measure(
    detector: osscl.Detector,
    port: int,
    process: "subprocess.Popen[str]",
    files: list[Path],
    machine_of: MachineFromPath,
    rounds: int,
    chosen: random.Random,
) -> None:
    rates: dict[str, list[float]] = {"folder": [], "serve": []}
    n_clips = len(files) // rounds
    client_s = 0.0
    for number in range(rounds):
        part = files[number * n_clips : (number + 1) * n_clips]
        for what in chosen.sample(["folder", "serve"], 2):
            began = time.perf_counter()
            if what == "folder":
                for _ in detector.score_candidates(
                    (Candidate(str(path)) for path in part), machine_of, Fit()
                ):
                    pass
                rates[what].append(n_clips / (time.perf_counter() - began))
            else:
                done = _ask_all(port, part, machine_of)
                client_s += done.client_s
                rates[what].append(n_clips / done.wall_s)
    folder, serve = (statistics.median(rates[what]) for what in ("folder", "serve"))
    ratios = [
        serve_rate / folder_rate
        for folder_rate, serve_rate in zip(rates["folder"], rates["serve"], strict=True)
    ]
    print(f"clips/s, medians of {rounds} rounds of {n_clips}: folder run {folder:.1f}, served {serve:.1f}")
    print(
        f"ratio, median of rounds: {statistics.median(ratios):.3f} (from {min(ratios):.3f} to "
        f"{max(ratios):.3f})"
    )
    print(f"processor time of the clients: {1e3 * client_s / (rounds * n_clips):.3f} ms a request")


def _compare(local: dict[str, Any], answers: dict[str, list[dict[str, Any]]]) -> None:
    n, n_wrong = 0, 0
    for path, given in answers.items():
        for answer in given:
            n += 1
            same = all(answer.get(name) == value for name, value in local[path].items())
            n_wrong += not same
    print(f"{n} answers beside slow, half and oversized requests, {n_wrong} other than the folder run's")


@contextmanager
def _server(model: str) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    command = [sys.executable, "-c", "from osscl.cli import main; main()", "serve", model, "--port", "0"]
    command += ["--device", "cpu", "--max-bytes", str(_OVERSIZED), "--max-connections", "1000"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        try:
            yield int(line.partition("127.0.0.1:")[2].split()[0]), process
        finally:
            process.terminate()


class _Done:
    """What a round of the clients gave."""

    def __init__(self) -> None:
        self.answers: dict[str, list[dict[str, Any]]] = {}
        self.wall_s = self.client_s = 0.0


def _ask_all(port: int, files: list[Path], machine_of: MachineFromPath) -> _Done:
    """Let the clients ask: they read their files first, then begin together."""
    clients = []
    for number in range(_N_CLIENTS):
        client = subprocess.Popen(
            [sys.executable, "-S", str(_CLIENT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert client.stdin is not None
        orders = [
            (str(path), "/v1/score?" + urlencode({"machine": machine_of(path), "name": path}))
            for path in files[number::_N_CLIENTS]
        ]
        client.stdin.write(json.dumps([port, orders]) + "\n")
        client.stdin.flush()
        clients.append(client)
    for client in clients:
        assert client.stdout is not None
        client.stdout.readline()  # its files are read
    done = _Done()
    began = time.perf_counter()
    for client in clients:
        assert client.stdin is not None
        client.stdin.write("go\n")
        client.stdin.flush()
    told = [client.stdout.readline() for client in clients if client.stdout is not None]
    done.wall_s = time.perf_counter() - began
    for line, client in zip(told, clients, strict=True):
        client.communicate()
        answers, spent_s = json.loads(line)
        done.client_s += spent_s
        for path, answer in answers:
            done.answers.setdefault(path, []).append(json.loads(answer))
    return done


if __name__ == "__main__":
    main()
