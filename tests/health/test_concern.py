"""What is to be mended comes first, what nobody here may want is set aside."""

import pytest

from osscl.cli.doctor import _show
from osscl.health.concern import by_concern
from osscl.health.finding import Finding

TORCH = Finding("torch", "missing", "not installed")
TENSORRT = Finding("tensorrt", "missing", "not installed")
FRONT_END, RUNTIME = Finding("front end", "ok", "avx2"), Finding("onnxruntime", "ok", "1.32")
NO_RUNTIME, NO_GPU = Finding("onnxruntime", "missing", "none"), Finding("gpu", "missing", "no driver")
GPU, CACHE = Finding("gpu", "ok", "cuda:0"), Finding("engine cache", "broken", "closed", "open it")


@pytest.mark.parametrize(
    ("findings", "concerning"),
    [
        ([FRONT_END, RUNTIME, TENSORRT, TORCH, NO_GPU, CACHE], [CACHE, FRONT_END, RUNTIME]),
        ([FRONT_END, NO_RUNTIME, TENSORRT, TORCH, NO_GPU], [NO_RUNTIME, FRONT_END]),
        ([FRONT_END, RUNTIME, TENSORRT, TORCH, GPU], [TENSORRT, FRONT_END, RUNTIME, GPU]),
    ],
    ids=["broken", "nothing to compute with", "an idle card"],
)
def test_what_concerns_a_machine(findings: list[Finding], concerning: list[Finding]) -> None:
    shown, others = by_concern(findings)
    assert shown == concerning
    assert others == [each for each in findings if each not in concerning]


def test_what_is_folded_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    findings = [FRONT_END, TORCH, RUNTIME, NO_GPU, CACHE]
    _show(findings, everything=False)
    assert capsys.readouterr().out.splitlines() == [
        "BROKEN   engine cache: closed -> open it",
        "ok       front end: avx2",
        "ok       onnxruntime: 1.32",
        "2 other parts are not there and need not be (torch, gpu): osscl doctor --all tells what for",
    ]
    _show(findings, everything=True)
    assert capsys.readouterr().out.splitlines()[3:] == [
        "missing  torch: not installed",
        "missing  gpu: no driver",
    ]
