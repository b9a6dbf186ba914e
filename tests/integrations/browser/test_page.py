"""The page of examples/browser in Chromium gives what Detector gives, asks nobody, says what it lacks."""

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import soundfile

from support.browser import DESK, PHONE, Browser, opened_browser
from support.normal_recordings import clip
from support.real_recordings import EMBEDDED, REMEMBERED, real_recordings
from support.scored_elsewhere import (
    EXAMPLES,
    MACHINE,
    RULES,
    Line,
    Scored,
    assert_equal_lines,
    make_scored,
    needed_module,
)

COLOURS = """
const { data } = document.getElementById(arguments[0]).getContext("2d").getImageData(0, 0, 300, 100);
return new Set(new Uint32Array(data.buffer)).size;
"""
READY = "return !document.getElementById('asked').hidden"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """What `python -m http.server` in examples serves, and the page in it."""
    needed_module("browser", "onnxruntime-web")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(EXAMPLES)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/browser/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with opened_browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def scored() -> Scored:
    return make_scored()


@pytest.fixture
def browser(started: Browser, address: str) -> Browser:
    started.open(address)
    started.until(READY)
    return started


def give(browser: Browser, field: str, path: Path) -> None:
    """Choose a file, and wait until the page is done with it."""
    before = browser.run("return Number(document.body.dataset.turns ?? 0)")
    browser.give_files(f"#{field}", path)
    browser.until(f"return Number(document.body.dataset.turns ?? 0) > {before}")


def drop(browser: Browser, *paths: Path) -> None:
    """Drop files on the page, and wait until it is done with them."""
    browser.run(
        """
        const field = document.createElement("input");
        document.body.append(Object.assign(field, {type: "file", multiple: true, id: "held"}));
        """
    )
    browser.give_files("#held", *paths)
    before = browser.run(
        """
        const field = document.getElementById("held"), dataTransfer = new DataTransfer();
        for (const file of field.files) dataTransfer.items.add(file);
        field.remove();
        document.dispatchEvent(new DragEvent("drop", {dataTransfer, bubbles: true, cancelable: true}));
        return Number(document.body.dataset.turns ?? 0);
        """
    )
    browser.until(f"return Number(document.body.dataset.turns ?? 0) > {before}")


def choose(browser: Browser, field: str, value: str) -> None:
    """Choose a value, and wait until the page is done with it."""
    script = """
    const [field, value] = arguments, chosen = document.getElementById(field);
    const before = Number(document.body.dataset.turns ?? 0);
    chosen.value = value;
    chosen.dispatchEvent(new Event("change"));
    return before;
    """
    before = browser.run(script, field, value)
    browser.until(f"return Number(document.body.dataset.turns ?? 0) > {before}")


def found(browser: Browser) -> Line:
    assert problem(browser) == ""
    said: dict[str, Any] = browser.run("return JSON.parse(document.getElementById('result').dataset.found)")
    assert not browser.run("return document.getElementById('result').hidden")
    return Line.of(said)


def problem(browser: Browser) -> str:
    script = "const at = document.getElementById('problem'); return at.hidden ? '' : at.textContent.trim()"
    said: str = browser.run(script)
    return said


def test_every_rule_gives_what_the_detector_gives(browser: Browser, scored: Scored, address: str) -> None:
    give(browser, "model", scored.model)
    choose(browser, "machine", MACHINE)
    got: dict[str, dict[str, Line]] = {rule: {} for rule in RULES}
    for path in scored.recordings:
        give(browser, "recording", path)
        for rule in RULES:
            choose(browser, "rule", rule)
            got[rule][path.name] = found(browser)
    for rule in RULES:
        assert_equal_lines(got[rule], scored.lines[rule])
    assert browser.complaints() == []
    own = address.removesuffix("browser/")
    assert [url for url in browser.requests() if not url.startswith((own, f"blob:{own}"))] == []


def test_real_recordings_give_what_the_detector_gives(browser: Browser, shared: Path) -> None:
    real = real_recordings(shared)
    give(browser, "model", real.model)
    for machine, rule in (REMEMBERED, EMBEDDED):
        choose(browser, "machine", machine)
        choose(browser, "rule", rule)
        got = {}
        for path in real.recordings:
            give(browser, "recording", path)
            got[path.name] = found(browser)
        assert_equal_lines(got, real.lines[rule])


def test_files_that_are_dropped_are_told_apart_by_their_names(browser: Browser, scored: Scored) -> None:
    drop(browser, scored.recordings[0])
    assert browser.texts("#status") == ["now a model file"]
    assert browser.run("return !document.getElementById('pictures').hidden")
    drop(browser, scored.recordings[0], scored.model)
    assert browser.texts("#status") == [f"{scored.recordings[0].name}: scored"]


@pytest.mark.parametrize(
    ("taken", "said"),
    [
        ("delete globalThis.WebAssembly", "This browser lacks WebAssembly, "),
        ("WebAssembly.validate = () => false", "This browser lacks WebAssembly's SIMD instructions, "),
        ("delete globalThis.File", "This browser lacks the File API, "),
        ("delete Blob.prototype.arrayBuffer", "This browser lacks the File API, "),
        ("Object.defineProperty(globalThis, 'crypto', {value: undefined})", "This browser lacks Web Crypto"),
    ],
)
def test_a_browser_without_what_is_needed_is_told(
    started: Browser, address: str, taken: str, said: str
) -> None:
    with started.lacking(taken):
        started.open(address)
        started.until(f"return document.getElementById('problem').textContent.startsWith({said!r})")
    assert "use a current Chrome, Edge, Firefox or Safari" in problem(started)
    assert started.run("return document.getElementById('asked').hidden")


def test_a_page_whose_scripts_cannot_run_says_so(started: Browser, address: str) -> None:
    started.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        started.driver.get(address)
        said = started.driver.find_element("css selector", "#problem").text
    finally:
        started.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert said.startswith("The page has not started.")


def test_what_cannot_be_used_is_refused_in_one_sentence(
    browser: Browser, scored: Scored, tmp_path: Path
) -> None:
    damaged, fast, other = tmp_path / "damaged.onnx", tmp_path / "fast.wav", tmp_path / "notes.txt"
    content = bytearray(scored.model.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    soundfile.write(fast, clip(0), 48_000)
    other.write_text("no sound")
    give(browser, "model", damaged)
    assert "the file is damaged; copy it again" in problem(browser)
    give(browser, "recording", fast)
    assert problem(browser) == "the recording has 48000 Hz, expected 16000 Hz; resample it first."
    give(browser, "recording", other)
    assert problem(browser) == "notes.txt is neither a model file (.onnx) nor a recording (.wav)."
    give(browser, "recording", scored.recordings[0])
    assert problem(browser) == ""


@pytest.mark.parametrize("size", [DESK, PHONE])
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_and_can_be_read(
    started: Browser, address: str, scored: Scored, *, dark: bool, size: tuple[int, int]
) -> None:
    started.open(address, dark=dark, size=size)
    started.until(READY)
    give(started, "model", scored.model)
    choose(started, "machine", MACHINE)
    choose(started, "rule", "memory")
    give(started, "recording", scored.recordings[0])
    assert found(started).is_anomaly is True
    assert started.run("return document.documentElement.scrollWidth <= innerWidth")
    ground = started.run("return getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(18, 22, 27)" if dark else "rgb(247, 248, 250)")
    for name in ("waveform", "mel"):
        colours: int = started.run(COLOURS, name)
        assert colours > 1, name
