"""Altered machines: what an alteration changes in a clip, and which clips of a batch are altered."""

from pathlib import Path

import numpy as np
import pytest

from osscl.audio.reading import read_audio
from osscl.frontend import log_mel
from osscl.training import read_training_data
from osscl.training.clip_reader import ClipReader
from osscl.training.exposure import KINDS, LEVEL_DB, alter
from osscl.training.order import Planned, TrainingOrder
from support.training_data import write_recordings


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    chance = np.random.default_rng(0)
    return (3000.0 * chance.standard_normal(160_000)).astype(np.int16)


def band_changes(before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Change of each band's mean and deviation over time, dB, [128]."""
    one, other = log_mel(before), log_mel(after)  # [128, 313]
    return other.mean(1) - one.mean(1), other.std(1) - one.std(1)


def test_a_kind_says_what_is_altered_in_which_third_of_the_bands(noise: np.ndarray) -> None:
    met = set()
    for seed in range(60):
        altered, kind = alter(noise, seed)
        met.add(kind)
        what, where = KINDS[kind].split()
        level, fluctuation = band_changes(noise, altered)
        changed = fluctuation if what == "fluctuating" else level
        middle = int(np.abs(changed).argmax())
        third = ("low", "middle", "high").index(where)
        assert third / 3 - 0.1 < middle / 128 < (third + 1) / 3 + 0.1
        if what == "fluctuating":
            assert fluctuation.max() > 0.1  # the fastest are averaged over a window of 128 ms
        else:
            assert LEVEL_DB[0] - 0.5 < np.abs(level).max() < LEVEL_DB[1] + 0.5
            assert np.sign(level[middle]) == (1 if what == "raised" else -1)
        untouched = (np.abs(level) < 0.3) & (np.abs(fluctuation) < 0.3)
        assert untouched.sum() > 20  # of 128 bands: the rest of the sound stays as it is
    assert met == set(range(len(KINDS)))


def test_the_seed_decides_the_alteration_and_the_clip_stays(noise: np.ndarray) -> None:
    before = noise.copy()
    (one, kind), (same, same_kind), (other, _) = (alter(noise, seed) for seed in (1, 1, 2))
    assert np.array_equal(noise, before)
    assert one.dtype == np.float32
    assert np.array_equal(one, same)
    assert kind == same_kind
    assert not np.array_equal(one, other)


def test_silence_and_full_scale_stay_finite() -> None:
    square = np.where(np.arange(160_000) // 40 % 2, 32767, -32768).astype(np.int16)
    for samples in (np.zeros(160_000, np.int16), square):
        for seed in range(12):
            assert np.isfinite(alter(samples, seed)[0]).all()


def test_the_stated_share_of_the_clips_is_altered_and_every_epoch_anew() -> None:
    batches = list(TrainingOrder(1000, 100, seed=3, epochs=2, exposure=0.5))
    first, second = (
        [planned for batch in part for planned in batch] for part in (batches[:10], batches[10:])
    )
    altered = [
        {p.number: p.alteration for p in epoch if p.alteration is not None} for epoch in (first, second)
    ]
    assert all(430 < len(of_epoch) < 570 for of_epoch in altered)
    both = altered[0].keys() & altered[1].keys()
    assert not any(altered[0][number] == altered[1][number] for number in both)
    later = TrainingOrder(1000, 100, seed=3, epochs=2, exposure=0.5, epoch=1, step=4)
    assert list(later) == batches[14:]
    assert not any(p.alteration for batch in TrainingOrder(10, 5, seed=3, epochs=1) for p in batch)


def test_an_altered_clip_is_of_another_class_and_no_cache_keeps_it(tmp_path: Path) -> None:
    data = read_training_data([write_recordings(tmp_path, 2)])
    labels = [data.label(clip) for clip in data.clips]
    reader = ClipReader(data.clips, labels, len(data.classes), ("waveform", "log_mel"))
    (samples, log_mels), given, _ = reader.read([Planned(5), Planned(5, alteration=7)])
    expected, kind = alter(read_audio(data.clips[5].path), 7)
    assert given.tolist() == [labels[5], (1 + kind) * len(data.classes) + labels[5]]
    assert np.array_equal(samples[1], expected)
    assert np.array_equal(log_mels[1], log_mel(expected))
    assert np.array_equal(log_mels[0], log_mel(read_audio(data.clips[5].path)))
