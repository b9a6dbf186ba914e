"""The loop of a watch: each file gets its lines, alarms and events, all of them once, whatever ends it."""

import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.audio.recorded_at import AS_RECORDED
from osscl.backends import ComputeOptions
from osscl.decisions.alarms import AlarmRule
from osscl.detector import Detector
from osscl.events.json_lines import JsonLinesFile
from osscl.journal.journal import Journal
from osscl.journal.settings import settings_of
from osscl.live.opening import WatchOptions, opened_watch
from osscl.live.progress import Progress
from osscl.live.telling import Telling, Which
from osscl.live.watching import Scoring, Watching
from osscl.live.wholeness import FileState
from osscl.machines.labels import machine_source
from osscl.runs.explaining import Explainer
from osscl.scoring.record import Record
from support.remembering import (
    faulty_clips,
    memories_by_domain,
    normal_clips,
    stored_memory,
    write_clips,
    write_model,
)

MACHINE = "fan/id_00"


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Detector]:
    model = tmp_path_factory.mktemp("model") / "memory.onnx"
    write_model(model, [stored_memory(MACHINE, normal_clips(1, 24))], network=False)
    with Detector(model, ComputeOptions("cpu", threads=1)) as opened:
        yield opened


@dataclass
class Site:
    """A folder that is watched again and again, over one journal, with events into one file."""

    folder: Path
    detector: Detector
    which: Which = "all"
    rule: AlarmRule = field(default_factory=lambda: AlarmRule(2, 3))
    explains: bool = False
    hop_s: float | None = None
    progress: Progress = field(default_factory=Progress)

    @contextmanager
    def opened(self, beat: Callable[[], None] = lambda: None, **options: Any) -> Iterator[Watching]:
        machine_of = machine_source(self.detector.machines, MACHINE)
        explains = Explainer(self.detector, AS_THEY_ARE).explained if self.explains else None
        scoring = Scoring(self.detector, machine_of, Fit(), AS_RECORDED, self.hop_s, explains=explains)
        settings = settings_of(
            self.detector.manifest,
            self.detector.judges,
            self.detector.facts,
            [str(self.folder / "in")],
            fit=Fit(),
            hop_s=self.hop_s,
        )
        (self.folder / "in").mkdir(exist_ok=True)
        how = WatchOptions(**({"settle_s": 0.01} | options), which=self.which, rule=self.rule)
        with (
            Journal.open(self.journal, settings) as journal,
            opened_watch(
                str(self.folder / "in"),
                journal,
                scoring,
                how,
                sinks=[JsonLinesFile(self.folder / "events.jsonl")],
                progress=self.progress,
                beat=beat,
            ) as watching,
        ):
            self.open_journal = journal
            yield watching

    @property
    def journal(self) -> Path:
        return self.folder / "watch.csv.journal"

    def watch_until(self, n_files: int, **options: Any) -> list[Record]:
        """Watch until so many files are scored since the site was made."""
        with self.opened(**options) as watching:
            watching.run(lambda: self.progress.files.total() >= n_files)
            return list(self.open_journal.records())

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "events.jsonl").read_text().splitlines()]


@pytest.fixture
def site(tmp_path: Path, detector: Detector) -> Site:
    return Site(tmp_path, detector)


def names(records: list[Record]) -> list[str]:
    return [Path(record.path).name for record in records]


def test_each_file_gets_a_row_and_an_event(site: Site) -> None:
    write_clips(site.folder / "in", "good", normal_clips(7, 2))
    write_clips(site.folder / "in" / "deeper", "bad", faulty_clips(7, 1))
    records = site.watch_until(3)
    expected = {
        record.path: record
        for record in site.detector.score_files([record.path for record in records], MACHINE)
    }
    told = {event["path"]: event for event in site.events() if not event["kind"].startswith("alarm")}
    assert sorted(names(records)) == ["bad00000000.wav", "good00000000.wav", "good00000001.wav"]
    for record in records:
        assert record.score == expected[record.path].score
        event = told[record.path]
        assert event["score"] == record.score
        assert event["is_anomaly"] == expected[record.path].is_anomaly
        assert event["kind"] == ("anomaly" if event["is_anomaly"] else "score")
        assert event["threshold"] == expected[record.path].threshold
    assert told[str(site.folder / "in" / "deeper" / "bad00000000.wav")]["kind"] == "anomaly"
    assert len({event["id"] for event in site.events()}) == len(site.events()) == 3
    assert site.progress.files == {"ok": 3}
    assert site.progress.anomalies == {MACHINE: 1}


def test_the_name_of_a_file_tells_which_domains_memory_judges_it(tmp_path: Path) -> None:
    model = write_model(tmp_path / "moved.onnx", memories_by_domain(MACHINE), network=False)
    for name in ("a_source_", "a_target_", "a_"):
        write_clips(tmp_path / "in", name, normal_clips(3, 1))
    with Detector(model, ComputeOptions("cpu", threads=1)) as moved:
        records = Site(tmp_path, moved).watch_until(3)
        expected = moved.score_files([record.path for record in records], MACHINE)
        assert [record.score for record in records] == [record.score for record in expected]
    scores = {Path(record.path).name.rpartition("_")[0]: record.score for record in records}
    assert scores["a_source"] == scores["a"] != scores["a_target"]


def test_a_second_watch_scores_what_came_meanwhile_and_nothing_twice(site: Site) -> None:
    write_clips(site.folder / "in", "first", normal_clips(8, 2))
    before = site.watch_until(2)
    write_clips(site.folder / "in", "second", normal_clips(9, 1))
    after = site.watch_until(3)
    assert after[:2] == before
    assert names(after)[2:] == ["second00000000.wav"]
    assert [Path(event["path"]).name for event in site.events()] == names(after)


def test_files_that_cannot_be_scored_have_rows_and_events_too(site: Site) -> None:
    site.which = "anomalies"
    write_clips(site.folder / "in", "good", normal_clips(10, 1))
    whole = (site.folder / "in" / "good00000000.wav").read_bytes()
    (site.folder / "in" / "cut.wav").write_bytes(whole[:1000])
    (site.folder / "in" / "short.wav").write_bytes(_shorter(whole))
    records = site.watch_until(3, give_up_s=0.05)
    statuses = {Path(record.path).name: record.status for record in records}
    assert statuses == {"good00000000.wav": "ok", "cut.wav": "corrupt", "short.wav": "unfit"}
    told = {Path(event["path"]).name: (event["kind"], event["status"]) for event in site.events()}
    assert told == {"cut.wav": ("unscored", "corrupt"), "short.wav": ("unscored", "unfit")}
    assert site.progress.files == {"ok": 1, "corrupt": 1, "unfit": 1}
    again = site.watch_until(0, give_up_s=0.05)
    assert again == records


def _shorter(whole: bytes) -> bytes:
    """The same WAV file with its first second alone."""
    n_bytes = 32_000
    sizes = (36 + n_bytes).to_bytes(4, "little"), n_bytes.to_bytes(4, "little")
    return whole[:4] + sizes[0] + whole[8:40] + sizes[1] + whole[44 : 44 + n_bytes]


def test_alarms_are_raised_and_released_over_restarts(site: Site) -> None:
    """2 of the last 3 clips: flagged, then a restart, flagged (raised), well, well (over)."""
    site.which = "alarms"
    for number, clips in enumerate(
        [faulty_clips(11, 1), faulty_clips(12, 1), normal_clips(11, 1), normal_clips(12, 1)]
    ):
        write_clips(site.folder / "in", f"clip{number}_", clips)
        site.watch_until(number + 1)
    told = [(event["kind"], Path(event["path"]).name) for event in site.events()]
    assert told == [("alarm", "clip1_00000000.wav"), ("alarm_over", "clip3_00000000.wav")]
    assert site.events()[0]["message"] == f"alarm of {MACHINE}: 2 of its last 3 clips were flagged"
    assert site.progress.alarms == {MACHINE: 1}
    assert site.progress.standing == []


def test_a_recording_has_one_vote_however_often_it_is_written_or_renamed(site: Site) -> None:
    site.which = "alarms"
    write_clips(site.folder / "in", "bad", faulty_clips(11, 1))
    path = site.folder / "in" / "bad00000000.wav"
    site.watch_until(1)
    for number in (2, 3):
        os.utime(path, ns=(number, number))
        assert len(site.watch_until(number)) == 1
    path.rename(path.with_name("renamed.wav"))
    assert len(site.watch_until(4)) == 2
    assert site.events() == []
    write_clips(site.folder / "in", "other", faulty_clips(12, 1))
    site.watch_until(5)
    assert [event["kind"] for event in site.events()] == ["alarm"]
    write_clips(site.folder / "in", "other", normal_clips(12, 1))
    site.watch_until(6)
    assert [event["kind"] for event in site.events()] == ["alarm", "alarm_over"]


def test_a_recording_in_windows_is_one_file_and_one_line_of_the_log(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """Of five windows one cannot be scored, and three are flagged."""
    caplog.set_level(logging.INFO, "osscl.live")
    site.hop_s, site.which = 10.0, "alarms"
    bad, good = faulty_clips(15, 3), normal_clips(15, 1)
    broken = np.full_like(good[0], np.nan, dtype=np.float32)
    parts = [np.float32(each) / 32_768 for each in (bad[0], broken, bad[1], bad[2], good[0])]
    (site.folder / "in").mkdir()
    path = site.folder / "in" / "long.wav"
    soundfile.write(path, np.concatenate(parts), 16_000, subtype="FLOAT")
    records = site.watch_until(1)
    windows = [record for record in records if record.scope == "window"]
    assert [record.status for record in windows] == ["ok", "corrupt", "ok", "ok", "ok"]
    assert site.progress.files == {"corrupt": 1}
    assert site.progress.n_timed == 1
    assert site.progress.anomalies == {MACHINE: 3}
    told = [record.getMessage() for record in caplog.records if record.name == "osscl.live.watching"]
    assert told == [
        f"alarm: {MACHINE}, {path} from 20 s: 2 of its last 3 clips were flagged",
        f"not scored: {path} from 10 s: {windows[1].reason}",
        f"flagged: {MACHINE}, {path} from 0 s (3 of 5 windows), p 0.04 at least",
    ]


def test_what_scored_and_decided_is_part_of_an_events_id() -> None:
    def id_by(graph: str = "g", fingerprint: str = "f", threshold: float = 1.0) -> str:
        telling = Telling("all", graph, lambda _: fingerprint, AlarmRule())
        record = Record(path="a.wav", machine=MACHINE, score=2.0, p_value=0.5, threshold=threshold)
        [event] = telling.events(record, FileState(1, 2), None)
        return event.id

    assert id_by() == id_by()
    assert len({id_by(), id_by(graph="h"), id_by(fingerprint="e"), id_by(threshold=1.5)}) == 4


def test_events_hold_the_explanation_that_the_row_has(site: Site) -> None:
    site.explains, site.which = True, "anomalies"
    write_clips(site.folder / "in", "bad", faulty_clips(13, 1))
    [record] = site.watch_until(1)
    [event] = site.events()
    assert record.explanation
    assert event["explanation"] == record.explanation


def test_a_file_that_was_changed_after_it_was_scored_is_scored_anew(site: Site) -> None:
    write_clips(site.folder / "in", "clip", normal_clips(14, 1))
    [before] = site.watch_until(1)
    write_clips(site.folder / "in", "clip", faulty_clips(14, 1))
    [after] = site.watch_until(2)
    assert (before.path, after.path) == (after.path, before.path)
    assert before.score != after.score
    assert [event["kind"] for event in site.events()] == ["score", "anomaly"]


def test_what_breaks_off_leaves_rows_and_events_together(site: Site) -> None:
    """Whatever was kept has its event, and the next watch scores the others."""
    write_clips(site.folder / "in", "clip", normal_clips(15, 6))

    def break_off() -> None:
        if site.progress.files.total() == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), site.opened(beat=break_off) as watching:
        watching.run(lambda: False)
    kept = site.watch_until(0)
    assert len(kept) == 3
    assert {event["path"] for event in site.events()} == {record.path for record in kept}
    every = site.watch_until(6)
    assert len(every) == len({record.path for record in every}) == 6
    assert sorted(event["path"] for event in site.events()) == sorted(record.path for record in every)


def test_asked_to_stop_it_finishes_what_it_has_begun(site: Site) -> None:
    write_clips(site.folder / "in", "clip", normal_clips(16, 4))
    is_asked = False

    def ask() -> None:
        nonlocal is_asked
        is_asked = site.progress.files.total() >= 1

    with site.opened(beat=ask) as watching:
        watching.run(lambda: is_asked)
        n_scored = site.progress.files.total()
    records = site.watch_until(0)
    assert len(records) == n_scored
    assert len(site.events()) == n_scored
