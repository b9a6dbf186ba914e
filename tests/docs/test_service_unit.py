"""The service unit of the documentation is one that systemd takes, and a hardened one."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from osscl.cli.program import command

PAGE = Path(__file__).resolve().parents[2] / "docs" / "watch.md"
MOST_EXPOSED = 20  # of 100


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    found = re.search(r"^```ini\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found is not None
    path = tmp_path / "osscl-watch.service"
    path.write_text(found[1].replace("/opt/osscl/bin/osscl", shutil.which("true") or ""))
    return path


def analyzed(*arguments: object) -> "subprocess.CompletedProcess[str]":
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed (apt-get install systemd)")
    return subprocess.run(
        ["systemd-analyze", *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False
    )


def test_systemd_takes_every_line_of_it(unit: Path) -> None:
    done = analyzed("verify", unit)
    assert (done.returncode, done.stderr) == (0, "")
    unit.write_text(unit.read_text().replace("ProtectSystem=strict", "ProtectSystem=stricter"))
    assert "Failed to parse protect system value" in analyzed("verify", unit).stderr


def test_it_is_as_hardened_as_the_page_says(unit: Path) -> None:
    done = analyzed("security", "--offline=true", f"--threshold={MOST_EXPOSED}", unit)
    assert done.returncode == 0, done.stdout[-300:]
    told = re.search(r"Overall exposure level for \S+: (\S+) (\S+)", done.stdout)
    assert told is not None
    assert f'calls the exposure of this unit {told[1]}, "{told[2]}"' in PAGE.read_text(encoding="utf-8")


def test_its_command_is_one(unit: Path) -> None:
    [line] = re.findall(r"^ExecStart=((?:.*\\\n)*.*)$", unit.read_text(), re.MULTILINE)
    arguments = line.replace("\\\n", "").split()[2:]
    parsed = command("watch").make_context("watch", arguments)
    assert parsed.params["metrics_port"] == 9400
    assert parsed.params["explain"]
