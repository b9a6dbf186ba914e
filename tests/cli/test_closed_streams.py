"""Every command with each standard stream closed, full, unread or of another encoding: one answer everywhere.

A command without a row in `ROWS` makes the first test fail.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import pytest
import soundfile

from osscl.enrolment import EnrolOptions, enroll
from osscl.model_file.golden import golden_clips
from support.console import started_osscl
from support.console_parameters import commands
from support.forked_console import Call, Ended, Stream, run_all
from support.journals import write_journal
from support.training_data import write_recordings

KINDS: list[Stream] = [kind for kind in get_args(Stream) if kind != "open"]
BROKEN: list[tuple[Stream, Stream]] = [
    *((kind, "open") for kind in KINDS),
    *(("open", kind) for kind in KINDS),
]
# what goes to stdout stands in the first tuple; what is dear, or writes into files alone, is asked less often
CHEAP = (
    "--version",
    "--help",
    "score --help",
    "score demo RECORDINGS",
    "score demo RECORDINGS --json",
    "evaluate TABLE",
    "report TABLE --output new.html --overwrite",
    "evaluate TABLE --json",
    "compare demo demo RECORDINGS --machine blower/id_00",
    "compare demo demo RECORDINGS --machine blower/id_00 --json",
    "calibrate demo RECORDINGS --machine blower/id_00 --output new.onnx --overwrite",
    "watch demo nowhere --output new.csv",
    "journal JOURNAL",
    "journal JOURNAL --json",
    "journal JOURNAL --output new.csv --overwrite",
    "decide REMEMBERED --model MEMORY --false-alarm-rate 0.25",
    "decide REMEMBERED --model MEMORY --false-alarm-rate 0.25 --json",
    "monitor TABLE --model demo",
    "monitor TABLE --model demo --json",
    "embed RECORDINGS --output new.npz --overwrite --json",
    "serve demo --port 0 --token-file none",
    "inspect demo",
    "triton demo --output new --overwrite",
    "triton demo --output new --overwrite --json",
    "enroll RECORDINGS --machine fan --output new.onnx --overwrite",
    "enroll RECORDINGS --machine fan --output new.onnx --overwrite --json",
    "enroll demo RECORDINGS --rule embedding --machine fan --output new.onnx --overwrite",
    "inspect demo --json",
    "sensitivity demo RECORDINGS --machine blower/id_00",
    "commission RECORDINGS --machine fan --output new --false-alarm-rate 0.001",
    "engine list --json --engine-cache none",
    "engine prune --json --engine-cache none",
    "engine inspect demo --engine-cache none",
    "engine build demo --engine-cache none",
    "data",
    "data mimii --json",
    "synth new --normal 1 --overwrite",
)
DEAR = (
    "doctor",
    "bench demo RECORDINGS --seconds 0.01 --clips 1",
    "demo --json --output new --overwrite",
    "explain demo RECORDING --machine blower/id_00",
)
WITH_TORCH = (
    "export CHECKPOINT --output new.onnx --json",
    "train RECORDINGS --output new --epochs 1 --batch-size 2 --workers 0 --inputs log_mel --json",
)
CODES = {
    "engine inspect": 1,
    "engine build": 1,
    "score demo": 3,
    "watch": 2,
    "monitor": 3,
    "sensitivity": 1,
    "commission": 1,
    "serve": 1,
}  # neither engine nor card; strange machines; no folder to wait at; nothing is calibrated; no token


def test_every_command_has_a_row() -> None:
    asked = {
        name
        for row in (*CHEAP, *DEAR, *WITH_TORCH)
        for name in commands()
        if f"{row} ".startswith(f"{name} ")
    }
    assert asked == set(commands())


@pytest.fixture(name="sound", scope="module")
def places(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path) -> dict[str, str]:
    """Recordings whose names are not ASCII, a table of scores, a checkpoint."""
    root = tmp_path_factory.mktemp("sound") / "Prüfstand"
    (root / "fan" / "test").mkdir(parents=True)
    for number, name in enumerate(("normal_id_00_ä", "anomaly_id_00_ö")):
        soundfile.write(root / "fan" / "test" / f"{name}.wav", golden_clips(2)[number], 16_000)
    write_recordings(root, 2)
    table = root / "scores.csv"
    table.write_text(
        "path,machine,status,score\n"
        "Prüfstand/normal_id_00_ä.wav,fan/id_00,ok,1\nPrüfstand/anomaly_id_00_ö.wav,fan/id_00,ok,2\n",
        encoding="utf-8",
    )
    remembered, memory = root.parent / "remembered.csv", root.parent / "memory.onnx"
    remembered.write_text("path,machine,status,score,rule\na.wav,fan/id_00,ok,9,memory\n", encoding="utf-8")
    normals = root.parent / "normals"
    normals.mkdir()
    for number, samples in enumerate(golden_clips(3)):
        soundfile.write(normals / f"{number}.wav", samples, 16_000)
    enroll([normals], memory, options=EnrolOptions(machine="fan/id_00"))
    return {
        "REMEMBERED": str(remembered),
        "MEMORY": str(memory),
        "RECORDINGS": str(root),
        "RECORDING": str(root / "fan" / "test" / "normal_id_00_ä.wav"),
        "TABLE": str(table),
        "JOURNAL": str(write_journal(root / "other.csv.journal")),
        "CHECKPOINT": str(checkpoint),
    }


def calls_of(
    row: str, sound: dict[str, str], folder: Path, streams: Sequence[tuple[Stream, Stream]]
) -> list[Call]:
    """A row with each of some pairs of streams, in folders of their own."""
    calls = []
    for number, (stdout, stderr) in enumerate(streams):
        place = folder / f"{abs(hash(row))}-{number}"
        place.mkdir()
        calls.append(Call([sound.get(word, word) for word in row.split()], str(place), stdout, stderr))
    return calls


def flaws(row: str, call: Call, ended: Ended, whole: Ended) -> list[str]:
    """What is wrong with the end of a command, beside the same with whole streams."""
    found = []
    if "Traceback" in ended.stderr + ended.stdout:
        found.append("a traceback")
    if call.stderr != "open":
        if ended.code != whole.code:
            found.append(f"exit code {ended.code}, expected {whole.code}")
        if (ended.stdout == "") != (whole.stdout == ""):
            found.append("other results")
    elif whole.stdout:
        expected = 0 if call.stdout == "unread" else 1
        if ended.code != expected:
            found.append(f"exit code {ended.code}, expected {expected}")
        said = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
        if len(said) != expected or not all("stdout cannot be written" in line for line in said):
            found.append("not the one sentence" if expected else "a complaint where nobody reads")
    elif ended.code != whole.code:
        found.append(f"exit code {ended.code}, expected {whole.code}")
    return [f"{row}, {call.stdout}/{call.stderr}: {flaw}: {ended.stderr[-300:]!r}" for flaw in found]


def check(
    rows: Sequence[str],
    broken: Sequence[tuple[Stream, Stream]],
    sound: dict[str, str],
    folder: Path,
) -> None:
    """Run all rows with all kinds of both streams, and tell all that is wrong at once."""
    streams: list[tuple[Stream, Stream]] = [("open", "open"), *broken]
    calls = [call for row in rows for call in calls_of(row, sound, folder, streams)]
    ended = run_all(calls, ["onnxruntime"])
    found: list[str] = []
    for place, row in enumerate(rows):
        mine = slice(place * len(streams), (place + 1) * len(streams))
        whole, *others = ended[mine]
        if whole.code != next((code for name, code in CODES.items() if row.startswith(name)), 0):
            found.append(f"{row}: exit code {whole.code} with whole streams: {whole.stderr[-300:]!r}")
        for call, each in zip(calls[mine][1:], others, strict=True):
            found += flaws(row, call, each, whole)
    assert not found, "\n" + "\n".join(found)


def test_streams_that_fail(sound: dict[str, str], tmp_path: Path) -> None:
    check(CHEAP, BROKEN, sound, tmp_path)


@pytest.mark.parametrize(
    ("rows", "packages"),
    [(DEAR, ["onnxruntime"]), (WITH_TORCH, ["osscl.training.runs", "osscl.export"])],
    ids=["onnxruntime", "torch"],
)
def test_a_closed_stdout_is_told_before_long_work(
    rows: Sequence[str], packages: list[str], sound: dict[str, str], tmp_path: Path
) -> None:
    calls = [call for row in rows for call in calls_of(row, sound, tmp_path, [("closed", "open")])]
    for row, call, ended in zip(rows, calls, run_all(calls, packages), strict=True):
        said = ended.stderr.splitlines()[-1]
        assert (row, ended.code, said) == (row, 1, "error: stdout cannot be written: it is closed")
        assert (row, list(Path(call.folder).iterdir())) == (row, [])


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_what_is_written_is_utf_8_whatever_the_locale(
    encoding: str, sound: dict[str, str], tmp_path: Path
) -> None:
    rows = ("score demo RECORDINGS", "evaluate TABLE --json", "evaluate TABLE")
    calls = [call for row in rows for call in calls_of(row, sound, tmp_path, [("open", "open")])]
    asked = {"PYTHONIOENCODING": encoding, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    plain, foreign = run_all(calls), run_all(calls, environment=asked)
    assert "Prüfstand" in plain[0].stdout
    for expected, found in zip(plain, foreign, strict=True):
        assert (found.code, found.stdout) == (expected.code, expected.stdout), found.stderr


def test_a_reader_that_leaves_in_the_middle_ends_a_command_silently() -> None:
    """As ``| head`` does: what is printed is longer than a pipe holds."""
    with started_osscl("inspect", "demo", "--json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(1) == "{"
        process.stdout.close()
        assert (process.wait(300), process.stderr.read()) == (0, "")
