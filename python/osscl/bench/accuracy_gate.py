"""The accuracy gate on this machine: the model as it is computed here, beside fp32."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.bench.figures import AccuracyFigures
from osscl.errors import AccuracyError, ConfigError
from osscl.evaluation.accuracy import check_accuracy, gate_clips, measure_accuracy
from osscl.model_file.bundle import Bundle, read_bundle
from osscl.support.paths import printable


@dataclass(frozen=True, slots=True)
class AccuracyRequest:
    """What the accuracy gate shall compare.

    Attributes
    ----------
    gate : Path or None
        Folder of recordings; None for the gate set.
    reference : Path or None
        The same model in fp32; None where the model itself can be computed so.
    fit : Fit
        How the folder's recordings are made to fit.
    """

    gate: Path | None = None
    reference: Path | None = None
    fit: Fit = AS_THEY_ARE


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Two models to compare.

    Attributes
    ----------
    fp32, measured : Bundle
        The reference, and the model.
    reference : str
        How to speak of the reference.
    backend, device : str
        What computes the model, and on what.
    gate : Path or None
        Folder of recordings.
    fit : Fit
        How they are made to fit.
    """

    fp32: Bundle
    measured: Bundle
    reference: str
    backend: str
    device: str
    gate: Path | None
    fit: Fit


def prepare_comparison(request: AccuracyRequest, bundle: Bundle, backend: str, device: str) -> Comparison:
    """Find the reference of a model.

    Parameters
    ----------
    request : AccuracyRequest
        What was asked for.
    bundle : Bundle
        The model.
    backend, device : str
        What computes it, and on what.

    Returns
    -------
    Comparison
        Both models.

    Raises
    ------
    ConfigError
        The model has no reference of its own, or the one named is none.
    ModelFileError
        The reference cannot be used.
    """
    precision = bundle.manifest.network.precision
    if request.reference is not None:
        fp32, name = _read_reference(request.reference, bundle), printable(request.reference)
    elif bundle.manifest.graph_precision == "fp32" != precision:  # the runtime alone is told of bf16
        manifest = replace(bundle.manifest, precision="fp32", accuracy=None)
        fp32, name = dataclasses.replace(bundle, manifest=manifest), "the model's own graph in fp32"
    elif precision == "fp32" and (backend, device) != ("onnxruntime", "cpu"):
        fp32, name = bundle, "the same model by the CPU's preferred backend"
    elif precision == "fp32":
        raise ConfigError(
            "the model is fp32 and computed by onnxruntime on the CPU, which is the reference itself; choose "
            "--backend openvino, or name a model to compare with (--reference FP32_MODEL)"
        )
    else:
        raise ConfigError(
            f"the model is {precision}, whose graph cannot be computed in fp32; name the model that it was "
            "made from (--reference FP32_MODEL)"
        )
    return Comparison(fp32, bundle, name, backend, device, request.gate, request.fit)


def measure_against_fp32(comparison: Comparison, on_step: Callable[[str, int], Any]) -> AccuracyFigures:
    """Run the accuracy gate.

    Parameters
    ----------
    comparison : Comparison
        The models.
    on_step : callable
        Takes what is being done, and 0, after each clip made or scored.

    Returns
    -------
    AccuracyFigures
        What was found, passed or not.

    Raises
    ------
    EvaluationError
        The model knows the machine of none of the clips.
    """

    def step(_: object = None) -> None:
        on_step("gate clips", 0)

    fit = AS_THEY_ARE if comparison.gate is None else comparison.fit  # the gate set fits as it is
    with gate_clips(comparison.gate, step, fit) as (clips, name):
        measured = measure_accuracy(
            comparison.fp32,
            comparison.measured,
            clips,
            name,
            fit=fit,
            device=comparison.device,
            backend=comparison.backend,
            on_record=step,
        )
    flaw = None
    try:
        check_accuracy(measured)
    except AccuracyError as error:
        flaw = str(error)
    return AccuracyFigures(reference=comparison.reference, measured=measured, flaw=flaw)


def _read_reference(path: Path, bundle: Bundle) -> Bundle:
    reference = read_bundle(path)
    if reference.manifest.network.precision != "fp32":
        raise ConfigError(
            f"--reference {printable(path)} is {reference.manifest.network.precision}; expected the model "
            "in fp32"
        )
    if reference.manifest.network.model != bundle.manifest.network.model:
        raise ConfigError(
            f"--reference {printable(path)} has other machines or another shape than the model; expected the "
            "model that it was made from"
        )
    if reference.manifest.network.checkpoint != bundle.manifest.network.checkpoint:
        raise ConfigError(
            f"--reference {printable(path)} was made from another checkpoint than the model; expected the "
            "model that it was made from"
        )
    return reference
