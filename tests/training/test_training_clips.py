"""Finding, checking and splitting the clips of a training."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from osscl.errors import TrainingDataError
from osscl.runs.passed_over import PassedOver
from osscl.training import read_training_data
from osscl.training.clip_reader import ClipReader
from osscl.training.hold_out import split_hold_out
from osscl.training.loader import Loader
from osscl.training.order import Planned, TrainingOrder, plan_batches
from support.training_data import MACHINES, write_recordings, write_tone


def test_dcase_folders_are_found_and_merged(tmp_path: Path) -> None:
    write_recordings(tmp_path / "dev", 2, ("fan/id_00", "pump/id_04"))
    write_recordings(tmp_path / "additional", 3, ("valve/id_01", "ToyCar/id_07", "fan/id_02"))
    (tmp_path / "dev" / "fan" / "test").mkdir()
    write_tone(tmp_path / "dev" / "fan" / "test" / "normal_id_00_00000000.wav", 200.0, seed=77)
    data = read_training_data([tmp_path / "dev", tmp_path / "additional", tmp_path / "dev" / "fan"])
    assert data.classes == ("fan/id_00", "fan/id_02", "pump/id_04", "ToyCar/id_07", "valve/id_01")
    assert len(data.clips) == 2 * 2 + 3 * 3
    assert not any("/test/" in clip.path for clip in data.clips)
    assert data.n_repeated == 0


def test_the_fingerprint_is_of_content_not_of_place_or_format(tmp_path: Path) -> None:
    one = read_training_data([write_recordings(tmp_path / "a")])
    other_root = write_recordings(tmp_path / "b")
    path = other_root / "fan" / "train" / "normal_id_00_00000001.wav"
    samples, rate = soundfile.read(path, dtype="int16")
    soundfile.write(path.with_name("again_id_00.flac"), samples, rate)
    path.unlink()
    other = read_training_data([other_root])
    assert other.fingerprint == one.fingerprint
    write_tone(path, 123.0, seed=9)
    assert read_training_data([other_root]).fingerprint != one.fingerprint


def test_equal_recordings_count_once(tmp_path: Path) -> None:
    root = write_recordings(tmp_path)
    first = root / "fan" / "train" / "normal_id_00_00000000.wav"
    first.with_name("normal_id_00_copy.wav").write_bytes(first.read_bytes())
    data = read_training_data([root])
    assert data.n_repeated == 1
    assert len(data.clips) == 12


def test_one_recording_of_two_machines_is_refused(tmp_path: Path) -> None:
    root = write_recordings(tmp_path)
    first = root / "fan" / "train" / "normal_id_00_00000000.wav"
    first.with_name("normal_id_02_copy.wav").write_bytes(first.read_bytes())
    with pytest.raises(TrainingDataError, match=r"of fan/id_0\d and .* of fan/id_0\d are the same recording"):
        read_training_data([root])


def test_no_clips(tmp_path: Path) -> None:
    (tmp_path / "fan" / "test").mkdir(parents=True)
    for name in ("test/normal_id_00_0.wav", "a.mp3", "b.mp3"):
        (tmp_path / "fan" / name).touch()
    with pytest.raises(TrainingDataError) as caught:
        read_training_data([tmp_path])
    assert str(caught.value) == (
        "no .wav, .flac, .w64 or .rf64 in a folder <type>/train, such as "
        "fan/train/normal_id_00_00000000.wav, below "
        f"{tmp_path}: it holds 1 recording elsewhere, 2 .mp3; name another folder, or move what lies "
        "elsewhere"
    )


def test_a_root_that_is_not_there_is_refused(tmp_path: Path) -> None:
    root = write_recordings(tmp_path / "data")
    with pytest.raises(TrainingDataError, match=r"there is no folder .*/typo$"):
        read_training_data([root, tmp_path / "typo"], skip_bad=True)
    (tmp_path / "more").symlink_to("nowhere")
    with pytest.raises(TrainingDataError, match=r"/more: it is a link to nowhere, and nothing is there"):
        read_training_data([root, tmp_path / "more"], skip_bad=True)


def test_a_file_is_taken_from_a_train_folder_and_refused_elsewhere(tmp_path: Path) -> None:
    root = write_recordings(tmp_path / "data")
    first = root / "fan" / "train" / "normal_id_00_00000000.wav"
    companion, stray = first.with_name("._normal_id_00_9.wav"), tmp_path / "stray_id_00.wav"
    write_tone(companion, 250.0, seed=50)
    write_tone(stray, 260.0, seed=51)
    assert len(read_training_data([root]).clips) == 12
    assert len(read_training_data([root, companion]).clips) == 13
    with pytest.raises(
        TrainingDataError,
        match=r"stray_id_00.wav cannot be trained on: it lies in no folder <type>/train, such as",
    ):
        read_training_data([root, stray])


def test_links_are_trained_on_by_their_own_names(tmp_path: Path) -> None:
    store = tmp_path / "store"
    write_recordings(store, 2, ("m7/id_00", "valve/id_04"))
    data = tmp_path / "data"
    (data / "slider" / "train").mkdir(parents=True)
    for number, blob in enumerate("ab"):  # as Hugging Face, git-annex and DVC keep files
        write_tone(store / f"{blob}.wav", 900.0, seed=60 + number)
        (store / f"{blob}.wav").rename(store / blob)
        (data / "slider" / "train" / f"normal_id_02_{number}.wav").symlink_to(store / blob)
    (data / "blower").symlink_to(store / "m7")
    (data / "fan").mkdir()
    (data / "fan" / "train").symlink_to(store / "valve" / "train")
    found = read_training_data([data])
    assert found.classes == ("blower/id_00", "fan/id_04", "slider/id_02")
    assert len(found.clips) == 6
    assert found.n_repeated == 0


def test_folders_that_link_into_each_other_give_each_clip_once(tmp_path: Path) -> None:
    root = write_recordings(tmp_path, 2)
    (root / "fan" / "more").symlink_to(root / "pump")
    (root / "pump" / "more").symlink_to(root / "fan")
    data = read_training_data([root])
    assert (len(data.clips), data.n_repeated) == (6, 0)


@pytest.mark.parametrize(("level", "value"), [(0.0, "zero"), (0.25, "8192")])
def test_clips_that_hold_one_value_are_refused_or_left_out_first(
    tmp_path: Path, level: float, value: str
) -> None:
    root = write_recordings(tmp_path)
    for machine in ("fan/train/normal_id_00", "pump/train/normal_id_00"):  # equal, and of two machines
        soundfile.write(root / f"{machine}_silent.wav", np.full(160_000, level), 16_000, subtype="PCM_16")
    with pytest.raises(TrainingDataError) as refused:
        read_training_data([root])
    assert str(refused.value).startswith("2 clips cannot be trained on:")
    told = f"silent.wav: all samples are {value}: a dead microphone or channel?"
    assert str(refused.value).count(told) == 2
    data = read_training_data([root, root], skip_bad=True)
    assert (len(data.clips), len(data.bad)) == (12, 2)


def test_companions_of_macos_do_no_harm(tmp_path: Path) -> None:
    root = write_recordings(tmp_path)
    for path in list(root.rglob("*.wav")):
        path.with_name(f"._{path.name}").write_bytes(b"\0\5\26\7\0\2\0\0Mac OS X        ")
    met = PassedOver()
    data = read_training_data([root], passed_over=met)
    assert (len(data.clips), len(data.bad), met.n_companions) == (12, 0, 12)


def test_one_class_only(tmp_path: Path) -> None:
    with pytest.raises(
        TrainingDataError, match="4 clips of fan/id_00 alone; expected recordings of at least two"
    ):
        read_training_data([write_recordings(tmp_path, machines=("fan/id_00",))])


def test_a_class_with_one_clip(tmp_path: Path) -> None:
    root = write_recordings(tmp_path)
    write_recordings(tmp_path / "more", 1, ("pump/id_06",))
    with pytest.raises(TrainingDataError, match="one clip only for pump/id_06; expected at least two"):
        read_training_data([root])


def test_clips_that_cannot_be_used_are_listed_or_left_out(tmp_path: Path) -> None:
    root = write_recordings(tmp_path)
    folder = root / "pump" / "train"
    write_tone(folder / "normal_id_00_other_rate.wav", 440.0, seed=1, rate_hz=44_100)
    whole = (folder / "normal_id_00_00000000.wav").read_bytes()
    (folder / "normal_id_00_cut.wav").write_bytes(whole[:1000])
    (folder / "normal_nameless.wav").write_bytes(whole)
    soundfile.write(folder / "normal_id_00_short.wav", np.zeros(1000), 16_000)
    with pytest.raises(TrainingDataError) as refused:
        read_training_data([root])
    message = str(refused.value)
    assert message.startswith("4 clips cannot be trained on:")
    for part in (
        "other_rate.wav: sample rate is 44100 Hz, expected 16000 Hz",
        "cut.wav: ",
        "nameless.wav: its name holds no ID",
        "short.wav: it lasts 0.0625 s",
        "--skip-bad",
    ):
        assert part in message
    data = read_training_data([root], skip_bad=True)
    assert len(data.clips) == 12
    assert len(data.bad) == 4


@pytest.mark.parametrize("share", [0.01, 0.05, 0.5, 0.99])
def test_hold_out_has_a_clip_of_each_class_and_leaves_one(tmp_path: Path, share: float) -> None:
    data = read_training_data([write_recordings(tmp_path, 10)])
    split = split_hold_out(data, share, seed=1)
    assert (
        {clip.machine for clip in split.hold_out}
        == {clip.machine for clip in split.training}
        == set(MACHINES)
    )
    assert sorted((*split.training, *split.hold_out), key=str) == sorted(data.clips, key=str)
    assert len(split.hold_out) == min(max(round(30 * share), 3), 27)


def test_hold_out_is_random_and_depends_on_the_seed(tmp_path: Path) -> None:
    data = read_training_data([write_recordings(tmp_path, 20, ("a/id_00", "b/id_00"))])
    one, same, other = (split_hold_out(data, 0.25, seed) for seed in (1, 1, 2))
    assert one == same
    assert one != other
    assert len(one.hold_out) == 10


def test_every_clip_comes_once_an_epoch_in_a_new_order() -> None:
    batches = list(TrainingOrder(10, 5, seed=3, epochs=3))
    epochs = [batches[i] + batches[i + 1] for i in (0, 2, 4)]
    assert all(sorted(epoch) == [Planned(number) for number in range(10)] for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]
    assert list(TrainingOrder(10, 5, seed=4, epochs=3)) != batches
    later = TrainingOrder(10, 5, seed=3, epochs=3, epoch=1, step=1)
    assert list(later) == batches[3:]
    assert len(later) == 3


def test_a_smaller_last_batch_is_dropped_unless_it_is_the_only_one() -> None:
    assert plan_batches(list(range(7)), 3) == [[0, 1, 2], [3, 4, 5]]
    assert plan_batches(list(range(2)), 3) == [[0, 1]]


@pytest.mark.parametrize("names", [("waveform", "log_mel"), ("log_mel",)])
def test_workers_give_the_planned_batches(tmp_path: Path, names: tuple[str, ...]) -> None:
    data = read_training_data([write_recordings(tmp_path, 2)])
    reader = ClipReader(data.clips, [data.label(clip) for clip in data.clips], 3, names)
    numbers = [5, 0], [1, 4], [3], [2], [0], [1], [2]  # more than two processes read ahead
    plan = [list(map(Planned, batch)) for batch in numbers]
    loaders = Loader(reader, plan, workers=0), Loader(reader, plan, workers=2)
    with loaders[0], loaders[1]:
        here, there = map(list, loaders)
    assert [batch.labels.tolist() for batch in here] == [[2, 0], [0, 2], [1], [1], [0], [0], [1]]
    for one, other in zip(here, there, strict=True):
        assert one.labels.equal(other.labels)
        assert all(a.equal(b) for a, b in zip(one.inputs, other.inputs, strict=True))
        assert [tuple(x.shape[1:]) for x in one.inputs] == [(160_000,), (128, 313)][-len(names) :]
