"""Pages of tables of all kinds: what they say, what they refuse, and how large they get."""

import base64
import datetime
import json
import re
import zlib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec.structs
import numpy as np
import pytest
import soundfile

from osscl.audio.reading import AS_THEY_ARE
from osscl.errors import ConfigError, EvaluationError, OutputError
from osscl.evaluation.evaluating import evaluate
from osscl.evaluation.labelled import label_by_names
from osscl.model_file.limits import DetectionLimit, MachineLimits
from osscl.page.contents import Contents
from osscl.page.evidence import EXCERPT_S, evidence_of, hear
from osscl.page.gathering import PageOptions, gather
from osscl.page.making import make_page
from osscl.page.rendering import render
from osscl.page.rows import MAX_UNFLAGGED, packed_rows
from osscl.page.scored import by_machine
from osscl.page.since import Since
from osscl.page.whereabouts import Whereabouts
from osscl.page.worst import worst_clips
from osscl.runs.score_table import read_records
from osscl.scoring.record import Record
from support.pages import N_FAULTY, N_NORMAL, Row, Site, change, make_site, rows, write_rows
from support.remembering import normal_clips, stored_memory, write_model

HEADER = "path,machine,status,score"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return make_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def contents(site: Site) -> Contents:
    return gather(site.table, site.folder, PageOptions(audio_root=site.folder))


def made(table: Path, **options: Any) -> tuple[Contents, str]:
    """Make a page beside a table, and read it."""
    output = table.with_suffix(".html")
    found = make_page(table, output, PageOptions(**options))
    return found, output.read_text(encoding="utf-8")


def unpacked(page: str) -> dict[str, Any]:
    """The lines that a page holds for its script."""
    packed = re.search(r'id="rows">([^<]*)<', page)
    assert packed is not None
    found: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(packed[1])))
    return found


class Addresses(HTMLParser):
    """Collects all that a page could ask for."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [
            (tag, value or "") for name, value in attrs if name in ("href", "src", "action", "srcset")
        ]


def test_what_a_page_says_of_a_site(contents: Contents) -> None:
    assert contents.headline == "press/id_09 needs attention: alarm since 2026-11-03 14:02."
    assert contents.trust.startswith("You can trust it: every machine was compared with 24 normal recordings")
    [press, fan] = contents.machines
    assert (press.scores.name, press.standing.state, press.scores.n_flagged >= N_FAULTY) == (
        "press/id_09",
        "attention",
        True,
    )
    assert fan.standing.state in ("quiet", "chance")
    assert contents.recorded == "2026-11-03 08:00 to 2026-11-03 14:11"
    assert not isinstance(press.truth, str | None)
    assert press.truth.decisions is not None
    assert press.truth.decisions.n_detected == N_FAULTY
    assert contents.facts["scored_by press/id_09"]


def test_drift_and_alarms_stand_where_they_began(contents: Contents) -> None:
    [press, fan] = contents.machines
    assert press.timeline.drift is not None
    share = (press.timeline.drift.x - press.timeline.frame.left) / press.timeline.frame.width
    assert share == pytest.approx(360 / 371, abs=0.01)  # 14:00, on an axis from 8:00 to 14:11
    assert any("no longer like its calibration, since about 2026-11-03 14:0" in told for told in press.told)
    assert (fan.timeline.drift, fan.told) == (None, ())


NOW = datetime.datetime(2026, 11, 5, 6, 0, tzinfo=datetime.UTC)


def healed(row: Row) -> Row:
    """The fault lies on the day before the normal clips, and the whole table is of a run that ended later."""
    day = 3 if "anomaly" in row["path"] else 4
    return row | {"recorded_at": row["recorded_at"].replace("-03T", f"-{day:02}T")}


def test_attention_ends_where_recordings_since_are_well(site: Site, tmp_path: Path) -> None:
    table = change(site.table, healed, tmp_path / "s.csv")
    before, page = made(table, model=site.model, audio_root=site.folder, n_worst=3)
    # the alarm is over, and all that was ever flagged still counts
    over = "alarm over since 2026-11-04 08:02"
    assert before.headline == f"press/id_09 needs attention: {over}."
    assert over in before.machines[0].standing.summary
    assert over in page

    since = Since.read("2026-11-04", NOW)
    output = tmp_path / "since.html"
    options = PageOptions(model=site.model, audio_root=site.folder, n_worst=30, since=since)
    after = make_page(table, output, options)
    assert after.headline.startswith("Since 2026-11-04 00:00: ")
    assert {part.standing.state for part in after.machines} <= {"quiet", "chance"}
    assert (after.n_clips, after.n_flagged) == (
        2 * N_NORMAL,
        sum(p.counted.n_flagged for p in after.machines),
    )
    assert not any("anomaly" in clip.record.path for clip in after.clips)
    assert any("24 of 36 lines; histories and charts hold all" in note for note in after.notes)
    [press] = [part for part in after.machines if part.scores.name == "press/id_09"]
    assert len(press.scores.lines) == N_NORMAL + N_FAULTY  # history and trend are of all
    assert press.timeline.alarms
    assert over in press.standing.summary

    late = gather(table, tmp_path, PageOptions(model=site.model, since=Since.read("2026-11-05", NOW)))
    assert late.clips == []
    assert {part.standing.summary.partition(";")[0] for part in late.machines} == {
        "no clip with a score since 2026-11-05 00:00"
    }
    assert late.headline == "Since 2026-11-05 00:00: No clip has a score."


@pytest.mark.parametrize(
    ("text", "time", "counts"),
    [
        ("24h", "2026-11-04T06:00:00+00:00", True),
        ("24h", "2026-11-04T05:59:59+00:00", False),
        ("1d", "2026-11-04T07:00:00+01:00", True),
        ("2026-11-04", "2026-11-04T00:00:00", True),
        ("2026-11-04", "2026-11-03T23:59:59", False),
        ("2026-11-04T12:00", "2026-11-04", True),  # some time of that day
        ("2026-11-04T12:00", "no time", False),
    ],
)
def test_since(text: str, time: str, counts: bool) -> None:
    since = Since.read(text, NOW)
    lines = [Record(path="a", recorded_at=time), Record(path="b")]
    for scored_at, untimed in ((None, True), ("2026-11-01T00:00:00+00:00", False)):
        assert since.counting(lines, scored_at).tolist() == [counts, untimed]


@pytest.mark.parametrize("text", ["24", "yesterday", "24 weeks", "", "999999999999d"])
def test_no_since(text: str) -> None:
    with pytest.raises(
        ConfigError, match=f"--since is '{text}'; expected a span such as 24h or 7d, or a date"
    ):
        Since.read(text, NOW)


def test_files_without_a_score_are_named_at_the_top(tmp_path: Path) -> None:
    lines = [f"{n}.wav,fan/id_00,corrupt,,cut off: resample=True (--resample)" for n in range(6)]
    (tmp_path / "s.csv").write_text("\n".join([f"{HEADER},reason", "a.wav,fan/id_00,ok,1.5,", *lines, ""]))
    found, page = made(tmp_path / "s.csv")
    assert (found.unscored.n, len(found.unscored.first)) == (6, 3)
    top = page[page.index('id="unscored"') : page.index('id="machines"')]
    assert "6 without a score" in top
    assert [top.count(f">{n}.wav ") for n in range(6)] == [1] * 6
    assert top.count("cut off: --resample<") == 6  # whoever reads a page calls commands
    assert top.index(">2.wav") < top.index("The other 3") < top.index(">3.wav")
    whole, _ = made(change(tmp_path / "s.csv", dict, tmp_path / "t.csv"), since=Since.read("1d", NOW))
    assert whole.unscored.n == 6  # when they were made is not known, nor when the table was


def test_the_worst_clips_are_explained_and_heard(contents: Contents, site: Site) -> None:
    clips = contents.clips
    assert [Path(clip.record.path).name[:7] for clip in clips[:N_FAULTY]] == ["anomaly"] * N_FAULTY
    assert all("Hz" in (clip.sentence or "") for clip in clips[:N_FAULTY])
    assert clips[0].rarity == "none of 24 normal recordings scores as high"
    for clip in clips[:2]:
        assert clip.evidence is not None
        assert clip.normal_place is not None
        assert "/press/test/normal" in clip.normal_place
        content = base64.b64decode(clip.evidence.excerpt.partition(",")[2])
        path = site.folder / "excerpt.flac"
        path.write_bytes(content)
        excerpt, rate = soundfile.read(path, dtype="int16")
        whole, _ = soundfile.read(site.folder / clip.record.path, dtype="int16")
        begin = round(clip.evidence.excerpt_start_s * rate)
        assert (rate, len(excerpt)) == (16_000, EXCERPT_S * rate)
        np.testing.assert_array_equal(excerpt, whole[begin : begin + len(excerpt)])
        assert (site.folder / clip.evidence.href).resolve() == (site.folder / clip.record.path).resolve()


def test_the_excerpt_holds_the_largest_deviation(tmp_path: Path) -> None:
    clip = normal_clips(9, 1)[0].copy()
    clip[int(7.3 * 16_000) : int(7.5 * 16_000)] *= 5
    soundfile.write(tmp_path / "a.wav", clip, 16_000)
    heard = hear(tmp_path / "a.wav", AS_THEY_ARE)
    assert not isinstance(heard, str)
    start_s = evidence_of(heard, None, None, tmp_path).excerpt_start_s
    assert start_s <= 7.3
    assert 7.5 <= start_s + EXCERPT_S <= 10


def test_a_page_asks_for_nothing(site: Site) -> None:
    _, page = made(site.table, audio_root=site.folder)
    found = Addresses(page).found
    assert len(found) > 20
    for tag, address in found:
        assert address.startswith(("#", "data:")) or (tag == "a" and address.startswith("./")), (tag, address)
    assert "default-src 'none'" in page
    assert len(page) < 8_000_000


def test_the_first_of_pages_are_the_same_for_the_same_input(site: Site, tmp_path: Path) -> None:
    pages = [made(change(site.table, dict, tmp_path / "s.csv"))[1]]
    (tmp_path / "s.html").unlink()
    assert made(tmp_path / "s.csv")[1] == pages[0]


@pytest.mark.parametrize(
    ("lines", "headline"),
    [
        ([], "The table is empty: no file was scored."),
        (["a.wav,,unreadable,"], "None of 1 file has a score."),
        (["a.wav,fan/id_00,ok,1.5"], "Nothing was decided: these are scores without a threshold."),
        (["a.wav,,ok,1.5"], "Nothing was decided: these are scores without a threshold."),
        (
            [f"{n}.wav,fan/id_00,ok,7" for n in range(9)],
            "Nothing was decided: these are scores without a threshold.",
        ),
    ],
)
def test_pages_of_few_files(tmp_path: Path, lines: list[str], headline: str) -> None:
    (tmp_path / "s.csv").write_text("\n".join([HEADER, *lines, ""]))
    found, page = made(tmp_path / "s.csv")
    assert found.headline == headline
    assert page.count("<h1>") == 1
    assert len(found.rows.packed) > 0
    if lines:
        assert unpacked(page)["path"] == [line.partition(",")[0] for line in lines]


def test_a_table_without_decisions_shows_the_highest(site: Site, tmp_path: Path) -> None:
    undecided = {"p_value": "", "threshold": "", "is_anomaly": ""}
    found, page = made(
        change(site.table, lambda row: row | undecided, tmp_path / "s.csv"), audio_root=site.folder
    )
    assert "The highest scores (none flagged)" in page
    assert found.level == "unknown"
    assert found.trust.startswith("Nothing to trust yet")
    assert {machine.timeline.threshold_y for machine in found.machines} == {None}
    first = next(clip for clip in found.clips if clip.record.machine == "press/id_09")
    assert "anomaly" in first.record.path


def test_scores_of_another_model_are_refused(site: Site, tmp_path: Path) -> None:
    other = write_model(
        tmp_path / "other.onnx", [stored_memory("press/id_09", normal_clips(8, 12))], network=False
    )
    for model, why in (
        (other, "press/id_09, fan/id_00|fan/id_00, press/id_09"),
        (Path("demo"), "press/id_09"),
    ):
        with pytest.raises(EvaluationError, match=f"of ({why}|.*) are of another network or memory than"):
            make_page(site.table, tmp_path / "s.html", PageOptions(model=model))
    assert not (tmp_path / "s.html").exists()


def test_the_model_of_the_record_is_taken_where_it_is_unchanged(site: Site, tmp_path: Path) -> None:
    table = change(site.table, dict, tmp_path / "s.csv")
    record = site.table.with_name("scores.csv.run.json")
    (tmp_path / "s.csv.run.json").write_bytes(record.read_bytes())
    assert made(table)[0].machines[0].standing.n_normal == 24
    run = json.loads(record.read_text()) | {"model_sha256": "0" * 64}
    (tmp_path / "s.csv.run.json").write_text(json.dumps(run))
    (tmp_path / "s.html").unlink()
    found, _ = made(table)
    assert found.machines[0].standing.n_normal == 0
    assert any("Name it by --model" in note for note in found.notes)
    assert "not known" in found.headline


def test_recordings_are_found_below_another_folder(tmp_path: Path) -> None:
    relative = Whereabouts(["a/b.wav"], tmp_path)
    assert relative.of("a/b.wav") == tmp_path / "a/b.wav"
    absolute = Whereabouts(["/data/x/1.wav", "/data/y/z/2.wav", "c.wav"], tmp_path)
    assert absolute.of("/data/y/z/2.wav") == tmp_path / "y/z/2.wav"
    assert absolute.of("c.wav") == tmp_path / "c.wav"
    assert Whereabouts(["/data/x/1.wav"], tmp_path).of("/data/x/1.wav") == tmp_path / "1.wav"
    assert Whereabouts(["/data/x/1.wav"]).of("/data/x/1.wav") == Path("/data/x/1.wav")
    assert Whereabouts([r"a\xff.wav"], tmp_path).of(r"a\xff.wav").name == "a\udcff.wav"


def test_times_that_go_back_are_put_in_order_and_said(site: Site, tmp_path: Path) -> None:
    found, _ = made(write_rows(tmp_path / "s.csv", rows(site.table)[::-1]), model=site.model)
    assert any("times go back" in note for note in found.notes)
    [ahead] = [
        machine
        for machine in gather(site.table, tmp_path, PageOptions()).machines
        if machine.scores.name == "fan/id_00"
    ]
    [back] = [machine for machine in found.machines if machine.scores.name == "fan/id_00"]
    assert (back.timeline.unflagged, back.timeline.flagged) == (
        ahead.timeline.unflagged,
        ahead.timeline.flagged,
    )


def test_all_flagged_and_the_highest_others_are_listed() -> None:
    n = 3 * MAX_UNFLAGGED
    lines = [
        Record(path=f"{i}.wav", machine=f"m{i % 3}", score=float(i), threshold=5e9, is_anomaly=i % 10 == 0)
        for i in range(n)
    ]
    few = packed_rows(by_machine(lines), {20: 1})
    columns = json.loads(zlib.decompress(base64.b64decode(few.packed)))
    assert (few.n_shown, few.n_left_out) == (MAX_UNFLAGGED, n - MAX_UNFLAGGED)
    assert sum(columns["flagged"]) == n // 10
    assert columns["clip"][columns["path"].index("20.wav")] == 1
    flags = columns["flagged"]
    assert flags == sorted(flags, reverse=True)
    unflagged = columns["excess"][n // 10 :]
    assert unflagged == sorted(unflagged, reverse=True)
    many = packed_rows(by_machine([msgspec.structs.replace(line, is_anomaly=True) for line in lines]), {})
    assert (many.n_shown, many.n_left_out) == (n, 0)


def test_every_machine_has_its_worst_among_the_clips_shown() -> None:
    lines = [
        Record(path=f"{m}/{i}", machine=f"m{m}", score=float(i + 100 * m), threshold=5.0, is_anomaly=i > 5)
        for m in range(4)
        for i in range(30)
    ]
    chosen = worst_clips(by_machine(lines), 6)
    assert {each.scores.machine for each in chosen} == {"m0", "m1", "m2", "m3"}
    assert len(chosen) == 6
    excess = [each.excess for each in chosen]
    assert excess == sorted(excess, reverse=True)
    assert worst_clips(by_machine(lines), 0) == []


def test_roc_figures_are_those_of_evaluate(site: Site, contents: Contents) -> None:
    labelled = label_by_names(
        record for record in read_records(site.table) if record.machine == "press/id_09"
    )
    [expected] = evaluate(labelled.scores).machines
    truth = contents.machines[0].truth
    assert not isinstance(truth, str | None)
    assert truth.figures == expected
    assert contents.machines[1].truth is None


def test_labels_that_cannot_be_used_are_said(site: Site, tmp_path: Path) -> None:
    found, _ = made(write_rows(tmp_path / "s.csv", [*rows(site.table), *rows(site.table)]))
    assert all(str(machine.truth).startswith("no ROC curve: ") for machine in found.machines)
    assert "more than once" in str(found.machines[0].truth)


def test_limits_are_shown_with_what_they_are(site: Site, contents: Contents) -> None:
    limit = DetectionLimit(
        change="burst", text="a 0.2 s burst of +5 dB in 1 to 2 kHz", low_hz=1e3, high_hz=2e3, rate_hz=None,
        duration_s=0.2, unit="dB", a50=3.0, a90=4.5, a90_95=5.0, largest=20.0,
    )  # fmt: skip
    of_press = MachineLimits(
        machine="press/id_09", rule="memory", false_alarm_rate=0.05, n_recordings=24, limits=(limit,)
    )
    machines = [machine._replace(limits=of_press) for machine in contents.machines[:1]]
    page = render(contents._replace(machines=machines, clips=[]))
    assert limit.text in page
    assert "fewer than 60" in page
    assert "not for every fault" in page


def test_a_machine_scored_by_two_rules_has_two_parts() -> None:
    lines = [Record(path="a", machine="m", score=1.0, rule=rule) for rule in ("memory", "network", "network")]
    assert [each.name for each in by_machine(lines).machines] == ["m (memory)", "m (network)"]


def test_places_that_cannot_be_written(site: Site, tmp_path: Path) -> None:
    taken = tmp_path / "taken.html"
    taken.touch()
    with pytest.raises(OutputError, match="exists"):
        make_page(site.table, taken)
    with pytest.raises(ConfigError, match=r"ends in \.html"):
        make_page(site.table, tmp_path / "s.pdf")
    with pytest.raises(OutputError, match="read by this very command"):
        make_page(site.table, taken, overwrite=True, inputs=[taken])
    assert make_page(site.table, taken, overwrite=True).n_files == 2 * N_NORMAL + N_FAULTY
