"""Which backend computes a model: the one named, or the first installed that computes its precision."""

import sys
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from osscl.backends import ComputeOptions, open_backend
from osscl.backends.choice import _CPU, _CUDA
from osscl.errors import BackendError, ConfigError, MissingExtraError
from osscl.model_file.bundle import Bundle, in_memory_bundle, read_bundle
from osscl.model_file.manifest import Precision
from support.packages import hide

EXTRAS = {"onnxruntime": "cpu", "openvino": "openvino"}


@pytest.fixture(scope="module")
def fp32() -> Bundle:
    return read_bundle("demo")


@pytest.fixture(scope="module")
def bf16(fp32: Bundle) -> Bundle:
    manifest = replace(fp32.manifest, precision="bf16", schema_version=2)  # of a graph in fp32
    return in_memory_bundle(fp32.model, manifest)


@pytest.fixture(scope="module")
def fp16(fp32: Bundle) -> Bundle:
    return in_memory_bundle(fp32.model, replace(fp32.manifest, precision="fp16"))


def chosen(bundle: Bundle, backend: str | None = None) -> str:
    with closing(open_backend(bundle, ComputeOptions("auto", backend, threads=1))) as opened:
        return str(opened.facts["backend"])


def test_fp32_is_computed_by_onnx_runtime(fp32: Bundle) -> None:
    assert chosen(fp32) == "onnxruntime"


def test_fp32_is_computed_by_openvino_where_it_is_named_or_alone(
    fp32: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    assert chosen(fp32, "openvino") == "openvino"
    hide(monkeypatch, "onnxruntime")
    assert chosen(fp32) == "openvino"


def test_bf16_is_computed_by_openvino(bf16: Bundle) -> None:
    openvino = pytest.importorskip("openvino", reason="OpenVINO is not installed")
    if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("this processor has no bf16 instructions that OpenVINO uses")
    assert chosen(bf16) == "openvino"


def test_onnx_runtime_refuses_bf16_and_names_who_computes_it(bf16: Bundle) -> None:
    message = "model in memory: the model is bf16, which onnxruntime does not compute; choose openvino, or"
    with pytest.raises(BackendError, match=message):
        open_backend(bf16, ComputeOptions("cpu", "onnxruntime", threads=1))


def test_fp16_is_computed_by_onnx_runtime_alone(fp16: Bundle) -> None:
    assert chosen(fp16) == "onnxruntime"
    with pytest.raises(BackendError, match="the model is fp16, which openvino does not compute; choose onnx"):
        open_backend(fp16, ComputeOptions("cpu", "openvino", threads=1))


@pytest.mark.parametrize("name", _CPU)
def test_a_named_backend_that_is_not_installed_says_what_to_install(
    fp32: Bundle, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    hide(monkeypatch, name)
    with pytest.raises(MissingExtraError, match=rf'{name}, which .* pip install "osscl\[{EXTRAS[name]}\]"'):
        open_backend(fp32, ComputeOptions("cpu", name, threads=1))


def test_without_any_backend_the_first_that_could_is_named(
    fp32: Bundle, bf16: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide(monkeypatch, *_CPU)
    with pytest.raises(MissingExtraError, match=r'pip install "osscl\[cpu\]"'):
        open_backend(fp32, ComputeOptions("auto", None, threads=1))
    with pytest.raises(MissingExtraError, match=r'pip install "osscl\[openvino\]"'):
        open_backend(bf16, ComputeOptions("auto", None, threads=1))


def test_another_backend_never_stands_in_for_a_named_one(
    bf16: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide(monkeypatch, "openvino")
    assert find_spec("onnxruntime") is not None
    with pytest.raises(MissingExtraError, match="needs the package openvino"):
        open_backend(bf16, ComputeOptions("auto", None, threads=1))


def test_a_named_backend_that_is_broken_says_how_to_mend_it(
    fp32: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "onnxruntime").mkdir()
    (tmp_path / "onnxruntime" / "__init__.py").write_text("raise OSError('libonnxruntime is no library')")
    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    sentence = (
        r"scoring with ONNX Runtime needs the package onnxruntime, which cannot be loaded \(OSError: "
        r'libonnxruntime is no library\): pip install --force-reinstall --no-deps "onnxruntime==[\d.]+"'
    )
    with pytest.raises(MissingExtraError, match=sentence):
        open_backend(fp32, ComputeOptions("cpu", "onnxruntime", threads=1))


@pytest.mark.parametrize("device", ["gpu", "CPU", "CUDA", ""])
def test_unknown_devices_are_named(fp32: Bundle, device: str) -> None:
    with pytest.raises(ConfigError, match=rf"device '{device}' does not exist; choose auto, cpu, cuda"):
        open_backend(fp32, ComputeOptions(device, None, threads=1))


@pytest.mark.parametrize("name", ["tensorflow", "ONNXRuntime", ""])
def test_unknown_backends_are_named_with_the_choices(fp32: Bundle, name: str) -> None:
    message = f"backend '{name}' does not exist; choose one of: onnxruntime, openvino, tensorrt"
    with pytest.raises(ConfigError, match=message):
        open_backend(fp32, ComputeOptions("cpu", name, threads=1))


@pytest.mark.parametrize("entries", [_CPU, _CUDA], ids=["cpu", "cuda"])
def test_some_backend_computes_every_precision(entries: dict[str, Any]) -> None:
    computed = frozenset[str]().union(*(entry.load().precisions for entry in entries.values()))
    assert computed == set(get_args(Precision))


@pytest.mark.parametrize("variable", ["OSSCL_CUDA", "OSSCL_TFGRAM", "OSSCL_ISA"])
@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_an_unknown_word_of_a_setting_is_refused_whatever_computes(
    fp32: Bundle, backend: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "offf")
    with pytest.raises(ConfigError, match=rf"{variable}.*offf"):
        open_backend(fp32, ComputeOptions("cpu", backend, threads=1))
