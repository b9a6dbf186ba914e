"""``--quiet`` and ``--log-file``: heeded by every command, before or after its name."""

import ast
import re
from pathlib import Path

import pytest
import soundfile

from conftest import REPOSITORY
from osscl.cli.everywhere import taken_from
from osscl.model_file.golden import golden_clips
from support.console import osscl_each
from support.console_parameters import console
from support.forked_console import Call, run_all

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (DEBUG|INFO|WARNING|ERROR) osscl[.\w]*: .")


@pytest.mark.parametrize(
    ("words", "quiet", "log_file", "left"),
    [
        ("--quiet score demo x", True, None, "score demo x"),
        ("score demo x --log-file a.log", False, "a.log", "score demo x"),
        ("--log-file=a.log engine --quiet list", True, "a.log", "engine list"),
        ("score demo -- --quiet", False, None, "score demo -- --quiet"),
        ("score demo x --log-file", False, None, "score demo x --log-file"),
    ],
)
def test_they_stand_anywhere(words: str, quiet: bool, log_file: str | None, left: str) -> None:
    assert taken_from(words.split()) == (quiet, log_file, left.split())


def test_every_command_shows_them() -> None:
    unshown: list[str] = []

    def walk(command: object, name: str) -> None:
        options = {option for each in command.params for option in each.opts}  # type: ignore[attr-defined]
        if not options >= {"--quiet", "--log-file"}:
            unshown.append(name)
        for word, below in getattr(command, "commands", {}).items():
            walk(below, f"{name} {word}")

    walk(console(), "osscl")
    assert unshown == []


def test_quiet_leaves_errors_alone(tmp_path: Path) -> None:
    """What is said without it is said by the first; the last has something to complain of."""
    (tmp_path / "a.wav").write_bytes(b"")
    loud, quiet, wrong, unknown = osscl_each(
        [
            ("score", "demo", "a.wav"),
            ("score", "demo", "a.wav", "--quiet"),
            ("--quiet", "score", "demo", "nowhere"),
            ("--quiet", "score", "--unheard-of"),
        ],
        tmp_path,
    )
    assert "1 file" in loud.stderr
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (loud.returncode, loud.stdout, "")
    assert re.fullmatch("error: .*nowhere.*\n", wrong.stderr)
    assert re.fullmatch("error: .*unheard-of.*\n", unknown.stderr)


def test_quiet_tells_that_a_run_was_interrupted_and_how_it_goes_on(tmp_path: Path) -> None:
    """Whoever looks at the log of the night must not take it for complete."""
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(b"")
    words = ("score", "demo", "a.wav", "b.wav", "--output", "scores.csv")
    tests = {"PYTHONPATH": str(Path(__file__).parents[1])}
    calls = [Call((*words, *more), str(tmp_path)) for more in (("--quiet",), ("--quiet", "--log-file", "l"))]
    for ended in run_all(calls, ["support.interrupted_runs"], tests):
        assert (ended.code, ended.stdout) == (143, "")
        [line] = ended.stderr.splitlines()
        assert line.startswith("interrupted after ")
        assert "the same command (without --overwrite) goes on" in line
    assert "interrupted after" in (tmp_path / "l").read_text()


def test_every_command_says_so_whatever_was_asked() -> None:
    hidden = [
        (path.name, node.lineno)
        for path in sorted((REPOSITORY / "python" / "osscl" / "cli").glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "say"
        if re.match(r"f?['\"](interrupted|stopped and)", ast.unparse(node.args[0]))
    ]
    assert hidden == []


def test_a_log_holds_what_was_said_and_more(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", golden_clips(1)[0], 16_000)
    (tmp_path / "b.wav").write_bytes(b"")
    log = ("--log-file", "osscl.log")
    loud, quiet, wrong, broken = osscl_each(
        [
            ("score", "demo", "a.wav", "b.wav", "--machine", "blower/id_00", *log),
            (*log, "--quiet", "score", "demo", "a.wav", "b.wav", "--machine", "blower/id_00"),
            ("score", *log, "--unheard-of"),
            ("score", "demo", "nowhere", *log),
        ],
        tmp_path,
        packages=["onnxruntime"],
    )
    assert "2 files" in loud.stderr
    assert quiet.stderr == ""
    lines = (tmp_path / "osscl.log").read_text().splitlines()
    assert [line for line in lines if not LINE.match(line) and not line.startswith("    ")] == []
    for said in (*loud.stderr.splitlines() * 2, *wrong.stderr.splitlines(), *broken.stderr.splitlines()):
        text = said.removeprefix("error: ").removeprefix("warning: ")
        found = [line for line in lines if line.endswith(f": {text}")]
        assert len(found) == (2 if said in loud.stderr else 1), said
    assert len([line for line in lines if re.search(r"DEBUG osscl\.detector.*a\.wav", line)]) == 2
    assert len([line for line in lines if re.search(r"INFO osscl\.detector.*b\.wav", line)]) == 2


def test_a_log_that_cannot_be_written_is_told_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("path,machine\n")
    (tmp_path / "folder").mkdir()
    told = {
        "scores.csv": "holds something else than a log of osscl; name another file",
        "folder": "Is a directory",
        "nowhere/a.log": "there is no folder nowhere; make it first",
        "s3://bucket/a.log": "name a path here",
        "/dev/null": "it is a device, pipe or socket",
        "": "names no file",
    }
    ended = osscl_each([("inspect", "demo", "--log-file", place) for place in told], tmp_path)
    for done, reason in zip(ended, told.values(), strict=True):
        assert (done.returncode, done.stdout) == (1, "")
        assert re.fullmatch(
            f"error: the log file .* cannot be written: .*{re.escape(reason)}.*\n", done.stderr
        )
    assert (tmp_path / "scores.csv").read_text() == "path,machine\n"
