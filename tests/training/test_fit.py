"""Training on recordings that are made to fit: read alike everywhere, recorded, kept by a resume."""

from pathlib import Path
from typing import Any

import pytest

from osscl.audio.reading import Fit, read_audio
from osscl.audio.samples import to_waveform
from osscl.errors import ConfigError, TrainingDataError, TrainingError
from osscl.frontend import log_mel
from osscl.model_file.unexported import LAST_FILE
from osscl.training import Execution, TrainingData, read_training_data, train
from osscl.training.checkpoint import read_checkpoint
from osscl.training.clip_reader import ClipReader
from osscl.training.config_file import read_config
from osscl.training.loop import Training
from osscl.training.order import Planned
from osscl.training.train_config import TrainConfig
from support.training_data import small_recipe, write_array_recordings

FIT = Fit(resample=True, channel=0, pad="repeat")
STATED: dict[str, Any] = {"resample": True, "channel": 0, "pad": "repeat"}
HERE = Execution(device="cpu", workers=0)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("soxr", reason="resampling needs soxr, which is not installed")
    return write_array_recordings(tmp_path_factory.mktemp("array"), 2)


@pytest.fixture(scope="module")
def data(recordings: Path) -> TrainingData:
    return read_training_data([recordings], fit=FIT)


def test_recordings_that_do_not_fit_are_refused_with_all_that_would_help(recordings: Path) -> None:
    with pytest.raises(TrainingDataError) as error:
        read_training_data([recordings])
    for option in ("(--resample)", "(--channel N|mean)", "(--pad repeat|zero)"):
        assert str(error.value).count(option) == 6


def test_the_network_gets_what_scoring_would_give_it(data: TrainingData) -> None:
    labels = [data.label(clip) for clip in data.clips]
    reader = ClipReader(data.clips, labels, len(data.classes), ("waveform", "log_mel"), FIT)
    samples, mels = reader.read([Planned(0), Planned(3)]).inputs
    for place, number in enumerate((0, 3)):
        waveform = read_audio(data.clips[number].path, resample=True, channel=0, pad="repeat")
        assert (to_waveform(samples[place]) == waveform).all()
        assert (mels[place] == log_mel(waveform)).all()


def test_channels_are_other_clips_and_other_entries_of_the_cache(
    recordings: Path, data: TrainingData, tmp_path: Path
) -> None:
    other = read_training_data([recordings], fit=Fit(resample=True, channel=1, pad="repeat"))
    assert not {clip.sha256 for clip in data.clips} & {clip.sha256 for clip in other.clips}
    execution = Execution(device="cpu", workers=0, cache=tmp_path / "cache")
    for channel, clips in ((0, data), (1, other)):
        recipe = small_recipe(epochs=1, **STATED | {"channel": channel})
        train(clips, tmp_path / f"run_{channel}", recipe, execution)
    assert len(list((tmp_path / "cache").rglob("*.f32"))) == 12


def test_the_checkpoint_says_it_and_a_resume_keeps_it(
    recordings: Path, data: TrainingData, tmp_path: Path
) -> None:
    recipe = small_recipe(**STATED)
    stopped = train(data, tmp_path, recipe, HERE, should_stop=lambda: True)
    assert not stopped.completed
    _, info = read_checkpoint(tmp_path / LAST_FILE, "training_state")
    assert (info.config.resample, info.config.channel, info.config.pad) == (True, 0, "repeat")
    assert "soxr" in info.versions
    other = read_training_data([recordings], fit=Fit(resample=True, channel=1, pad="zero"))
    changed = small_recipe(**STATED | {"channel": 1, "pad": "zero"})
    with pytest.raises(TrainingError, match="channel was 0, is 1; pad was repeat, is zero"):
        train(other, tmp_path, changed, HERE, resume=True)
    with pytest.raises(TrainingError) as error:
        train(other, tmp_path, None, HERE, resume=True)
    assert str(error.value) == (
        "the clips were read resampled, channel 1, filled up (zero), and the recipe says resampled, "
        "channel 0, filled up (repeat); read them as it says"
    )
    assert train(data, tmp_path, None, HERE, resume=True).completed


def test_a_recipe_that_is_not_stated_is_that_of_the_clips(data: TrainingData, tmp_path: Path) -> None:
    class EnoughError(Exception):
        pass

    def see(training: Training) -> None:
        config = TrainConfig(resample=True, channel=0, pad="repeat", ema_warmup=True)  # decided: it is short
        assert training.info.config == config
        raise EnoughError

    with pytest.raises(EnoughError):
        train(data, tmp_path, None, HERE, on_start=see)


def test_a_recipe_file_may_say_it(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text('resample = true\nchannel = 0\npad = "repeat"\n')
    assert read_config(path, {}) == TrainConfig(resample=True, channel=0, pad="repeat")
    path.write_text('channel = "mean"\n')
    assert read_config(path, {"pad": "zero"}) == TrainConfig(channel="mean", pad="zero")
    for text, message in (
        ("channel = -1", "channel is -1; it must be a number from 0, or 'mean'"),
        ('channel = "left"', "channel is 'left'; it must be a number from 0, or 'mean'"),
        ('pad = "loop"', "pad is 'loop'; it must be 'repeat' or 'zero'"),
        ("resample = 1", "resample is 1; it must be True or False"),
    ):
        path.write_text(text)
        with pytest.raises(ConfigError, match=message):
            read_config(path, {})
