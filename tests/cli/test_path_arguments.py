"""Every path that a command takes, with every wrong thing at it: one sentence, the right exit code, no hang.

A parameter that is a path needs a row in `ROWS`, or the first test fails; so does one that is a text and not
known to be none.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import soundfile

from osscl.model_file.golden import golden_clips
from support.console_parameters import parameters_of_type
from support.forked_console import Call, Ended, run_all
from support.journals import write_journal
from support.training_data import write_recordings

FAILS = (1, 2)
READ = ("missing", "closed file", "closed folder", "in a closed folder", "folder", "pipe", "loop", "device")
WRITE_FILE = (*READ, "dangling link", "link to a device")
WRITE_FOLDER = (
    "closed file",
    "closed folder",
    "in a closed folder",
    "file",
    "pipe",
    "loop",
    "device",
    "dangling link",
)


@dataclass(frozen=True)
class Row:
    """How a command comes to look at a path, and what it makes of it.

    Attributes
    ----------
    parameter : str
        Command and parameter.
    arguments : str
        Of the command: ``@`` is the path; RECORDINGS, RECORDING, TABLE, TRUTH, JOURNAL, CHECKPOINT are
        sound ones.
    kinds : sequence of str
        What is put there.
    suffix : str
        How the path ends.
    codes : mapping of str to tuple of int
        Exit codes where the kind is no reason to fail.
    """

    parameter: str
    arguments: str
    kinds: Sequence[str] = READ
    suffix: str = ""
    codes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


# a line a file and code 3: one of many that the shell has named must not stop the others
UNREADABLE = dict.fromkeys(
    ("closed file", "closed folder", "in a closed folder", "pipe", "loop", "device"), (3,)
)
NO_RECORDING = dict.fromkeys(("in a closed folder", "pipe", "loop", "device"), (3,))
NO_ENGINES = dict.fromkeys(("missing", "folder", "not UTF-8"), (0,))
ROWS = [
    Row("score model", "score @ RECORDINGS"),
    Row("score paths", "score demo @", codes=UNREADABLE),
    Row("score labels", "score demo RECORDINGS --labels @", suffix=".csv"),
    Row("doctor recordings", "doctor --recordings @", codes=NO_RECORDING),
    Row("doctor labels", "doctor --recordings RECORDINGS --labels @", suffix=".csv"),
    Row("score output", "score demo RECORDINGS -o @", WRITE_FILE, ".csv"),
    Row("score output", "score demo RECORDINGS -o @", WRITE_FILE, ".parquet"),
    Row("score output", "score demo RECORDINGS --runner ray -o @", WRITE_FILE, ".parquet"),
    Row("score run_record", "score demo RECORDINGS --run-record @", WRITE_FILE, ".json"),
    Row("score audacity", "score demo RECORDINGS -o new.csv --hop 10 --audacity @", WRITE_FOLDER),
    Row("score raven", "score demo RECORDINGS -o new.csv --hop 10 --raven @", WRITE_FOLDER),
    Row("watch model", "watch @ RECORDINGS -o new.csv"),
    Row("watch folder", "watch demo @ -o new.csv", [kind for kind in READ if kind != "folder"]),
    Row("watch labels", "watch demo RECORDINGS -o new.csv --labels @", suffix=".csv"),
    Row("watch output", "watch demo RECORDINGS -o @", WRITE_FILE, ".csv"),
    Row("watch output", "watch demo RECORDINGS -o @", WRITE_FILE, ".parquet"),
    Row("journal journal", "journal @"),
    Row("journal model", "journal JOURNAL -o new.csv --model @"),
    Row("journal output", "journal JOURNAL -o @", WRITE_FILE, ".csv"),
    Row("decide scores", "decide @ --model demo", suffix=".csv"),
    Row("decide scores", "decide @ --model demo", suffix=".jsonl"),
    Row("decide scores", "decide @ --model demo", suffix=".parquet"),
    Row("decide model", "decide TABLE --model @"),
    Row("decide output", "decide TABLE --model demo -o @", WRITE_FILE, ".csv"),
    Row("report scores", "report @ -o new.html", suffix=".csv"),
    Row("report scores", "report @ -o new.html", suffix=".jsonl"),
    Row("report model", "report TABLE -o new.html --model @"),
    Row("report audio_root", "report TABLE -o new.html --audio-root @", codes={"folder": (0,)}),
    Row("report ground_truth", "report TABLE -o new.html --ground-truth @", suffix=".csv"),
    Row("report output", "report TABLE -o @", WRITE_FILE, ".html"),
    Row("monitor scores", "monitor @ --model demo", suffix=".csv"),
    Row("monitor model", "monitor TABLE --model @"),
    Row("monitor audio_root", "monitor TABLE --model demo --audio-root @", codes={"folder": (3,)}),
    Row("monitor output", "monitor TABLE --model demo -o @", WRITE_FILE),
    Row("explain model", "explain @ RECORDING --machine fan/id_00"),
    Row("explain recording", "explain demo @ --machine blower/id_00", suffix=".wav"),
    Row("explain labels", "explain demo RECORDING --labels @", suffix=".csv"),
    Row("serve model", "serve @ --port 0"),
    Row("serve token_file", "serve demo --port 0 --token-file @"),
    Row("triton model", "triton @ -o new"),
    Row("triton plan", "triton demo -o new --plan @"),
    Row("triton plan", "triton demo -o new --plan @", suffix=".engine"),
    Row("triton output", "triton demo -o @", WRITE_FOLDER),
    Row("embed places", "embed @ RECORDINGS -o new.npz"),
    Row("embed places", "embed @ -o new.npz"),
    Row("embed output", "embed RECORDINGS -o @", WRITE_FILE, ".npz"),
    Row("embed output", "embed RECORDINGS -o @", WRITE_FILE, ".parquet"),
    Row("evaluate model", "evaluate @", suffix=".csv"),
    Row("evaluate model", "evaluate @", suffix=".jsonl"),
    Row("evaluate model", "evaluate @", suffix=".parquet"),
    Row("evaluate model", "evaluate @ RECORDINGS", suffix=".onnx"),
    Row("evaluate data", "evaluate demo @"),
    Row("evaluate labels", "evaluate demo RECORDINGS --labels @", suffix=".csv"),
    Row("evaluate scores", "evaluate --scores @"),
    Row("evaluate ground_truth", "evaluate TABLE --ground-truth @", suffix=".csv"),
    Row("evaluate domains", "evaluate TABLE --ground-truth TRUTH --domains @", suffix=".csv"),
    Row("evaluate output", "evaluate TABLE -o @", WRITE_FILE, ".md"),
    Row("evaluate write_scores", "evaluate TABLE --write-scores @", WRITE_FOLDER),
    Row("compare a", "compare @ demo RECORDINGS"),
    Row("compare b", "compare demo @ RECORDINGS"),
    Row("compare clips", "compare demo demo @"),
    Row("compare ground_truth", "compare demo demo RECORDINGS --ground-truth @", suffix=".csv"),
    Row("compare labels", "compare demo demo RECORDINGS --labels @", suffix=".csv"),
    Row("bench model", "bench @"),
    Row("bench folder", "bench demo @"),
    Row("bench gate", "bench demo --accuracy --gate @"),
    Row("bench reference", "bench demo RECORDINGS --accuracy --gate RECORDINGS --reference @"),
    Row("bench output", "bench demo -o @", WRITE_FILE),
    Row("calibrate model", "calibrate @ RECORDINGS -o new.onnx"),
    Row("calibrate normals", "calibrate demo @ -o new.onnx"),
    Row("calibrate labels", "calibrate demo RECORDINGS -o new.onnx --labels @", suffix=".csv"),
    Row("calibrate output", "calibrate demo RECORDINGS -o @", WRITE_FILE, ".onnx"),
    Row("inspect model", "inspect @"),
    Row("inspect model", "inspect @", suffix=".safetensors"),
    Row("sensitivity model", "sensitivity @ RECORDINGS"),
    Row("sensitivity normals", "sensitivity demo @"),
    Row("sensitivity output", "sensitivity demo RECORDINGS -o @", WRITE_FILE, ".json"),
    Row("sensitivity store", "sensitivity demo RECORDINGS --store @", WRITE_FILE, ".onnx"),
    Row("enroll places", "enroll @ -o new.onnx"),
    Row("enroll places", "enroll @ RECORDINGS -o new.onnx"),
    Row("enroll places", "enroll demo @ -o new.onnx"),
    Row("enroll output", "enroll RECORDINGS -o @", WRITE_FILE, ".onnx"),
    Row("enroll forget", "enroll demo --forget @ -o new.onnx"),
    Row("enroll labels", "enroll RECORDINGS -o new.onnx --labels @", suffix=".csv"),
    Row("enroll background", "enroll RECORDINGS -o new.onnx --background @"),
    Row("commission normals", "commission @ -o new"),
    Row("commission model", "commission RECORDINGS -o new --model @"),
    Row("commission labels", "commission RECORDINGS -o new --labels @", suffix=".csv"),
    Row("commission output", "commission RECORDINGS -o @", WRITE_FOLDER),
    Row("engine build model", "engine build @"),
    Row("engine list engine_cache", "engine list --engine-cache @", codes=NO_ENGINES),
    Row("engine prune engine_cache", "engine prune --engine-cache @", codes=NO_ENGINES),
    Row("engine inspect target", "engine inspect @", suffix=".engine"),
    Row("engine inspect target", "engine inspect @", suffix=".onnx"),
    Row("engine inspect engine_cache", "engine inspect demo --engine-cache @"),
    Row("synth output", "synth @ --normal 1", WRITE_FOLDER),
    Row("demo output", "demo -o @", WRITE_FOLDER),
]
ROWS_WITH_TORCH = [
    Row("train data", "train @ -o new"),
    Row("train output", "train RECORDINGS -o @", WRITE_FOLDER),
    Row("train config", "train RECORDINGS -o new --config @", suffix=".toml"),
    Row("train labels", "train RECORDINGS -o new --labels @", suffix=".csv"),
    Row("train cache", "train RECORDINGS -o new --epochs 1 --cache @", WRITE_FOLDER),
    Row("export checkpoint", "export @ -o new.onnx", suffix=".pth"),
    Row("export checkpoint", "export @ -o new.onnx", suffix=".safetensors"),
    Row("export output", "export CHECKPOINT -o @", WRITE_FILE, ".onnx"),
    Row("export classes", "export CHECKPOINT -o new.onnx --classes @"),
    Row("export gate", "export demo -o new.onnx --precision bf16 --gate @"),
    Row("export background", "export demo -o new.onnx --background @"),
    Row("export enroll", "export demo -o new.onnx --enroll @"),
    Row("export calibration", "export demo -o new.onnx --precision int8 --gate RECORDINGS --calibration @"),
]
# only looked at once there is a card; what follows is what `engine` does, whose rows are above
WITH_A_NETWORK = (
    "bench",
    "calibrate",
    "commission",
    "compare",
    "embed",
    "enroll",
    "evaluate",
    "explain",
    "score",
    "sensitivity",
    "serve",
    "watch",
)
NEEDS_A_CARD = {(command, "engine_cache") for command in (*WITH_A_NETWORK, "engine build", "triton")}
FITTING = (
    "bench",
    "calibrate",
    "commission",
    "compare",
    "embed",
    "enroll",
    "evaluate",
    "explain",
    "export",
    "score",
    "sensitivity",
    "train",
    "watch",
)
TEXTS_THAT_ARE_NO_PATHS = {
    *((command, name) for command in WITH_A_NETWORK for name in ("backend", "device")),
    *(
        (command, name)
        for command in ("calibrate", "sensitivity")
        for name in ("machine", "recording", "rule")
    ),
    ("engine build", "device"),
    *(("monitor", name) for name in ("alarm", "every", "false_alarms")),
    ("data", "name"),
    ("embed", "what"),
    ("enroll", "rule"),
    ("evaluate", "compare"),
    ("evaluate", "rule"),
    ("evaluate", "scope"),
    ("compare", "rule"),
    ("explain", "rule"),
    *(("score", name) for name in ("address", "runner")),
    ("report", "since"),
    ("score", "every"),
    ("score", "only"),
    ("score", "start_time"),
    ("score", "rule"),
    ("serve", "host"),
    ("serve", "rule"),
    *(("watch", name) for name in ("alarm", "events", "every", "metrics_address", "rule", "start_time")),
    ("watch", "event"),  # `tests/events` puts every wrong thing at a file of events
    ("journal", "event"),
    ("export", "licence"),
    ("export", "training_data"),
    ("export", "without_rewrite"),
    *((command, name) for command in FITTING for name in ("channel", "pad")),
    *(("triton", name) for name in ("backend", "device", "domain", "name", "rule")),
    *(
        (command, "machine")
        for command in ("commission", "compare", "doctor", "enroll", "evaluate", "explain", "score", "watch")
    ),
    *(
        (command, "machine_pattern")
        for command in (
            "calibrate",
            "commission",
            "compare",
            "doctor",
            "enroll",
            "evaluate",
            "explain",
            "score",
            "sensitivity",
            "watch",
        )
    ),
    *((command, "recording") for command in ("commission", "enroll")),
    *(
        (command, "domain")
        for command in ("compare", "evaluate", "explain", "score", "sensitivity", "serve", "watch")
    ),
    ("synth", "faults"),
    ("synth", "ids"),
    ("train", "device"),
    ("train", "seeds"),
    ("train", "time_limit"),
}


def test_every_path_argument_has_a_row() -> None:
    with_rows = {tuple(row.parameter.rsplit(" ", 1)) for row in ROWS + ROWS_WITH_TORCH}
    named = parameters_of_type(Path) | parameters_of_type(str)
    assert named == with_rows | NEEDS_A_CARD | TEXTS_THAT_ARE_NO_PATHS


def put(kind: str, folder: Path, suffix: str) -> str:
    """Put something at a path, and give the path."""
    path = folder / f"x{suffix}"
    strange = Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9"))
    match kind:
        case "missing":
            return str(folder / "none" / path.name)
        case "file":
            path.touch()
        case "closed file":
            path.touch(mode=0o000)
        case "closed folder":
            path.mkdir(mode=0o000)
        case "in a closed folder":
            (folder / "closed").mkdir(mode=0o000)
            return str(folder / "closed" / path.name)
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "loop":
            path.symlink_to(path)
        case "dangling link":
            path.symlink_to("nothing")
        case "device":
            return "/dev/full"
        case "link to a device":
            path.symlink_to("/dev/full")
        case "not UTF-8":
            strange.mkdir()
            return str(strange / "none" / path.name)
        case "not UTF-8, a file":
            strange.touch()
            return str(strange)
        case _:
            raise AssertionError(kind)
    return str(path)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path) -> dict[str, str]:
    """What the other arguments are: recordings to test and to train on, scores, a checkpoint."""
    root = tmp_path_factory.mktemp("sound")
    (root / "recordings" / "fan" / "test").mkdir(parents=True)
    for number, name in enumerate(("normal_id_00_0", "anomaly_id_00_1")):
        path = root / "recordings" / "fan" / "test" / f"{name}.wav"
        soundfile.write(path, golden_clips(2)[number], 16_000)
    write_recordings(root / "recordings", 2)
    table = root / "scores.csv"
    table.write_text(
        "path,machine,status,score\n"
        "fan/test/normal_id_00_0.wav,fan/id_00,ok,1\nfan/test/anomaly_id_00_1.wav,fan/id_00,ok,2\n"
    )
    truth = root / "eval_data_list.csv"
    truth.write_text("fan\nnormal_id_00_0.wav,x,0\nanomaly_id_00_1.wav,x,1\n")
    return {
        "RECORDINGS": str(root / "recordings"),
        "RECORDING": str(root / "recordings" / "fan" / "test" / "normal_id_00_0.wav"),
        "TABLE": str(table),
        "TRUTH": str(truth),
        "JOURNAL": str(write_journal(root / "other.csv.journal")),
        "CHECKPOINT": str(checkpoint),
    }


def flaws(row: Row, kind: str, ended: Ended) -> list[str]:
    """What is wrong with the end of a command."""
    expected = row.codes.get(kind, FAILS)
    found = []
    if ended.code not in expected:
        found.append(f"exit code {ended.code}, expected {expected}")
    if "Traceback" in ended.stderr:
        found.append("a traceback")
    if ended.code in FAILS:
        lines = ended.stderr.splitlines()
        says_what_it_does = row.parameter.startswith(("export", "train", "enroll"))
        if not lines or not lines[-1].startswith("error: ") or (len(lines) > 1 and not says_what_it_does):
            found.append("no single sentence")
        if ended.stdout:
            found.append("results on stdout")
    if kind.startswith("not UTF-8") and r"caf\xe9" not in ended.stderr:
        found.append("the name is not spelled")
    return [f"{row.arguments} ({row.suffix}), {kind}: {flaw}: {ended.stderr[-300:]!r}" for flaw in found]


def check(rows: Sequence[Row], sound: Mapping[str, str], tmp_path: Path, packages: Sequence[str]) -> None:
    """Run all rows with all their kinds, and tell all that is wrong at once."""
    cases: list[tuple[Row, str]] = []
    calls: list[Call] = []
    for row in rows:
        strange = "not UTF-8, a file" if row.kinds is WRITE_FOLDER else "not UTF-8"
        for kind in (*row.kinds, strange):
            folder = tmp_path / str(len(calls))
            folder.mkdir()
            names = {**sound, "@": put(kind, folder, row.suffix)}
            cases.append((row, kind))
            calls.append(Call([names.get(word, word) for word in row.arguments.split()], str(folder)))
    found = []
    for (row, kind), ended in zip(cases, run_all(calls, packages), strict=True):
        found += flaws(row, kind, ended)
    for closed in (*tmp_path.glob("*/closed"), *tmp_path.glob("*/x*")):
        if not closed.is_symlink():
            closed.chmod(0o700)  # so that it can be removed
    assert not found, "\n" + "\n".join(found)


def test_every_wrong_path_is_one_sentence(sound: dict[str, str], tmp_path: Path) -> None:
    check(ROWS, sound, tmp_path, ["onnxruntime", "pyarrow.parquet"])


def test_every_wrong_path_is_one_sentence_with_torch(sound: dict[str, str], tmp_path: Path) -> None:
    check(ROWS_WITH_TORCH, sound, tmp_path, ["osscl.training.runs", "osscl.export"])
