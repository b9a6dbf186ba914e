"""Runtimes are kept from reporting their use, unless the user wants it. test_privacy watches them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from osscl.support.telemetry import import_quietly, telemetry_state

REPORTER = "sys.modules['openvino.tools.ovc.telemetry_utils'].tm.__name__"


def answer(code: str, home: Path, **settings: str) -> str:
    """What a program prints in which nothing is loaded and nothing is set."""
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "LD_LIBRARY_PATH")}
    done = subprocess.run(
        [sys.executable, "-c", f"import os, sys\nfrom osscl.support.telemetry import import_quietly\n{code}"],
        env=environment | {"HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"} | settings,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def agree(home: Path, word: str) -> None:
    """Leave what ``opt_in_out --opt_in`` and ``--opt_out`` leave."""
    (home / "intel").mkdir()
    (home / "intel" / "openvino_telemetry").write_text(word)


def test_onnx_runtime_is_kept_silent_unless_the_user_has_set_its_variable(tmp_path: Path) -> None:
    code = "import_quietly('onnxruntime'); print(os.environ['ORT_DISABLE_TELEMETRY'])"
    assert answer(code, tmp_path) == "1"
    assert list(tmp_path.iterdir()) == []
    assert answer(code, tmp_path, ORT_DISABLE_TELEMETRY="0") == "0"


@pytest.mark.parametrize("word", [None, "0", "", "1"])
def test_openvino_is_kept_silent_unless_the_user_has_agreed(word: str | None, tmp_path: Path) -> None:
    pytest.importorskip("openvino_telemetry", reason="OpenVINO is not installed")
    if word is not None:
        agree(tmp_path, word)
    # where it says that this is a CI job, nothing is sent even if it might be
    said = answer(f"import_quietly('openvino'); print({REPORTER})", tmp_path, CI="true")
    assert said == ("openvino_telemetry" if word == "1" else "openvino.tools.ovc.telemetry_stub")


def test_a_program_around_osscl_keeps_its_own_use_of_the_package(tmp_path: Path) -> None:
    pytest.importorskip("openvino_telemetry", reason="OpenVINO is not installed")
    code = (
        "{first}import_quietly('openvino'); import openvino_telemetry as later\n"
        f"print({REPORTER}, later.__name__, later is sys.modules['openvino_telemetry'], {{same}})"
    )
    stub = "openvino.tools.ovc.telemetry_stub openvino_telemetry True True"
    assert answer(code.format(first="", same=True), tmp_path) == stub
    held = code.format(first="import openvino_telemetry as held; ", same="held is later")
    assert answer(held, tmp_path) == stub


def test_threads_may_load_openvino_at_once(tmp_path: Path) -> None:
    pytest.importorskip("openvino_telemetry", reason="OpenVINO is not installed")
    code = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(4) as pool: loaded = set(pool.map(import_quietly, ['openvino'] * 4))\n"
        f"print(len(loaded), {REPORTER}, 'openvino_telemetry' in sys.modules)"
    )
    assert answer(code, tmp_path) == "1 openvino.tools.ovc.telemetry_stub False"


def test_what_the_user_wants_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    assert telemetry_state() == "ONNX Runtime's and OpenVINO's are switched off"
    agree(tmp_path, "1")
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    assert telemetry_state() == (
        "ONNX Runtime's is as ORT_DISABLE_TELEMETRY=0 has it; "
        "OpenVINO's is on, as intel/openvino_telemetry in the home folder has it"
    )


def test_a_folder_is_no_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "remnant_of_a_package").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError, match=r"no more than the folder .*remnant_of_a_package is left of it"):
        import_quietly("remnant_of_a_package")
