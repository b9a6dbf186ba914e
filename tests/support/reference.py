"""Recordings with what a model gives for them: published figures, and ones that tests compute themselves."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import torch

from osscl.machines.dcase import PUBLISHED_CLASSES
from osscl.model_file.golden import golden_clips
from support.reference_log_mel import reference_log_mel
from support.reference_network import reference_outputs

_MADE = (
    "fan/id_00",
    "fan/id_02",
    "pump/id_04",
    "slider/id_06",
    "ToyCar/id_01",
    "ToyConveyor/id_03",
    "valve/id_00",
)
_WITH_MAPS = (0, 9)


@dataclass(frozen=True)
class Reference:
    """What an implementation that is not ours gives for recordings.

    Attributes
    ----------
    checkpoint : Path
        The weights it ran with.
    data_set : Path
        Folder with the recordings, in the layout of DCASE 2020.
    clips : list of Path
        The recordings.
    outputs : dict of str to ndarray
        Its figures: label, embedding, cosine, logits, score of each clip; tgram_N, tfgram_N of some.
    with_maps : tuple of (int, int)
        Numbers N of two clips whose maps are among the outputs.
    """

    checkpoint: Path
    data_set: Path
    clips: list[Path]
    outputs: dict[str, npt.NDArray[Any]]
    with_maps: tuple[int, int]

    @property
    def machines(self) -> list[str]:
        """Machine of each clip."""
        return [PUBLISHED_CLASSES[label] for label in self.outputs["label"]]


def published_reference(shared: Path) -> Reference:
    """What the published implementation gives for 36 real recordings."""
    with np.load(shared / "reference" / "osscl_basic_outputs.npz") as stored:
        outputs = {name: stored[name] for name in stored.files}
    data_set = shared / "data" / "dcase2020"
    clips = [data_set / str(path) for path in outputs["path"]]
    assert len(clips) == 36
    return Reference(shared / "reference" / "osscl_basic.pth", data_set, clips, outputs, (0, 17))


def make_reference(folder: Path, checkpoint: Path) -> None:
    """Write recordings, a normal and an anomalous one of each of some machines, and what is to come out."""
    paths = []
    clips = golden_clips(2 * len(_MADE))
    for number, clip in enumerate(clips):
        machine_type, machine_id = _MADE[number // 2].split("/")
        word = ("normal", "anomaly")[number % 2]
        path = Path(machine_type) / "test" / f"{word}_{machine_id}_{number:08d}.wav"
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        seconds_too_many = np.tile(clip, 2)[: 176_000 if machine_type == "ToyCar" else 160_000]
        soundfile.write(folder / path, seconds_too_many, 16_000, subtype="PCM_16")
        paths.append(str(path))
    labels = torch.tensor([PUBLISHED_CLASSES.index(machine) for machine in _MADE]).repeat_interleave(2)
    waveform = clips / 32768.0
    outputs = reference_outputs(
        torch.load(checkpoint, weights_only=True),
        torch.from_numpy(waveform.astype(np.float32)),
        torch.from_numpy(reference_log_mel(waveform)[0].astype(np.float32)),
        labels,
    )
    figures: dict[str, Any] = {name: value.numpy() for name, value in outputs.items()}
    for name in ("tgram", "tfgram"):
        maps = figures.pop(name)
        figures |= {f"{name}_{clip}": maps[clip] for clip in _WITH_MAPS}
    np.savez(folder / "outputs.npz", path=paths, label=labels.numpy(), **figures)


def read_reference(folder: Path, checkpoint: Path) -> Reference:
    """What `make_reference` wrote."""
    with np.load(folder / "outputs.npz") as stored:
        outputs = {name: stored[name] for name in stored.files}
    clips = [folder / str(path) for path in outputs["path"]]
    return Reference(checkpoint, folder, clips, outputs, _WITH_MAPS)
