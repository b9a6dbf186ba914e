"""The units of systemd: what the pages show is what lies in the examples, systemd takes it, and it runs.

Their commands are run for real, as systemd runs them but for it: with paths of the test, and without the
restrictions of the units, which no test can put on a process without systemd as its parent.
"""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import REPOSITORY
from osscl.cli.program import command
from support.console import started_osscl
from support.plant import Plant, plant
from support.service_manager import listening_service_manager

FOLDER = REPOSITORY / "examples" / "systemd"
UNITS = sorted(FOLDER.iterdir())
SHOWN = {"docs/watch.md": "osscl-watch.service", "docs/serve.md": "osscl-serve.service"}
PROGRAM = "/opt/osscl/bin/osscl"
MOST_EXPOSED = 20  # of 100


def words_of(unit: str) -> list[list[str]]:
    """The commands of a service, each as the words behind the program's name."""
    text = (FOLDER / unit).read_text(encoding="utf-8").replace("\\\n", " ")
    commands = [shlex.split(line) for line in re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)]
    assert {words[0] for words in commands} == {PROGRAM}
    return [words[1:] for words in commands]


def shell_line(unit: str) -> str:
    """What a service gives to a shell, as systemd does: $$ is a dollar."""
    text = (FOLDER / unit).read_text(encoding="utf-8").replace("\\\n", " ")
    [line] = re.findall(r"^ExecStart=/bin/sh -c '(.*)'$", text, re.MULTILINE)
    return str(line).replace("$$", "$")


# What systemd says


@pytest.fixture
def units(tmp_path: Path) -> list[Path]:
    """All units, of a program that is there."""
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8").replace(PROGRAM, shutil.which("true") or "")
        (tmp_path / unit.name).write_text(text)
    return sorted(tmp_path.iterdir())


def analyzed(*arguments: object) -> "subprocess.CompletedProcess[str]":
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed (apt-get install systemd)")
    return subprocess.run(
        ["systemd-analyze", *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False
    )


def test_systemd_takes_every_line(units: list[Path]) -> None:
    done = analyzed("verify", *units)
    assert (done.returncode, done.stderr) == (0, "")
    for unit in units:
        unit.write_text(unit.read_text().replace("ProtectSystem=strict", "ProtectSystem=stricter"))
    assert analyzed("verify", *units).stderr.count("Failed to parse protect system value") == 3


def test_the_watch_is_as_hardened_as_the_page_says(units: list[Path]) -> None:
    [unit] = [each for each in units if each.name == "osscl-watch.service"]
    done = analyzed("security", "--offline=true", f"--threshold={MOST_EXPOSED}", unit)
    assert done.returncode == 0, done.stdout[-300:]
    told = re.search(r"Overall exposure level for \S+: (\S+) (\S+)", done.stdout)
    assert told is not None
    page = (REPOSITORY / "docs" / "watch.md").read_text(encoding="utf-8")
    assert f'calls the exposure of this unit {told[1]}, "{told[2]}"' in page


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_every_line_is_one_of_a_unit(unit: Path) -> None:
    """Also where systemd is not there."""
    lines = unit.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    wrong = [line for line in lines if not re.fullmatch(r"\[\w+\]|[A-Z]\w+=.*|#.*|", line)]
    assert wrong == []
    sections = [line for line in lines if line.startswith("[")]
    assert sections[0] == "[Unit]"
    assert {*sections} <= {"[Unit]", "[Service]", "[Timer]", "[Install]"}


# What the pages say


def test_the_pages_show_the_units_that_lie_there() -> None:
    shown = {}
    for page in sorted((REPOSITORY / "docs").glob("*.md")):
        blocks = re.findall(
            r"^```ini\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
        )
        for block in blocks:
            if "[Service]" in block:
                shown[page.relative_to(REPOSITORY).as_posix()] = block
    assert shown == {page: (FOLDER / unit).read_text(encoding="utf-8") for page, unit in SHOWN.items()}


@pytest.mark.parametrize("unit", ["osscl-watch.service", "osscl-serve.service"])
def test_the_console_takes_every_command(unit: str) -> None:
    for name, *words in words_of(unit):
        command(name).make_context(name, words)


# They run


@pytest.fixture
def site(tmp_path: Path) -> dict[str, str]:
    """What stands in place of what the units name."""
    made = of_plant()
    (tmp_path / "recordings" / "fan" / "test").mkdir(parents=True)
    for recording in made.made:
        shutil.copy(recording, tmp_path / "recordings" / "fan" / "test")
    (tmp_path / "state").mkdir()
    (tmp_path / "token").write_text("0123456789abcdef")
    (tmp_path / "token").chmod(0o600)
    return {
        "/etc/osscl/model.onnx": str(made.model),
        "/var/lib/osscl/model.onnx": str(made.model),
        "/srv/recordings": str(tmp_path / "recordings"),
        "/var/lib/osscl": str(tmp_path / "state"),
        "%d/token": str(tmp_path / "token"),
        "0.0.0.0": "127.0.0.1",
        "9400": str(free_port()),
    }


def of_plant() -> Plant:
    return plant(REPOSITORY.parent / "shared")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def placed(words: list[str], site: dict[str, str]) -> list[str]:
    """A command with the paths of the test."""
    for told, here in site.items():
        words = [word.replace(told, here) for word in words]
    return words


@pytest.mark.parametrize(
    ("unit", "more"), [("osscl-watch.service", ()), ("osscl-serve.service", ("--port", "0"))]
)
def test_a_service_is_ready_and_stops_when_asked(
    unit: str, more: tuple[str, ...], site: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [words] = words_of(unit)
    with listening_service_manager(tmp_path) as (address, told):
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        with started_osscl(*placed(words, site), *more) as service:
            told.until("READY=1")
            service.send_signal(signal.SIGTERM)
            told.until("STOPPING=1")
            _, said = service.communicate()
    assert service.returncode == 0, said


def nightly(state: Path) -> "subprocess.CompletedProcess[str]":
    """A run of the nightly service, its state in a folder."""
    script = REPOSITORY / "examples" / "cron" / "score_new_recordings.sh"
    line = shell_line("osscl-score.service").replace("/opt/osscl/bin/score_new_recordings.sh", str(script))
    return subprocess.run(
        ["/bin/sh", "-c", line.replace("/var/lib/osscl", str(state))],
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_nightly_service_fails_where_there_is_something_to_tell(
    site: dict[str, str], tmp_path: Path
) -> None:
    state, recordings = tmp_path / "state", tmp_path / "recordings"
    (state / "site.onnx").symlink_to(site["/etc/osscl/model.onnx"])
    (state / "incoming").symlink_to(recordings)
    first, again = nightly(state), nightly(state)  # what was told is not told again, but that nothing came is
    assert {"scores.jsonl", "report.html"} <= {path.name for path in state.iterdir()}
    assert (first.returncode, "needs attention, see " in first.stdout) in ((4, True), (0, False)), (
        first.stderr
    )
    none_came = f"no recording came into {state}/incoming since the last run\n"
    assert (again.returncode, again.stdout) == (4, none_came), again.stderr
    (recordings / "fan" / "test" / "cut.wav").write_bytes(b"RIFF")
    cut = nightly(state)
    assert cut.returncode == 4, cut.stderr
    assert "cut.wav" in cut.stdout
    (state / "site.onnx").unlink()
    broken = nightly(state)
    assert broken.returncode not in (0, 3, 4)
    assert "site.onnx" in broken.stderr


def test_whoever_is_told_is_there() -> None:
    """The unit that tells is one of ours, and it reads what the failed run said."""
    [told] = re.findall(
        r"^OnFailure=(.*)%n\.service$", (FOLDER / "osscl-score.service").read_text(), re.MULTILINE
    )
    assert (FOLDER / f"{told}.service").is_file()
    assert '_SYSTEMD_INVOCATION_ID="$MONITOR_INVOCATION_ID" |' in shell_line(f"{told}.service")
