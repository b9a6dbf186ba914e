"""ONNX Runtime on a GPU: what can be told without one. Its arithmetic needs a card."""

from importlib import metadata

import pytest

from osscl.backends import ComputeOptions, open_backend
from osscl.errors import BackendError, MissingExtraError
from osscl.model_file.bundle import read_bundle
from support.standin_gpu import standin_driver


def test_a_build_for_cpus_never_computes_in_its_place() -> None:
    if any(metadata.distributions(name="onnxruntime-gpu")):
        pytest.skip("this is the build for GPUs")
    standin_driver().reset()
    with pytest.raises(MissingExtraError, match=r'is a build for CPUs; remove it .* "osscl\[cuda\]"'):
        open_backend(read_bundle("demo"), ComputeOptions("cuda", "onnxruntime", threads=1))
    assert standin_driver().count("contexts") == 0


def test_a_build_for_gpus_refuses_where_the_card_cannot_compute() -> None:
    """The stand-in is a driver, but no card: the real provider does not start."""
    if not any(metadata.distributions(name="onnxruntime-gpu")):
        pytest.skip("onnxruntime-gpu is not installed: 250 MB that the other tests do not need")
    standin_driver().reset()
    with pytest.raises(BackendError, match="cannot compute it on cuda:0"):
        open_backend(read_bundle("demo"), ComputeOptions("cuda", "onnxruntime", threads=1))
