"""Which findings concern this machine: what is broken, what it lacks, what works; and which do not."""

from collections.abc import Iterable, Sequence

from osscl.health.finding import Finding

_ON_PROCESSORS, _ON_GPUS = {"onnxruntime", "openvino"}, {"tensorrt", "cuda-bindings", "front end on GPUs"}


def by_concern(findings: Sequence[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Put first what is to be mended, then what works, and set aside what nobody here may want.

    What is missing concerns a machine where nothing else computes models on it, or where its GPU lies idle
    for want of it.

    Parameters
    ----------
    findings : sequence of Finding
        All of them.

    Returns
    -------
    concerning, others : list of Finding
        To be shown; and what is not installed and need not be.
    """
    lacking = _lacking(findings)
    to_mend = [each for each in findings if each.state == "broken"]
    wanted = [each for each in findings if each.state == "missing" and each.what in lacking]
    works = [each for each in findings if each.state == "ok"]
    others = [each for each in findings if each.state == "missing" and each.what not in lacking]
    return [*to_mend, *wanted, *works], others


def _lacking(findings: Iterable[Finding]) -> set[str]:
    works = {each.what for each in findings if each.state == "ok"}
    has_gpu = "gpu" in works
    lacking = _ON_GPUS if has_gpu else set()
    if not works & _ON_PROCESSORS and not (has_gpu and "tensorrt" in works):
        lacking = lacking | _ON_PROCESSORS
    return lacking
