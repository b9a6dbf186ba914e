"""The whole export: source -> rewritten graph -> parity gate -> precision -> accuracy gate -> model file."""

import os
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import onnx
from msgspec.structs import replace

from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.backends import ComputeOptions, open_backend
from osscl.config import HeadKind, ModelInputs
from osscl.enrolment.backgrounds import background_for, background_of
from osscl.enrolment.enrolling import enrolled
from osscl.enrolment.options import EnrolOptions
from osscl.enrolment.plan import plan_of
from osscl.errors import CheckpointError
from osscl.evaluation.accuracy import GATE_PLAN, check_accuracy, gate_clips, measure_accuracy
from osscl.evaluation.gate_limits import GateLimits, gate_size
from osscl.export.asked import check_asked
from osscl.export.half import in_half
from osscl.export.parity import TOLERANCE, certify
from osscl.export.rewrites import REWRITES, in_order, rewrite
from osscl.export.source import Source, read_source
from osscl.model_file.bundle import Bundle, graph_sha256, in_memory_bundle, write_bundle
from osscl.model_file.decisions import StoredDecisions
from osscl.model_file.manifest import Accuracy, Manifest, Precision, Producer, build_manifest
from osscl.model_file.signature import FrontEndPlace
from osscl.runs.folder import find_some_recordings
from osscl.support.outputs import check_output
from osscl.support.paths import printable
from osscl.support.plurals import counted
from osscl.support.regular_file import read_regular
from osscl.support.unasked import NOBODY_LISTENS
from osscl.training.judging import advised

_TOOLS = ("torch", "onnx", "onnxscript", "onnxruntime")


def export_onnx(
    checkpoint: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    classes: Sequence[str] | None = None,
    margin: float | None = None,
    head: HeadKind | None = None,
    inputs: ModelInputs | None = None,
    front_end: FrontEndPlace | None = None,
    rewrites: Iterable[str] = tuple(REWRITES),
    precision: Precision = "fp32",
    gate: str | os.PathLike[str] | None = None,
    limits: GateLimits | None = None,
    calibration: str | os.PathLike[str] | None = None,
    background: str | os.PathLike[str] | None = None,
    enroll: str | os.PathLike[str] | None = None,
    fit: Fit = AS_THEY_ARE,
    licence: str | None = None,
    training_data: str | None = None,
    overwrite: bool = False,
    on_step: Callable[[], Any] = NOBODY_LISTENS,
    on_warning: Callable[[str], Any] = NOBODY_LISTENS,
    on_stage: Callable[[str], Any] = NOBODY_LISTENS,
) -> Manifest:
    """Export a checkpoint to one self-describing ONNX file.

    The file appears whole, and only if the graph computes what the checkpoint computes: on the golden
    clips, embedding and cosine agree within 2e-5, the score against every class within 5e-4. In reduced
    precision it also has to rank the clips of the accuracy gate as fp32 does: rank correlation at least
    0.999, AUC at most 0.002 apart.

    Parameters
    ----------
    checkpoint : path-like
        ``.safetensors`` file that `osscl train` wrote; or a ``.pth`` file in the published layout, where
        ``config.json`` beside it says margin, head and inputs; or an exported ``.onnx`` model file in fp32.
    path : path-like
        Model file to write.
    classes : sequence of str, optional
        Machine IDs in the order of the class weight; by default those of ``config.json``, or the 41
        published ones.
    margin, head, inputs : optional
        What ``config.json`` does not say.
    front_end : {"native", "graph"}, optional
        Whether the caller computes the log-mel, or the graph does; by default the caller, or as a model file
        has it that is exported again. Out of a graph it cannot be taken.
    rewrites : iterable of str
        Names of exact rewrites for speed, out of `osscl.export.rewrites.REWRITES`; by default all.
    precision : {"fp32", "fp16", "bf16", "int8"}
        Arithmetic of the heavy layers, written into the graph. On CPUs, bf16 is computed by OpenVINO.
    gate : path-like, optional
        Folder of recordings for the accuracy gate, named as DCASE names them; by default the gate set of
        synthetic machines, which a model of other machines does not know.
    limits : GateLimits, optional
        How far the accuracy gate lets a reduced precision lie from fp32; by default as above.
    calibration : path-like, optional
        Folder of normal recordings that set the ranges of int8; the first 32 that are spread evenly over it.
    background : path-like, optional
        Folder of normal recordings of at least 4 machines, 4 clips each: how clips of one machine vary. By
        default what the checkpoint says of its training clips.
    enroll : path-like, optional
        Folder of normal recordings that memories of their machines are made from, as `osscl.enrolment.enroll`
        makes them.
    fit : Fit
        How recordings of these folders that do not fit are made to fit.
    licence, training_data : str, optional
        Free text, kept in the file. What was trained on is by default what the checkpoint says of it.
    overwrite : bool
        Replace what is at `path`; never what is read.
    on_step : callable
        Called after each clip that was read, or that the accuracy gate made or scored.
    on_warning : callable
        Takes sentences on the recordings of `enroll`, on a network that did not learn, and on an accuracy
        gate of few clips.
    on_stage : callable
        Takes a sentence on what begins, where it takes minutes.

    Returns
    -------
    Manifest
        What the file says of itself.

    Raises
    ------
    CheckpointError
        The checkpoint lacks something, or holds what its layout does not know.
    ModelFileError
        A model file that shall be exported again cannot be used.
    MissingExtraError
        What computes the reduced precision is not installed; said before anything else is done.
    ConfigError
        A rewrite does not exist, no export is made in this precision, or it cannot hold a weight.
    ParityError
        The graph computes something else than the checkpoint.
    AccuracyError
        The reduced precision ranks clips too differently.
    EvaluationError
        The model can score fewer than two of the gate's clips.
    DecisionError
        Recordings are too few for a background or a memory.
    OutputError
        The file exists, is read by this very call, or cannot be written.
    """
    check_asked(
        precision,
        limits,
        {"--gate": gate, "--calibration": calibration, "--background": background, "--enroll": enroll},
        fit,
    )
    check_output(Path(path), overwrite=overwrite, inputs=[checkpoint])
    source = read_source(
        Path(checkpoint), classes=classes, margin=margin, head=head, inputs=inputs, front_end=front_end
    )
    if source.verdict is not None and source.verdict.word != "learned":
        known = source.decisions and source.decisions.training_clips
        on_warning(advised(source.verdict, len(known) if known else None))
    graph, manifest = _in_fp32(source, rewrites, licence, training_data)
    if background is not None or enroll is not None:
        manifest = _enrolled(manifest, background, enroll, fit, on_step, on_warning)
    if precision != "fp32":
        fp32 = in_memory_bundle(graph, manifest)
        graph, manifest = _reduced(graph, manifest, precision, calibration, fit, on_step)
        reduced = in_memory_bundle(graph, manifest)
        accuracy = _accuracy(fp32, reduced, gate, limits, fit, on_step, on_warning, on_stage)
        manifest = replace(manifest, accuracy=accuracy)
    write_bundle(path, graph, manifest)
    return manifest


def _in_fp32(
    source: Source, rewrites: Iterable[str], licence: str | None, training_data: str | None
) -> tuple[bytes, Manifest]:
    done = in_order({*source.rewrites, *rewrites})
    graph = rewrite(source.graph, done).SerializeToString(deterministic=True)
    manifest = build_manifest(
        producer=Producer(
            name="osscl", version=version("osscl"), tools={name: version(name) for name in _TOOLS}
        ),
        checkpoint=source.checkpoint,
        model=source.model,
        where=source.where,
        graph_rewrites=done,
        graph_sha256=graph_sha256(graph),
        embedding=source.golden.embedding,
        cosine=source.golden.cosine,
        tolerance=TOLERANCE,
        measured=certify(graph, source.golden, source.model),
        class_machines=source.class_machines,
        licence=licence or source.licence or "not stated",
        training_data=training_data or source.training_data or "not stated",
    )
    return graph, replace(manifest, decisions=source.decisions, verdict=source.verdict)


def _enrolled(
    manifest: Manifest,
    background: str | os.PathLike[str] | None,
    normals: str | os.PathLike[str] | None,
    fit: Fit,
    on_step: Callable[[], Any],
    on_warning: Callable[[str], Any],
) -> Manifest:
    """Put a background, and memories of machines, into a manifest."""
    if normals is None:
        decisions = manifest.decisions or StoredDecisions()
        assert background is not None, "one of both is named"
        made = background_of(plan_of([background], for_memories=True), fit, on_clip=on_step)
        chosen = background_for(decisions, made)
        return replace(manifest, decisions=replace(decisions, background=chosen))
    manifest, report = enrolled(
        [normals], manifest, EnrolOptions(fit=fit, background=background), on_clip=on_step
    )
    for warning in report.warnings:
        on_warning(warning)
    for path in report.left_out:
        on_warning(f"not enrolled, called anomaly_...: {printable(path)}")
    for each in report.unusable:
        on_warning(f"not enrolled: {printable(each.path)}: {each.reason}")
    return manifest


def _reduced(
    graph: bytes,
    manifest: Manifest,
    precision: Precision,
    calibration: str | os.PathLike[str] | None,
    fit: Fit,
    on_step: Callable[[], Any],
) -> tuple[bytes, Manifest]:
    """Write a reduced precision into a model, and make sure that it can be computed here."""
    network = onnx.ModelProto.FromString(graph)
    match precision:
        case "fp16" | "bf16":
            network = in_half(network, precision)
        case "int8":
            assert calibration is not None, "check_recordings was to refuse this"
            from osscl.export.int8 import calibration_feeds, quantise  # loads ONNX Runtime's quantisation

            network = quantise(network, calibration_feeds(Path(calibration), manifest, on_step, fit))
    graph = network.SerializeToString(deterministic=True)
    manifest = replace(manifest, precision=precision, graph_sha256=graph_sha256(graph))
    open_backend(in_memory_bundle(graph, manifest), ComputeOptions("cpu")).close()
    return graph, manifest


def _accuracy(
    fp32: Bundle,
    reduced: Bundle,
    gate: str | os.PathLike[str] | None,
    limits: GateLimits | None,
    fit: Fit,
    on_step: Callable[[], Any],
    on_warning: Callable[[str], Any],
    on_stage: Callable[[str], Any],
) -> Accuracy:
    """Pass a reduced precision through the accuracy gate."""
    limits = limits or GateLimits()
    fit = AS_THEY_ARE if gate is None else fit  # the gate set fits as it is
    if gate is None:
        on_stage(
            f"accuracy gate: making {GATE_PLAN.normal + GATE_PLAN.anomalous:,} clips of synthetic machines"
        )
    with gate_clips(None if gate is None else Path(gate), on_step, fit) as (folder, name):
        paths = (candidate.path for candidate in find_some_recordings([folder]))
        size = gate_size(paths, fp32.manifest)
        doubt = size.doubt(limits) if size.n_clips > 1 else None
        if doubt is not None:
            on_warning(doubt)
        precision = reduced.manifest.network.precision
        on_stage(f"accuracy gate: scoring {counted(size.n_clips, 'clip')} in {precision}, then in fp32")
        accuracy = measure_accuracy(fp32, reduced, folder, name, fit=fit, on_record=lambda _: on_step())
    check_accuracy(accuracy, limits, doubt, fp32.manifest.verdict)
    return accuracy


def read_classes(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Read a list of machine IDs, one a line; empty lines do not count.

    Parameters
    ----------
    path : path-like
        UTF-8 text file.

    Returns
    -------
    tuple of str
        The names, in order.

    Raises
    ------
    CheckpointError
        The file cannot be read, or names nothing.
    """
    try:
        lines = read_regular(path).decode().splitlines()
    except OSError as error:
        raise CheckpointError(
            f"--classes {printable(path)}: the list cannot be read: {error.strerror}"
        ) from error
    except UnicodeDecodeError as error:
        raise CheckpointError(
            f"--classes {printable(path)}: the list is no text in UTF-8: {error}"
        ) from error
    names = tuple(line.strip() for line in lines if line.strip())
    if not names:
        raise CheckpointError(
            f"--classes {printable(path)}: the list is empty; expected one machine ID a line"
        )
    return names
