"""osscl speaks to nobody, and writes nothing but what it was asked for: every command, watched."""

import os
import sys
from pathlib import Path

import pytest

from osscl.cli.program import COMMANDS
from osscl.enrolment import enroll
from osscl.synth import DatasetPlan, write_dataset
from support.journals import write_journal
from support.watched import Watched, needs_strace, run_watched

CONSOLE = [sys.executable, "-c", "from osscl.cli import main; main()"]
# a server is told to end once it listens
SERVER = [
    sys.executable,
    "-c",
    """
import os, signal, socket, threading
from osscl.cli import main
def listens(name):
    try:
        if not os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
            return False
        with socket.socket(fileno=os.dup(int(name))) as channel:
            return channel.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError:
        return False
def end():
    while not any(map(listens, os.listdir("/proc/self/fd"))):
        threading.Event().wait(0.02)
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=end, daemon=True).start()
main()
""",
]
LIBRARY = """
import osscl, pathlib
path = next(pathlib.Path("clips").rglob("*.wav"))
for backend in ("onnxruntime", "openvino"):
    with osscl.load("demo", device="cpu", backend=backend, threads=1) as detector:
        assert [record.status for record in detector.score_files([path])] == ["ok"]
"""
# One a line: what is run, in a folder that holds `clips`, `weights` and `out`, for all that it writes.
WATCHED = {
    "version": "--version",
    "help": "--help",
    "demo": "demo -o out/demo",
    "score": "score demo clips --device cpu -o out/scores.csv",
    "score by OpenVINO": "score demo clips --device cpu --backend openvino -o out/scores.jsonl",
    "journal": "journal scores.csv.journal --model demo -o out/table.csv",
    "calibrate": "calibrate demo clips --device cpu -o out/calibrated.onnx",
    "sensitivity": "sensitivity memories.onnx clips --coarse --store out/measured.onnx",
    "commission": "commission clips -o out/site",
    "watch": "watch demo clips --device cpu -o out/watch.csv --event out/events.jsonl --events all",
    "decide": "decide remembered.csv --model memories.onnx --false-alarm-rate 0.2 -o out/decided.csv",
    "explain": "explain demo clips/blower/test/normal_id_00_00000000.wav --device cpu",
    "enroll": "enroll clips -o out/memories.onnx",
    "report": "report scores.csv --model demo -o out/report.html",
    "evaluate": "evaluate demo clips --device cpu",
    "evaluate by rule": "evaluate demo clips --device cpu --rule all",
    "compare": "compare demo demo clips --device cpu",
    "embed": "embed demo clips --device cpu -o out/numbers.npz",
    "serve": "serve demo --port 0 --device cpu",
    "triton": "triton demo -o out/models",
    "bench": "bench demo --device cpu --clips 2 --seconds 0.02 --threads 1 -o out/bench.json",
    "train": "train clips --device cpu --epochs 1 --batch-size 2 --workers 1 --hold-out 0.25 -o out/run",
    "export": "export weights/random.pth -o out/model.onnx",
    "inspect": "inspect demo",
    "monitor": "monitor scores.csv --model demo -o out/monitor.json",
    "engine": "engine list",
    "data": "data dcase2023",
    "synth": "synth out/clips --machines 2 --train 2",
    "doctor": "doctor",
}
# A watch ends when it is asked to: here once it has told of something.
ASKED_TO_STOP = """
import os, pathlib, signal, threading, time
def ask():
    told = pathlib.Path("out/events.jsonl")
    while not (told.exists() and told.stat().st_size):
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=ask, daemon=True).start()
from osscl.cli import main
main()
"""
CODES = {"monitor": 3}  # the demonstration model is not calibrated


@pytest.fixture(scope="module", autouse=True)
def _strace() -> None:
    needs_strace()


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    plan = DatasetPlan(machines=2, train=6, normal=2, anomalous=2)
    for _ in write_dataset(folder, plan, overwrite=True):
        pass
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("home", "temporary", "cache", "out"):
        (tmp_path / name).mkdir()
    return tmp_path


def watch(command: list[str], folder: Path) -> Watched:
    """Run a command as a user would who has set nothing."""
    # nothing of this process: where a variable says that it is a CI job, runtimes keep silent by themselves
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "LD_LIBRARY_PATH")}
    environment |= {"HOME": str(folder / "home"), "TMPDIR": str(folder / "temporary")}
    environment |= {"OSSCL_CACHE_DIR": str(folder / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
    return run_watched(command, folder, environment)


def check(watched: Watched, folder: Path) -> None:
    assert watched.spoken_to == []
    assert watched.outside(folder / "out", folder / "cache") == []
    assert list((folder / "home").rglob("*")) == []


@pytest.mark.parametrize("what", WATCHED)
def test_a_command_speaks_to_nobody_and_leaves_its_output_alone(
    what: str, folder: Path, clips: Path, checkpoint: Path
) -> None:
    (folder / "clips").symlink_to(clips)
    write_journal(folder / "scores.csv.journal")
    (folder / "scores.csv").write_text("path,machine,status,score,rule\na.wav,blower/id_00,ok,1,network\n")
    (folder / "weights").symlink_to(checkpoint.parent)
    (folder / "remembered.csv").write_text("path,machine,status,score,rule\na.wav,blower/id_00,ok,9,memory\n")
    if what in ("sensitivity", "decide"):
        enroll(sorted(clips.glob("*/*")), folder / "memories.onnx")  # folders for testing count by name alone
    server = SERVER if what == "serve" else CONSOLE
    console = [sys.executable, "-c", ASKED_TO_STOP] if what == "watch" else server
    watched = watch([*console, *WATCHED[what].split()], folder)
    assert "Traceback" not in watched.done.stderr
    expected = CODES.get(what, 0)
    assert watched.done.returncode == expected or what == "doctor", watched.done.stderr
    check(watched, folder)


def test_the_library_speaks_to_nobody_and_leaves_nothing(folder: Path, clips: Path) -> None:
    (folder / "clips").symlink_to(clips)
    watched = watch([sys.executable, "-c", LIBRARY], folder)
    assert watched.done.returncode == 0, watched.done.stderr
    check(watched, folder)


def test_every_command_is_watched() -> None:
    assert {arguments.split()[0] for arguments in WATCHED.values()} >= set(COMMANDS)


def test_who_speaks_and_leaves_files_is_seen(folder: Path) -> None:
    code = (
        "import os, pathlib, socket, subprocess, sys\n"
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('127.0.0.1', 53))\n"
        "home, temporary = pathlib.Path(os.environ['HOME']), pathlib.Path(os.environ['TMPDIR'])\n"
        "(home / 'id').write_text('1')\n"
        "(temporary / 'gone').write_text('1'); (temporary / 'gone').unlink()\n"
        "(temporary / 'a').write_text('1'); (temporary / 'a').rename(temporary / 'b')\n"
        "subprocess.run([sys.executable, '-c', 'import os; os.mkdir(\"made by a child\")'], check=True)\n"
    )
    watched = watch([sys.executable, "-c", code], folder)
    assert len(watched.spoken_to) == 1
    assert 'sin_addr=inet_addr("127.0.0.1")' in watched.spoken_to[0]
    left = [folder / "home" / "id", folder / "made by a child", folder / "temporary" / "b"]
    assert watched.left == left
    assert watched.outside(folder / "home") == left[1:]
