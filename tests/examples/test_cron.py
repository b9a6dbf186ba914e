"""The example of a nightly run: silent while all is well, goes on where it was, fails in one sentence."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import osscl
from conftest import REPOSITORY
from support.plant import Plant, plant

SCRIPT = REPOSITORY / "examples" / "cron" / "score_new_recordings.sh"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder as the script wants it, in which nothing came yet."""
    if shutil.which("flock") is None:
        pytest.skip("flock is not installed (apt-get install util-linux)")
    folder = tmp_path / "plant of ours"
    (folder / "incoming").mkdir(parents=True)
    shutil.copy(of_plant().model, folder / "site.onnx")
    return folder


def of_plant() -> Plant:
    return plant(REPOSITORY.parent / "shared")


def run(*arguments: Path | str) -> "subprocess.CompletedProcess[str]":
    """Run the script as cron does: by sh, in the home folder, with few variables."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["sh", SCRIPT, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        cwd="/",
        env={"PATH": path, "HOME": str(Path.home())},
    )


def comes(recording: Path, site: Path, machine_type: str) -> Path:
    """Let a recording come."""
    folder = site / "incoming" / machine_type / "test"
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(recording, folder))


def test_what_needs_attention_is_told_once(site: Path) -> None:
    normal, faulty = of_plant().real or of_plant().made  # real recordings, where they are there
    machine_type = "uav" if of_plant().real else "fan"
    comes(normal, site, machine_type)
    first = run(site)
    assert (first.returncode, first.stdout, first.stderr) == (0, "", "")
    page = (site / "report.html").read_bytes()
    came = comes(faulty, site, machine_type)
    (site / "incoming" / "cut.wav").write_bytes(b"RIFF")
    second = run(site)
    assert (second.returncode, second.stderr) == (3, "")  # one could not be scored
    head, cut, flagged = second.stdout.splitlines()
    assert head == f"needs attention, see {site}/report.html:"
    assert flagged.startswith(f"incoming/{machine_type}/test/{came.name}: flagged: ")
    lines = [json.loads(line) for line in (site / "scores.jsonl").read_text().splitlines()]
    by_path = {line["path"]: line for line in lines}
    assert cut == f"incoming/cut.wav: {by_path['incoming/cut.wav']['reason']}"
    [of_fault] = [line for line in lines if line["is_anomaly"]]
    assert flagged == f"{of_fault['path']}: flagged: {of_fault['explanation']}"
    assert (site / "report.html").read_bytes() != page
    assert "1 file done before" in (site / "score.log").read_text()
    third = run(site)
    none_came = f"no recording came into {site}/incoming since the last run\n"
    assert (third.returncode, third.stdout, third.stderr) == (0, none_came, "")
    anew = run(site, "--overwrite")
    assert (anew.returncode, anew.stdout, anew.stderr) == (3, second.stdout, "")


def test_a_bad_model_is_one_sentence_and_no_good_end(site: Path) -> None:
    comes(of_plant().made[0], site, "fan")
    (site / "site.onnx").write_bytes(b"no model")
    failed = run(site)
    assert (failed.returncode, failed.stdout) == (1, "")
    [sentence] = failed.stderr.splitlines()
    assert sentence.startswith("error: site.onnx: not an ONNX file")
    assert not (site / "report.html").exists()


def test_two_never_overlap(site: Path) -> None:
    with (site / ".score.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused = run(site)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "the run before is still at work; nothing was begun, and the next one goes on\n"
    assert {path.name for path in site.iterdir()} == {".score.lock", "incoming", "site.onnx"}


def test_the_pages_name_the_line_that_the_script_names() -> None:
    [line] = re.findall(r"^#   (0 4 .*)$", SCRIPT.read_text(encoding="utf-8"), re.MULTILINE)
    assert line == f"0 4 * * * /srv/plant/{SCRIPT.name} /srv/plant"
    for page in ("README.md", "docs/watch.md"):
        assert line in (REPOSITORY / page).read_text(encoding="utf-8")


def test_names_that_nobody_knows_are_one_line_and_no_good_end_and_options_mend_it(site: Path) -> None:
    normal = of_plant().made[0]
    for number in range(3):
        shutil.copy(normal, site / "incoming" / f"Rotor-7_2026-11-20T06-1{number}-00.wav")
    (site / "report.html").write_text("a good page")
    unknown = run(site)
    assert (unknown.returncode, unknown.stderr) == (3, "")
    head, line = unknown.stdout.splitlines()
    assert head == "needs attention, no recording has a score, and no page is made:"
    assert re.fullmatch(r"incoming/Rotor-7_2026-11-20T06-10-00.wav and 2 more: .*--machine-pattern.*", line)
    assert (site / "report.html").read_text() == "a good page"
    with osscl.load(site / "site.onnx") as detector:
        named = run(site, "--machine", detector.machines[0])
    assert (named.returncode, named.stderr) == (0, "")
    assert (site / "report.html").read_text() != "a good page"


def test_a_missing_osscl_is_said_with_what_makes_it(site: Path, tmp_path: Path) -> None:
    missing = subprocess.run(
        ["/bin/sh", SCRIPT, site], capture_output=True, text=True, timeout=60, env={"PATH": str(tmp_path)}
    )
    if Path("/opt/osscl/bin/osscl").exists():
        pytest.skip("osscl is installed at /opt/osscl")
    assert (missing.returncode, missing.stdout) == (127, "")
    [sentence] = missing.stderr.splitlines()
    assert "/opt/osscl/bin/pip install '.[cpu,report]'" in sentence


def test_it_says_what_it_is_to_be_given() -> None:
    refused = run()
    assert refused.returncode != 0
    assert refused.stderr.endswith("name the folder that holds site.onnx and incoming\n")
