"""The page at / in a real browser: a recording is chosen, and the answer is seen."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

import osscl
from osscl.detector import Detector
from osscl.serving.page import add_to
from support.browser import Browser, opened_browser
from support.remembering import faulty_clips, normal_clips, stored_memory, write_clips, write_model
from support.served import Served, served

MACHINE = "press/id_09"
SHOWN = "return /anomalous|decided|Not scored/i.test(document.getElementById('verdict').textContent)"
TOKEN = "correct-horse-battery"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with opened_browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    write_clips(folder, "normal_", normal_clips(5, 2))
    write_clips(folder, "faulty_", faulty_clips(6, 1))
    (folder / "text.wav").write_text("no sound")
    write_model(folder / "model.onnx", [stored_memory(MACHINE, normal_clips(1, 24))])
    return folder


@pytest.fixture(scope="module")
def detector(folder: Path) -> Iterator[Detector]:
    with osscl.load(folder / "model.onnx", "cpu", threads=1, rule="memory") as detector:
        yield detector


@pytest.fixture(scope="module")
def server(detector: Detector) -> Iterator[Served]:
    with served(detector) as server:
        yield server


def visit(browser: Browser, server: Served) -> None:
    browser.driver.get(f"http://127.0.0.1:{server.port}/")
    browser.complaints()
    browser.requests()


def choose(browser: Browser, path: Path) -> None:
    """Choose a machine and a file, as a user does."""
    browser.until("return document.getElementById('machine').options.length > 0")
    browser.run("document.getElementById('machine').value = arguments[0]", MACHINE)
    browser.run("document.getElementById('verdict').textContent = ''")
    browser.driver.find_element("id", "file").send_keys(str(path))
    browser.until(SHOWN)


def test_a_faulty_recording_is_shown_with_its_explanation(
    browser: Browser, server: Served, folder: Path
) -> None:
    visit(browser, server)
    choose(browser, folder / "faulty_00000000.wav")
    answer = server.post((folder / "faulty_00000000.wav").read_bytes(), machine=MACHINE, explain="true").json
    assert browser.texts("#verdict") == ["Anomalous"]
    assert browser.texts("#explanation") == [answer["explanation"]]
    assert f"{answer['score']:.4g}" in browser.texts("#caption")[0]
    assert browser.run("return document.getElementById('bar').width.baseVal.value") > browser.run(
        "return document.getElementById('threshold').x1.baseVal.value"
    )
    browser.click("#explain")
    browser.until("return document.querySelectorAll('#findings li').length > 0")
    assert browser.complaints() == []
    assert all(f"127.0.0.1:{server.port}/" in url for url in browser.requests())


def test_a_normal_recording_and_one_that_is_none(browser: Browser, server: Served, folder: Path) -> None:
    visit(browser, server)
    choose(browser, folder / "normal_00000001.wav")
    assert browser.texts("#verdict") == ["Not anomalous"]
    assert browser.texts("#explanation") == [""]
    choose(browser, folder / "text.wav")
    assert browser.texts("#verdict") == ["Not scored"]
    assert browser.texts("#reason") == ["it is no audio file of a format that libsndfile decodes"]


def test_a_recording_is_dropped_onto_the_page(browser: Browser, server: Served, folder: Path) -> None:
    visit(browser, server)
    browser.until("return document.getElementById('machine').options.length > 0")
    browser.run("document.getElementById('machine').value = arguments[0]", MACHINE)
    browser.run(
        "const carried = new DataTransfer(); carried.items.add(new File(['no sound'], 'dropped.wav'));"
        "const how = {dataTransfer: carried, bubbles: true, cancelable: true};"
        "document.body.dispatchEvent(new DragEvent('drop', how))"
    )
    browser.until(SHOWN)
    assert browser.texts("#verdict") == ["Not scored"]


def test_a_token_is_asked_for(browser: Browser, detector: Detector, folder: Path) -> None:
    with served(detector, token=TOKEN) as server:
        visit(browser, server)
        browser.until("return !document.getElementById('token-form').hidden")
        browser.driver.find_element("id", "token").send_keys(TOKEN)
        browser.click("#token-form button")
        choose(browser, folder / "normal_00000001.wav")
        assert browser.texts("#verdict") == ["Not anomalous"]
        assert browser.run("return document.getElementById('token-form').hidden")


def test_the_page_allows_nothing_that_is_not_its_own(server: Served) -> None:
    policy = server.ask("GET", "/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("is_there", [True, False])
def test_what_the_server_cannot_do_is_greyed_out(monkeypatch: pytest.MonkeyPatch, is_there: bool) -> None:
    monkeypatch.setattr("osscl.serving.page.has_module", lambda _: is_there)
    app = FastAPI()
    add_to(app)
    [route] = [each for each in app.routes if getattr(each, "path", None) == "/"]
    shown = asyncio.run(route.endpoint()).body.decode()  # type: ignore[attr-defined]
    box = re.search(r'<input id="resample"[^>]*>', shown)
    assert box is not None
    assert ("disabled" in box[0]) is not is_there
