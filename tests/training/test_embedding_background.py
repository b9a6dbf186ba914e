"""The background of embeddings of a training: by the weights that are kept, of training clips alone."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from msgspec.structs import replace
from safetensors.torch import save_file

from osscl.decisions import pooled_embedding_background
from osscl.errors import CheckpointError
from osscl.export.checkpoint import load_checkpoint
from osscl.model_file.restored import restored_embedding_background
from osscl.training import Execution, TrainingData, read_training_data, train
from osscl.training.checkpoint import content_sha256, read_checkpoint
from osscl.training.clip_reader import ClipReader
from osscl.training.clips import TrainingClip
from osscl.training.embedding_background import CLIPS_A_MACHINE, clips_of_background, embedding_background_of
from osscl.training.order import Planned
from support import once
from support.older_checkpoints import without_later_fields
from support.training_data import small_recipe, write_recordings

MACHINES = ("fan/id_00", "fan/id_02", "pump/id_00", "pump/id_02")
ON_CPU = Execution(device="cpu", workers=0)


@pytest.fixture(scope="module")
def data() -> TrainingData:
    """5 clips of each of 4 machines; one of each is held out."""
    return read_training_data(
        [once.made_once("training_of_embeddings", lambda folder: write_recordings(folder, 5, MACHINES))]
    )


@pytest.fixture(scope="module")
def trained(data: TrainingData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training that was told to stop during the last pass, and was resumed."""
    folder = tmp_path_factory.mktemp("run")
    recipe = small_recipe(epochs=1, batch_size=8)
    asked = iter([*[False] * 2, True])  # after two steps, then within the pass that makes the background

    def should_stop() -> bool:
        return next(asked)

    outcome = train(data, folder, recipe, ON_CPU, should_stop=should_stop)
    assert not outcome.completed
    assert read_checkpoint(folder / "best.safetensors", "ema_weights")[1].embedding_background is None
    assert train(data, folder, execution=ON_CPU, resume=True).completed
    return folder / "best.safetensors"


def test_it_is_of_the_weights_that_are_kept(data: TrainingData, trained: Path) -> None:
    _, info = read_checkpoint(trained, "ema_weights")
    assert info.embedding_background is not None
    assert info.embedding_background.checkpoint_sha256 is None
    model = load_checkpoint(trained).model
    of_training = [clip for clip in data.clips if clip.sha256 in info.training_clips]
    embeddings: dict[str, list[np.ndarray]] = {}
    for clip in of_training:
        (log_mel,) = ClipReader([clip], [0], 1, ("log_mel",)).read([Planned(0)]).inputs
        with torch.inference_mode():
            embeddings.setdefault(clip.machine, []).append(model(torch.from_numpy(log_mel))[0].numpy()[0])
    expected = pooled_embedding_background({name: np.stack(rows) for name, rows in embeddings.items()}, "")
    found = restored_embedding_background(info.embedding_background)
    assert (found.n_machines, found.n_clips) == (4, 16)
    np.testing.assert_allclose(found.embedding, expected.embedding, rtol=0, atol=1e-7)
    assert data.fingerprint in found.source


def test_an_export_ties_it_to_the_checkpoint(trained: Path) -> None:
    loaded = load_checkpoint(trained)
    assert loaded.decisions is not None
    background = loaded.decisions.embedding_background
    assert background is not None
    assert background.checkpoint_sha256 == loaded.sha256
    of_checkpoint = read_checkpoint(trained, "ema_weights")[1].embedding_background
    assert replace(background, checkpoint_sha256=None) == of_checkpoint


def made_clips(n_of_machine: dict[str, int]) -> Iterator[TrainingClip]:
    for machine, n in n_of_machine.items():
        for number in range(n):
            yield TrainingClip(f"{machine}/{number}.wav", machine, f"{number:064}")


def test_at_most_24_clips_of_each_machine_are_drawn_by_seed() -> None:
    clips = list(made_clips({"a": 40, "b": 4, "c": 25, "d": 10, "few": 3}))
    chosen = clips_of_background(clips, 1)
    counts = {machine: sum(clip.machine == machine for clip in chosen) for machine in "abcd"}
    assert counts == {"a": CLIPS_A_MACHINE, "b": 4, "c": CLIPS_A_MACHINE, "d": 10}
    assert len(chosen) == sum(counts.values()), "of a machine with three clips none"
    assert chosen == sorted(chosen, key=clips.index)
    assert chosen == clips_of_background(clips, 1)
    assert chosen != clips_of_background(clips, 2)


def test_too_few_machines_or_embeddings_that_do_not_vary_give_none() -> None:
    assert clips_of_background(list(made_clips({"a": 9, "b": 9, "c": 9, "d": 3})), 0) == []
    clips = list(made_clips(dict.fromkeys("abcd", 4)))
    collapsed = np.tile(np.eye(128, dtype=np.float32)[0], (16, 1))
    assert embedding_background_of(collapsed, clips, "made") is None


@pytest.mark.parametrize("stated", ["osscl.checkpoint/2", "osscl.checkpoint/3"])
def test_checkpoints_of_before_hold_none_and_may_not(trained: Path, tmp_path: Path, stated: str) -> None:
    path, tensors = tmp_path / "best.safetensors", {"x": torch.zeros(1)}
    info = replace(read_checkpoint(trained, "ema_weights")[1], format=stated)
    said = without_later_fields(info, int(stated[-1]))

    def write(told: dict[str, object]) -> None:
        document = msgspec.json.encode(told).decode()
        hashes = {"osscl.checkpoint": document, "osscl.checkpoint_sha256": content_sha256(document, tensors)}
        save_file(tensors, path, hashes)

    write(said | {"embedding_background": msgspec.to_builtins(info.embedding_background)})
    with pytest.raises(CheckpointError, match=r"newer than the document - at `\$.embedding_background`"):
        read_checkpoint(path, "ema_weights")
    write(said)
    assert read_checkpoint(path, "ema_weights")[1].embedding_background is None
