"""The page as its reader has it: in a real browser, by mouse, keyboard and phone, in light and dark."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from osscl.page.gathering import PageOptions
from osscl.page.making import make_page
from osscl.training.run_files import PAGE_FILE
from osscl.training.training_page import write_training_page
from support.browser import DESK, PHONE, Browser, opened_browser
from support.made_up_training import made_up_training
from support.pages import N_FAULTY, N_NORMAL, Site, change, make_site, write_rows

N_CLIPS = 2 * N_NORMAL + N_FAULTY
LISTED = "return !document.getElementById('list').hidden"
# contrast of a text with what is behind it, by WCAG's formula
CONTRAST = """
const light = text => {
  const [r, g, b] = text.match(/[\\d.]+/g).map(Number).map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = element => {
  for (let at = element; at; at = at.parentElement) {
    const colour = getComputedStyle(at).backgroundColor;
    if (!/, 0\\)$/.test(colour)) return colour;
  }
  return "rgb(255, 255, 255)";
};
return [...document.querySelectorAll("h1, p, dt, dd, th, td, summary, a, b, figcaption, label, output, .state, .trusted span")]
  .filter(each => each.textContent.trim() && each.getClientRects().length)
  .map(each => [light(getComputedStyle(each).color), light(behind(each)), each.className + ": " + each.textContent.trim().slice(0, 40)])
  .map(([a, b, name]) => [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), name]);
"""  # noqa: E501


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return make_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def page(site: Site) -> Path:
    output = site.folder / "report.html"
    make_page(site.table, output, PageOptions(audio_root=site.folder, n_worst=8))
    return output


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with opened_browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def browser(started: Browser, page: Path) -> Browser:
    started.open(page)
    started.until(LISTED)
    return started


def column(browser: Browser, number: int) -> list[str]:
    return browser.texts(f"#list tbody td:nth-child({number})")


def enter(browser: Browser, field: str, value: str) -> None:
    """Put a value into a field, as its user leaves it."""
    browser.run(
        "const field = document.getElementById(arguments[0]); field.value = arguments[1];"
        "for (const kind of ['input', 'change']) field.dispatchEvent(new Event(kind))",
        field,
        value,
    )


def test_nothing_is_asked_for_and_nothing_is_complained_of(browser: Browser, page: Path) -> None:
    browser.run("document.querySelectorAll('details').forEach(each => each.open = true)")
    browser.run("scrollTo(0, document.body.scrollHeight)")
    assert browser.complaints() == []
    assert browser.requests() == [page.as_uri()]


def test_a_complaint_and_a_request_would_be_seen(browser: Browser, page: Path) -> None:
    browser.run(
        "const image = new Image(); image.src = 'https://example.invalid/a.png'; document.body.append(image)"
    )
    browser.until("return document.images.length > 0")
    browser.run("return new Promise(done => setTimeout(done))")
    assert any("Content Security Policy" in each for each in browser.complaints())


def test_the_answer_stands_first(browser: Browser) -> None:
    assert browser.texts("h1") == ["press/id_09 needs attention: alarm since 2026-11-03 14:02."]
    top, height = browser.run(
        "return [document.querySelector('.machines').getBoundingClientRect().top, innerHeight]"
    )
    assert top < height
    assert browser.texts(".machine .name") == ["press/id_09", "fan/id_00"]
    assert browser.texts(".machine .state")[0] == "Needs attention"


def test_sorted_by_a_click_on_a_column(browser: Browser) -> None:
    browser.click("[data-by=score]")
    falling = [float(text) for text in column(browser, 4)]
    assert len(falling) == N_CLIPS
    assert falling == sorted(falling, reverse=True)
    assert browser.run("return document.querySelector('[data-by=score]').parentNode.ariaSort") == "descending"
    browser.click("[data-by=score]")
    assert [float(text) for text in column(browser, 4)] == falling[::-1]
    browser.click("[data-by=path]")
    names = column(browser, 2)
    assert names == sorted(names)


def test_filtered_by_words_machine_and_flag(browser: Browser) -> None:
    browser.click("#find")
    browser.press("ANOMALY id_09")
    assert browser.texts("#count") == [f"1 to {N_FAULTY} of {N_FAULTY} clips"]
    assert all("anomaly_id_09" in name for name in column(browser, 2))
    enter(browser, "find", "")
    enter(browser, "which", "0")
    assert set(column(browser, 3)) == {"fan/id_00"}
    enter(browser, "which", "")
    browser.click("#flagged-only")
    assert len(column(browser, 1)) >= N_FAULTY
    assert set(column(browser, 1)) == {"▲ flagged"}
    browser.click("#find")
    browser.press("no clip is called so")
    assert (browser.texts("#count"), column(browser, 1)) == (["no clip"], [])


def test_everything_is_reached_by_keyboard(browser: Browser) -> None:
    from selenium.webdriver.common.keys import Keys

    reached = []
    for _ in range(300):
        browser.press(Keys.TAB)
        told = browser.run(
            "const at = document.activeElement, seen = getComputedStyle(at).outlineStyle !== 'none';"
            "return [at.tagName, at.id || at.dataset.by || '', seen || at.tagName === 'AUDIO']"
        )
        if told[0] == "BODY":
            break
        assert told[2], told
        reached.append(told[1] or told[0])
        if told[1] == "score":
            browser.press(Keys.ENTER)
    assert {"theme", "find", "which", "flagged-only", "score", "path", "A", "AUDIO", "SUMMARY"} <= set(
        reached
    )
    assert browser.run("return document.querySelector('[data-by=score]').parentNode.ariaSort") == "descending"


def test_a_sound_is_played_and_the_one_before_it_stops(browser: Browser) -> None:
    browser.run("document.querySelectorAll('audio')[0].play()")
    browser.until("return document.querySelectorAll('audio')[0].currentTime > 0")
    assert browser.run("return document.querySelectorAll('audio')[0].duration") == pytest.approx(4.0)
    browser.run("document.querySelectorAll('audio')[1].play()")
    browser.until("const [a, b] = document.querySelectorAll('audio'); return a.paused && b.currentTime > 0")
    assert browser.complaints() == []


def test_pictures_are_drawn(browser: Browser) -> None:
    n_clips = len(browser.texts(".clip"))
    assert browser.run("return document.querySelectorAll('.sound image').length") == 2 * n_clips
    loaded = browser.run(
        "return Promise.all([...document.querySelectorAll('.sound image')].slice(0, 2).map(async each => {"
        "const image = new Image(); image.src = each.href.baseVal; await image.decode();"
        "return [image.width, image.height]}))"
    )
    assert loaded == [[313, 128]] * 2


def test_links_lead_to_clips_and_open_machines(browser: Browser) -> None:
    browser.click("#list tbody a")
    browser.until("return location.hash === '#clip-1'")
    anchor = browser.run("return document.querySelectorAll('.machine')[1].hash")
    assert browser.run("return document.querySelector(arguments[0]).open", anchor) is False
    browser.run("document.querySelectorAll('.machine')[1].click()")
    browser.until(f"return document.querySelector('{anchor}').open")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("size", [PHONE, DESK])
def test_it_fits_and_can_be_read(started: Browser, page: Path, dark: bool, size: tuple[int, int]) -> None:
    started.open(page, dark=dark, size=size)
    started.until(LISTED)
    started.run("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert started.run("return document.documentElement.scrollWidth") <= size[0]
    contrasts = started.run(CONTRAST)
    assert len(contrasts) > 100
    assert [each for each in contrasts if each[0] < 4.5] == []
    paper = started.run("return getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") is not dark


def test_the_switch_goes_against_the_system(started: Browser, page: Path) -> None:
    background = "return getComputedStyle(document.body).backgroundColor"
    started.open(page, dark=True)
    dark = started.run(background)
    started.click("#theme")
    light = started.run(background)
    assert light == "rgb(255, 255, 255)" != dark
    started.click("#theme")
    assert started.run(background) == dark
    started.run("localStorage.clear()")


def test_strange_names_stay_names(started: Browser, site: Site, tmp_path: Path) -> None:
    strange = [
        "<script>window.seen = 1</script>.wav",
        "\"><img src=x onerror='window.seen = 1'>.wav",
        "</script><script>window.seen = 1</script>.wav",
        "javascript:window.seen=1",
        "a\x07\x1b[31m\u202eb.wav",
        "{{ 7 * 7 }}.wav",
        "%2e%2e/" + "x" * 3000,
    ]
    lines = [
        {
            "path": name,
            "machine": "<b>m</b>&amp;/id_00",
            "status": "ok",
            "score": f"{number}",
            "quality": name,
        }
        | {"explanation": name, "recorded_at": name}
        for number, name in enumerate(strange)
    ]
    make_page(write_rows(tmp_path / "s.csv", lines), tmp_path / "<i>s.html")
    started.open(tmp_path / "<i>s.html")
    started.until(LISTED)
    assert started.run(
        "return window.seen === undefined && !document.querySelector('main b b, main img, main i i')"
    )
    assert started.texts("h3")[0] == "1. <b>m</b>&amp;/id_00"
    assert set(column(started, 2)) == set(strange)
    assert all(
        started.run("return [...document.querySelectorAll('a')].map(a => /^(file|data):/.test(a.href))")
    )
    assert started.run("return document.documentElement.scrollWidth") <= DESK[0]
    assert started.complaints() == []


def test_pages_of_the_list(started: Browser, site: Site, tmp_path: Path) -> None:
    lines = [
        {"path": f"{n}.wav", "machine": "fan/id_00", "status": "ok", "score": f"{n}"} for n in range(120)
    ]
    make_page(write_rows(tmp_path / "s.csv", lines), tmp_path / "s.html", PageOptions(n_worst=0))
    started.open(tmp_path / "s.html", size=PHONE)
    started.until(LISTED)
    assert started.texts("#count") == ["1 to 50 of 120 clips"]
    for _ in range(2):
        started.click("#on")
    assert started.texts("#count") == ["101 to 120 of 120 clips"]
    assert started.run(
        "return [document.getElementById('on').disabled, document.getElementById('back').disabled]"
    ) == [True, False]


def test_recordings_that_moved_leave_the_page_whole(started: Browser, site: Site, tmp_path: Path) -> None:
    table = change(site.table, lambda row: row | {"path": f"gone/{row['path']}"}, tmp_path / "s.csv")
    made = make_page(table, tmp_path / "s.html")
    assert any("--audio-root" in note for note in made.notes)
    started.open(tmp_path / "s.html")
    started.until(LISTED)
    assert started.complaints() == []
    assert len(started.texts(".clip")) == len(made.clips)
    assert started.run("return document.querySelectorAll('audio, .sound').length") == 0


@pytest.mark.parametrize(("dark", "size"), [(True, PHONE), (False, DESK)])
def test_the_page_of_a_training_fits_and_asks_nobody(
    started: Browser, tmp_path: Path, dark: bool, size: tuple[int, int]
) -> None:
    classes = [f"machine_with_a_name/id_{number:02d}" for number in range(12)]
    confusion = tuple(
        tuple(4 * (row == column) + (row == column + 1) for column in range(12)) for row in range(12)
    )
    write_training_page(tmp_path, made_up_training(tmp_path, classes, confusion))
    page = tmp_path / PAGE_FILE
    started.open(page, dark=dark, size=size)
    started.run("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert started.complaints() == []
    assert started.requests() == [page.as_uri()]
    assert started.texts("h1") == ["The network learned only in part to tell its classes apart."]
    assert started.run("return document.documentElement.scrollWidth") <= size[0]
    assert [each for each in started.run(CONTRAST) if each[0] < 4.5] == []
