"""Fixtures shared by all tests."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from support.checkpoints import write_checkpoint

pytest_plugins = ("support.tensorrt_rtx",)

REPOSITORY = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Reference:
    """What the published implementation gives for 36 real recordings.

    Attributes
    ----------
    checkpoint : Path
        The weights it ran with.
    clips : list of Path
        The recordings.
    outputs : dict of str to ndarray
        Its figures, by the names of the reference file.
    """

    checkpoint: Path
    clips: list[Path]
    outputs: dict[str, npt.NDArray[Any]]


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of reference figures and real recordings, which lies beside the checkout where it exists."""
    folder = REPOSITORY.parent / "shared"
    if not (folder / "reference").is_dir():
        pytest.skip(f"the reference recordings are not at {folder}")
    return folder


@pytest.fixture(scope="session")
def reference(shared: Path) -> Reference:
    """The published implementation's figures."""
    with np.load(shared / "reference" / "osscl_basic_outputs.npz") as stored:
        outputs = {name: stored[name] for name in stored.files}
    clips = [shared / "data" / "dcase2020" / str(path) for path in outputs["path"]]
    assert len(clips) == 36
    return Reference(shared / "reference" / "osscl_basic.pth", clips, outputs)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint in the published layout with random weights."""
    return write_checkpoint(tmp_path_factory.mktemp("checkpoint") / "random.pth")


@pytest.fixture(scope="session")
def model_file(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The random checkpoint, exported."""
    from osscl.export import export_onnx

    path = tmp_path_factory.mktemp("model") / "model.onnx"
    export_onnx(checkpoint, path)
    return path


@pytest.fixture(scope="session")
def reference_model(reference: Reference, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reference checkpoint, exported."""
    from osscl.export import export_onnx

    path = tmp_path_factory.mktemp("model") / "reference.onnx"
    export_onnx(reference.checkpoint, path)
    return path
