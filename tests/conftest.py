"""Fixtures shared by all tests."""

import os

if "PYTEST_XDIST_WORKER" in os.environ:  # a processor for each process; read when torch and NumPy are loaded
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from pathlib import Path

import hypothesis
import pytest

from support import once
from support.checkpoints import write_checkpoint
from support.reference import Reference, make_reference, published_reference, read_reference

pytest_plugins = ("support.tensorrt_rtx",)

hypothesis.settings.register_profile(  # it reads no clock either
    "osscl", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("osscl")

REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_configure(config: pytest.Config) -> None:
    """Let the processes of a parallel run share what is dear to make."""
    if not hasattr(config, "workerinput"):
        folder = once.begin()
        config.add_cleanup(lambda: once.end(folder))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of reference figures and real recordings, which lies beside the checkout where it exists."""
    folder = REPOSITORY.parent / "shared"
    if not (folder / "reference").is_dir():
        pytest.skip(f"the reference recordings are not at {folder}")
    return folder


@pytest.fixture(scope="session")
def checkpoint() -> Path:
    """A checkpoint in the published layout with random weights."""
    return once.made_once("checkpoint", lambda at: write_checkpoint(at / "random.pth")) / "random.pth"


@pytest.fixture(scope="session")
def model_file(checkpoint: Path) -> Path:
    """The random checkpoint, exported."""
    from osscl.export import export_onnx

    made = once.made_once("model", lambda at: export_onnx(checkpoint, at / "model.onnx"))
    return made / "model.onnx"


@pytest.fixture(scope="session")
def made_reference(checkpoint: Path) -> Reference:
    """Recordings that are made here, with what follows for them from the definition of the network."""
    return read_reference(once.made_once("recordings", lambda at: make_reference(at, checkpoint)), checkpoint)


@pytest.fixture(scope="session", params=["made here", "published"])
def reference(request: pytest.FixtureRequest) -> Reference:
    """Recordings with what an implementation that is not ours gives for them."""
    if request.param == "published":
        return published_reference(request.getfixturevalue("shared"))
    made: Reference = request.getfixturevalue("made_reference")
    return made


@pytest.fixture(scope="session")
def reference_model(reference: Reference, request: pytest.FixtureRequest) -> Path:
    """The reference checkpoint, exported."""
    checkpoint: Path = request.getfixturevalue("checkpoint")
    if reference.checkpoint == checkpoint:
        model: Path = request.getfixturevalue("model_file")
        return model
    from osscl.export import export_onnx

    made = once.made_once("reference", lambda at: export_onnx(reference.checkpoint, at / "reference.onnx"))
    return made / "reference.onnx"
