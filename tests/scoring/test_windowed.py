"""Long recordings, window by window: as many clips scored by themselves, and what they come to."""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from msgspec.structs import asdict

import osscl
from osscl.audio.candidate import Candidate
from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.audio.recorded_at import AS_RECORDED, moved
from osscl.errors import AudioReadError, ConfigError
from osscl.machines.labels import machine_source
from osscl.scoring.left_out import LeftOut
from osscl.scoring.record import FILE_SCOPES, Record
from support.remembering import faulty_clips, normal_clips, stored_memory, write_model

FAN = "fan/id_00"
HOP = 80_000


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("long")
    write_model(root / "model.onnx", [stored_memory(FAN, normal_clips(1, 40))], rules={FAN: "memory"})
    return root


@pytest.fixture(scope="module")
def sound(home: Path) -> np.ndarray:
    """34 s: normal, faulty, normal, and a part that is no window."""
    return np.concatenate([*normal_clips(2, 1), *faulty_clips(3, 1), *normal_clips(4, 2)])[:544_000]


@pytest.fixture(scope="module")
def recordings(home: Path, sound: np.ndarray) -> list[Candidate]:
    """A long recording among good, short, broken, damaged and missing ones, and machines nobody knows."""
    folder = home / "fan"
    folder.mkdir()
    soundfile.write(folder / "id_00_20261103_235955.wav", sound, 16_000)
    soundfile.write(folder / "id_00_b.flac", sound[:160_000], 16_000)
    soundfile.write(folder / "id_00_short.wav", sound[:99_999], 16_000)
    soundfile.write(folder / "id_77_long.wav", sound, 16_000)
    soundfile.write(folder / "id_00_dead.wav", sound[:320_000] * 0, 16_000)
    soundfile.write(
        folder / "id_00_float.wav", np.where(np.arange(480_000) == 200_000, np.nan, 0.1), 16_000, "FLOAT"
    )
    cut = (folder / "id_00_20261103_235955.wav").read_bytes()[:-300_000]
    (folder / "id_00_cut.wav").write_bytes(cut)
    (folder / "id_00_empty.wav").write_bytes(b"")
    names = ["20261103_235955", "short", "b", "dead", "float", "cut", "empty", "gone"]
    found = [
        Candidate(str(next(folder.glob(f"id_00_{name}.*"), folder / f"id_00_{name}.wav"))) for name in names
    ]
    found.insert(2, Candidate(str(folder / "id_77_long.wav")))
    found.insert(4, Candidate(str(home / "closed"), AudioReadError("the folder cannot be listed")))
    return found


def scored(
    home: Path,
    candidates: list[Candidate],
    hop_s: float | None = 5.0,
    *,
    rule: str = "memory",
    threads: int = 2,
    batch_size: int | None = None,
    fit: Fit = AS_THEY_ARE,
    left_out: LeftOut | None = None,
) -> list[Record]:
    with osscl.load(
        home / "model.onnx",
        "cpu",
        threads=threads,
        batch_size=batch_size,
        rule=rule,  # type: ignore[arg-type]
    ) as detector:
        names = machine_source(detector.machines)
        return list(
            detector.score_candidates(candidates, names, fit, AS_RECORDED, hop_s=hop_s, left_out=left_out)
        )


@pytest.mark.parametrize("rule", ["memory", "network"])
@pytest.mark.parametrize("pad", [None, "repeat"])
def test_a_window_is_scored_as_the_cut_is_by_itself(
    home: Path, tmp_path: Path, recordings: list[Candidate], sound: np.ndarray, rule: str, pad: str | None
) -> None:
    fit = Fit(pad=pad)  # type: ignore[arg-type]
    records = scored(home, recordings[:1], rule=rule, fit=fit)
    windows, whole = records[: -len(FILE_SCOPES)], records[-len(FILE_SCOPES) :]
    cuts = []
    (tmp_path / "fan").mkdir()
    for number in range(len(windows)):
        path = tmp_path / "fan" / f"id_00_{number}.wav"
        soundfile.write(path, sound[number * HOP :], 16_000)
        cuts.append(Candidate(str(path)))
    assert len(windows) == (5 if pad is None else 6)
    for number, (window, cut) in enumerate(
        zip(windows, scored(home, cuts, None, rule=rule, fit=fit), strict=True)
    ):
        said, wanted = asdict(window), asdict(cut)
        assert (said.pop("scope"), said.pop("start_s")) == ("window", 5.0 * number)
        assert said["recorded_at"] == moved("2026-11-03T23:59:55", 5.0 * number)
        for name in ("path", "scope", "start_s", "recorded_at"):
            said.pop(name, None)
            wanted.pop(name, None)
        assert said == wanted
    scores = np.array([window.score for window in windows])
    assert [line.scope for line in whole] == list(FILE_SCOPES)
    assert [line.score for line in whole] == pytest.approx(
        [scores.max(), scores.mean(), np.quantile(scores, 0.95)], rel=1e-6
    )
    assert whole[0].score == scores.max()
    assert [line.z_event for line in whole[1:]] == [None, None]
    assert whole[0].z_event == windows[int(scores.argmax())].z_event
    for line in whole:
        assert (line.status, line.start_s, line.duration_s, line.sample_rate_hz) == ("ok", None, 34.0, 16_000)
        assert (line.p_value, line.threshold, line.is_anomaly) == (None, None, None)
        assert (line.recorded_at, line.rule, line.machine) == ("2026-11-03T23:59:55", rule, FAN)


def test_every_recording_is_accounted_for(home: Path, recordings: list[Candidate]) -> None:
    records = scored(home, recordings, 10.0)
    told = [(Path(record.path).stem, record.scope, record.status, record.start_s) for record in records]
    whole = [("file_max", None), ("file_mean", None), ("file_q95", None)]
    long = "id_00_20261103_235955"
    assert told == [
        *[(long, "window", "ok", start) for start in (0.0, 10.0, 20.0)],
        *[(long, scope, "ok", None) for scope, _ in whole],
        ("id_00_short", None, "unfit", 0.0),
        ("id_77_long", None, "unknown_machine", 0.0),
        ("id_00_b", "window", "ok", 0.0),
        *[("id_00_b", scope, "ok", None) for scope, _ in whole],
        ("closed", None, "unreadable", None),
        *[("id_00_dead", "window", "silent", start) for start in (0.0, 10.0)],
        *[("id_00_dead", scope, "silent", None) for scope, _ in whole],
        ("id_00_float", "window", "silent", 0.0),
        ("id_00_float", "window", "corrupt", 10.0),
        ("id_00_float", "window", "silent", 20.0),
        *[("id_00_float", scope, "silent", None) for scope, _ in whole],
        *[
            ("id_00_cut", "window", status, start)
            for status, start in (("ok", 0.0), ("ok", 10.0), ("corrupt", 20.0))
        ],
        *[("id_00_cut", scope, "ok", None) for scope, _ in whole],
        ("id_00_empty", None, "corrupt", None),
        ("id_00_gone", None, "unreadable", None),
    ]
    reasons = {(Path(record.path).stem, record.scope): record.reason or "" for record in records}
    assert reasons["id_00_float", "file_max"].startswith(
        "1 of 3 windows could not be scored, the first of them at 10 s: samples hold NaN"
    )
    assert reasons["id_00_cut", "window"].endswith("(what comes before 20 s could be read)")
    assert "the file is cut short" in reasons["id_00_cut", "file_q95"]
    assert reasons["id_00_dead", "file_mean"].startswith("all windows are silent: all samples are zero")


def test_a_dead_microphone_does_not_speak_for_a_recording(home: Path, tmp_path: Path) -> None:
    silence = np.zeros(160_000, np.int16)
    clips = [*normal_clips(6, 1), silence, *normal_clips(7, 1), silence]
    soundfile.write(tmp_path / "x.wav", np.concatenate(clips), 16_000)
    with osscl.load(home / "model.onnx", "cpu") as detector:
        lines = list(detector.score_files([tmp_path / "x.wav"], FAN, hop_s=10))
        found = detector.score_windows(np.concatenate(clips), FAN, 10)
    windows, whole = lines[:4], lines[4:]
    assert [line.status for line in windows] == ["ok", "silent", "ok", "silent"]
    first, dead, last, _ = [line.score or 0.0 for line in windows]
    assert dead > max(first, last)
    assert [line.score for line in whole] == pytest.approx(
        [max(first, last), (first + last) / 2, np.quantile([first, last], 0.95)], rel=1e-6
    )
    assert (found.max, found.mean) == pytest.approx((whole[0].score, whole[1].score), rel=1e-6)
    assert whole[0].z_level == windows[0 if first > last else 2].z_level
    for line in whole:
        assert line.status == "ok"
        assert (line.reason or "").startswith(
            "2 of 4 windows are silent and left out of this score, the first of them at 10 s: all samples"
        )


@pytest.mark.parametrize("kind", ["flac", "wav"])
def test_all_windows_behind_a_damage_are_missing(
    home: Path, tmp_path: Path, sound: np.ndarray, kind: str
) -> None:
    path = tmp_path / "fan" / f"id_00.{kind}"
    path.parent.mkdir()
    soundfile.write(path, np.concatenate([sound, sound, sound]), 16_000)  # 102 s, 10 windows
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    lines = scored(home, [Candidate(str(path))], 10.0)
    n_scored = sum(line.score is not None for line in lines[:-3])
    assert 3 <= n_scored <= 5
    assert (lines[-1].reason or "").startswith(
        f"{10 - n_scored} of 10 windows could not be scored, the first"
    )


@pytest.mark.parametrize("rule", ["memory", "network"])
@pytest.mark.parametrize(("batch_size", "threads"), [(1, 1), (2, 2), (5, 3), (64, 2)])
def test_neither_batches_nor_threads_change_a_line(
    home: Path, recordings: list[Candidate], rule: str, batch_size: int, threads: int
) -> None:
    wanted = scored(home, recordings, 10.0, rule=rule, batch_size=3)
    found = scored(home, recordings, 10.0, rule=rule, batch_size=batch_size, threads=threads)
    for got, expected in zip(found, wanted, strict=True):
        said, told = asdict(got), asdict(expected)
        score, other = said.pop("score"), told.pop("score")
        assert said == told
        assert score == (None if other is None else pytest.approx(other, abs=1e-4))


def test_what_is_left_out_is_counted(home: Path, recordings: list[Candidate]) -> None:
    ends, beginnings = LeftOut(), LeftOut()
    scored(home, recordings, 10.0, left_out=ends)
    assert ends == LeftOut(n_ends=1, ends_s=4.0)
    assert list(ends.notes(10.0, "--hop", "--pad repeat|zero")) == [
        "1 recording ends with a part shorter than 10 s, left out (4 s); --pad repeat|zero scores it, "
        "filled up"
    ]
    scored(home, recordings, None, left_out=beginnings)
    assert (beginnings.n_longer, beginnings.longer_s) == (
        3,
        54.0,
    )  # those that are broken or unknown are not scored at all
    assert list(beginnings.notes(10.0, "--hop", "--pad")) == [
        "3 recordings are longer than 10 s: of each the first 10 s are scored, and 54 s behind them are not; "
        "--hop 10 scores all of it, a row a window"
    ]
    assert not list(LeftOut().notes(10.0, "--hop", "--pad"))


def test_the_library_says_what_it_left_out(
    home: Path, recordings: list[Candidate], caplog: pytest.LogCaptureFixture
) -> None:
    with (
        osscl.load(home / "model.onnx", "cpu", threads=1) as detector,
        caplog.at_level(logging.WARNING, "osscl"),
    ):
        assert len(list(detector.score_files([recordings[0].path], FAN))) == 1
        assert "hop_s = 10 scores all of it" in caplog.text
        caplog.clear()
        assert len(list(detector.score_files([recordings[0].path], FAN, hop_s=11.0))) == 6
        assert "1 recording ends with a part shorter than 10 s" in caplog.text
        with pytest.raises(ConfigError, match="hop is 0 s"):
            next(detector.score_files([recordings[0].path], FAN, hop_s=0.0))


def test_an_error_of_the_walk_comes_behind_the_windows_before_it(
    home: Path, recordings: list[Candidate]
) -> None:
    def walk() -> Iterator[Candidate]:
        yield recordings[0]
        raise RuntimeError("the walk")

    with osscl.load(home / "model.onnx", "cpu", threads=2, batch_size=4) as detector:
        records = detector.score_candidates(walk(), lambda _: FAN, AS_THEY_ARE, hop_s=10.0)
        seen: list[str | None] = []
        with pytest.raises(RuntimeError, match="the walk"):
            seen.extend(record.scope for record in records)
    assert seen[:3] == ["window"] * 3


@pytest.mark.parametrize(
    ("began", "seconds", "told"),
    [
        ("2026-11-03T23:59:55", 5.0, "2026-11-04T00:00:00"),
        ("2026-11-03T23:59:55Z", 0.25, "2026-11-03T23:59:55.250Z"),
        ("2026-11-03T14:20:00.5+01:00", 10.5, "2026-11-03T14:20:11+01:00"),
        ("2026-11-03T14:20", 59.0, "2026-11-03T14:20"),
        ("2026-11-03T14:20+01:00", 60.0, "2026-11-03T14:21+01:00"),
        ("2026-11-03", 3600.0, "2026-11-03"),
        ("2026-11-03", 90_000.0, "2026-11-04"),
        ("9999-12-31T23:59:59", 5.0, None),
    ],
)
def test_a_window_began_as_precisely_as_its_recording(began: str, seconds: float, told: str | None) -> None:
    assert moved(began, seconds) == told
