"""The columns recorded_at and quality: whatever rule, batch or thread, and whatever an older memory knows."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from msgspec.structs import replace

import osscl
from osscl.audio.candidate import Candidate
from osscl.audio.quality import measured
from osscl.audio.reading import Fit
from osscl.audio.recorded_at import RecordingTimes, parse_start
from osscl.scoring.record import Record
from support.remembering import normal_clips, stored_memory, write_clips, write_model

FAN = "fan/id_00"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("columns")
    memory = stored_memory(FAN, normal_clips(1, 12))
    measures = measured(normal_clips(1, 12)).stored
    write_model(root / "old.onnx", [memory], rules={FAN: "memory"})
    write_model(root / "new.onnx", [replace(memory, measures=measures.tobytes())], rules={FAN: "memory"})
    (root / "sound").mkdir()
    soundfile.write(root / "sound" / "20261103_142000.wav", normal_clips(2, 1)[0], 16_000, subtype="PCM_16")
    clip = normal_clips(2, 1)[0].astype(np.float64)
    laid = {"x0_clipped": clip * 30, "x1_quiet": clip / 8, "x2_offset": clip + 500, "x3_dead": clip * 0}
    for name, samples in laid.items():
        write_clips(root / "sound", name, [np.clip(samples, -32767, 32767).astype(np.int16)])
    short = clip[:40_000].astype(np.int16)
    soundfile.write(root / "sound" / "x4_short.wav", short, 16_000, subtype="PCM_16")
    (root / "sound" / "x5_broken.wav").write_bytes(b"RIFF")
    return root


def records(
    home: Path, model: str, *, batch_size: int = 3, threads: int = 2, rule: str | None = None
) -> list[Record]:
    with osscl.load(home / model, "cpu", threads=threads, batch_size=batch_size, rule=rule) as detector:  # type: ignore[arg-type]
        candidates = [Candidate(str(path)) for path in sorted((home / "sound").iterdir())]
        times = RecordingTimes(parse_start("2026-01-01T00:00:00"), 10.0)
        return list(detector.score_candidates(candidates, lambda _: FAN, Fit(pad="zero"), times))


def test_a_table_says_when_and_how_well_each_file_was_recorded(home: Path) -> None:
    found = records(home, "new.onnx")
    named, *told = (record.recorded_at for record in found)
    assert named == "2026-11-03T14:20:00"
    assert told == [
        f"2026-01-01T00:{clock}" for clock in ("00:10", "00:20", "00:30", "00:40", "00:50", "01:00")
    ]
    well, clipped, quiet, offset, dead, short, broken = found
    assert well.quality is None
    assert clipped.quality is not None
    assert clipped.quality.startswith("clipped, ")
    assert quiet.quality == "18 dB quieter than its normals"
    assert offset.quality == "offset of 1.5 % of full scale"
    assert (dead.status, dead.quality) == ("silent", None)
    assert short.quality is None, "what fills a recording up is no dropout"
    assert (broken.status, broken.quality) == ("corrupt", None)
    assert all(record.score is not None for record in found[:-1]), "a decision stands whatever the quality"


@pytest.mark.parametrize(("batch_size", "threads"), [(1, 1), (2, 2), (9, 2)])
def test_neither_batch_nor_threads_change_a_word(home: Path, batch_size: int, threads: int) -> None:
    assert records(home, "new.onnx", batch_size=batch_size, threads=threads) == records(home, "new.onnx")


def test_an_older_memory_speaks_of_levels_and_fixed_bounds_of_the_rest(home: Path) -> None:
    _, clipped, quiet, offset, *_ = (record.quality for record in records(home, "old.onnx"))
    assert clipped is not None
    assert clipped.startswith("clipped, ")
    assert quiet == "18 dB quieter than its normals"
    assert offset is None


def test_the_network_alone_goes_by_what_the_file_knows(home: Path) -> None:
    of_memory, fixed = (
        [record.quality for record in records(home, model, rule="network")]
        for model in ("new.onnx", "old.onnx")
    )
    assert of_memory[3] == "offset of 1.5 % of full scale"
    assert fixed[3] is None
    assert of_memory[2] == "18 dB quieter than its normals"
    assert fixed[2] is None


def test_arrays_are_doubted_as_files_are(home: Path) -> None:
    clips = np.stack(
        [normal_clips(2, 1)[0], np.clip(normal_clips(2, 1)[0] * 30.0, -32767, 32767).astype(np.int16)]
    )
    with osscl.load(home / "new.onnx", "cpu", threads=1) as detector:
        well, clipped = detector.score(clips, FAN).quality
    assert well is None
    assert clipped == records(home, "new.onnx")[1].quality


def test_a_band_limited_clip_is_told_by_the_network_alone(home: Path, tmp_path: Path) -> None:
    spectrum = np.fft.rfft(normal_clips(3, 1)[0].astype(np.float64))
    spectrum[np.fft.rfftfreq(160_000, 1 / 16_000) > 4000] *= 1e-4
    clip = np.rint(np.fft.irfft(spectrum)).astype(np.int16)
    with osscl.load(home / "old.onnx", "cpu", threads=1, rule="network") as detector:
        (quality,) = detector.score(clip, FAN).quality
    assert quality is not None
    assert quality.startswith("no sound above 4.")
