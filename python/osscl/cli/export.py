"""``osscl export`` and ``osscl-export``: a checkpoint in, one self-describing model file out."""

from pathlib import Path
from typing import Annotated

import typer

from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.cli.console import WorkProgress, accuracy_facts, as_json, print_facts
from osscl.cli.messages import emit, say
from osscl.cli.next_command import say_network_takes_no_part, say_next
from osscl.cli.options import takes_shared_options
from osscl.cli.streams import refuse_closed_stdout
from osscl.config import HeadKind, ModelInputs
from osscl.evaluation.gate_limits import GateLimits
from osscl.export.asked import check_asked
from osscl.model_file.manifest import Manifest, Precision
from osscl.model_file.signature import FrontEndPlace
from osscl.model_file.unexported import checkpoint_at
from osscl.support.failed_import import needing
from osscl.support.outputs import check_output
from osscl.support.own_cache import keep_torch_inside

EXAMPLES = """[bold]Examples[/bold]\n
  osscl export runs/short/best.safetensors --output model.onnx\n
  osscl export osscl_basic.pth --output model.onnx\n
  osscl export best.pth --output model.onnx --margin 0.4 --head basic --inputs three_maps\n
  osscl export best.pth --output model.onnx --classes machines.txt --front-end graph\n
  osscl export demo --output demo.onnx --front-end graph\n
  osscl export best.pth --output model.onnx --background dcase2020 --enroll press_recordings\n
  osscl export model.onnx --output model_fp16.onnx --precision fp16 --gate dcase2020\n
  osscl export model.onnx --output model_bf16.onnx --precision bf16 --gate dcase2020\n
  osscl export model.onnx --output model_int8.onnx --precision int8 --calibration dcase2020/fan/train \\\n
    --gate dcase2020
"""


@takes_shared_options()
def export(
    checkpoint: Annotated[
        Path,
        typer.Argument(
            help="Checkpoint of osscl train (.safetensors), or the folder of its run; or a checkpoint in the "
            "published layout (.pth, with config.json beside it); or a model file in fp32 (.onnx), or demo, "
            "to be exported anew.",
            metavar="CHECKPOINT",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Model file to write.", readable=False)],
    classes: Annotated[
        Path | None,
        typer.Option(
            help="Text file with one machine ID a line, in the order of the class weight. "
            "By default the checkpoint's own, or the 41 published ones."
        ),
    ] = None,
    margin: Annotated[
        float | None, typer.Option(help="Angular margin, where config.json does not say it.")
    ] = None,
    head: Annotated[HeadKind | None, typer.Option(help="Head, where config.json does not say it.")] = None,
    inputs: Annotated[
        ModelInputs | None, typer.Option(help="Maps, where config.json does not say them.")
    ] = None,
    front_end: Annotated[
        FrontEndPlace | None,
        typer.Option(
            help="native, the default: the caller computes the log-mel, as osscl does. "
            "graph: the model takes the waveform alone, for other languages and servers. A model file keeps "
            "what it has by default."
        ),
    ] = None,
    precision: Annotated[
        Precision,
        typer.Option(
            help="Arithmetic of the heavy layers; below fp32 only if clips are ranked as in fp32. "
            "On CPUs, fp16 is computed by ONNX Runtime and bf16 by OpenVINO; int8 needs --calibration."
        ),
    ] = "fp32",
    gate: Annotated[
        Path | None,
        typer.Option(
            help="Folder of recordings that a reduced precision is measured on; by default the gate set of "
            "osscl synth.",
            metavar="CLIPS",
        ),
    ] = None,
    min_rank_correlation: Annotated[
        float | None,
        typer.Option(
            help="Least rank correlation of the scores in reduced precision with those in fp32 that the "
            "accuracy gate lets pass: 1 asks for the same order of all clips. For 0.999 it takes 23 clips.",
            show_default="0.999",
        ),
    ] = None,
    max_auc_change: Annotated[
        float | None,
        typer.Option(
            help="How far the AUC in reduced precision may lie from that in fp32. For 0.002 it takes 23 "
            "normal and 23 anomalous clips of one machine, or 7 and 7 of each of 12.",
            show_default="0.002",
        ),
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(help="Folder of normal recordings that set the ranges of int8.", metavar="CLIPS"),
    ] = None,
    background: Annotated[
        Path | None,
        typer.Option(
            help="Folder of normal recordings of 4 or more machines, which tell how clips of one machine "
            "vary; by default what the checkpoint says of its training clips.",
            metavar="CLIPS",
        ),
    ] = None,
    enroll: Annotated[
        Path | None,
        typer.Option(
            help="Folder of normal recordings that memories of their machines are made from, as osscl enroll "
            "does.",
            metavar="NORMALS",
        ),
    ] = None,
    fit: Fit = AS_THEY_ARE,
    without_rewrite: Annotated[
        list[str] | None,
        typer.Option(
            help="Leave out a rewrite of the graph for speed; may be repeated. 'all' leaves out all, and "
            "osscl inspect lists what was done.",
            metavar="NAME",
        ),
    ] = None,
    licence: Annotated[str | None, typer.Option(help="Terms of use, kept in the model file.")] = None,
    training_data: Annotated[
        str | None,
        typer.Option(
            help="What the model was trained on, kept in the file; by default the checkpoint's word."
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is at the output.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the measured errors as JSON.")] = False,
) -> None:
    """Export a checkpoint to one ONNX file, written only if it computes what the checkpoint does."""
    # all of this before torch takes its seconds
    checkpoint = checkpoint_at(checkpoint)
    check_output(output, overwrite=overwrite, inputs=[checkpoint, classes])
    limits = _limits(min_rank_correlation, max_auc_change)
    folders = {"--gate": gate, "--calibration": calibration, "--background": background, "--enroll": enroll}
    check_asked(precision, limits, folders, fit)
    keep_torch_inside()
    with needing("exporting", "export"):
        from osscl.export import export_onnx, read_classes
    if json:
        refuse_closed_stdout()
    say(f"exporting {checkpoint} ...")
    with WorkProgress("clips") as progress:
        manifest = export_onnx(
            checkpoint,
            output,
            classes=None if classes is None else read_classes(classes),
            margin=margin,
            head=head,
            inputs=inputs,
            front_end=front_end,
            rewrites=_rewrites(without_rewrite or []),
            precision=precision,
            gate=gate,
            limits=limits,
            calibration=calibration,
            background=background,
            enroll=enroll,
            fit=fit,
            licence=licence,
            training_data=training_data,
            overwrite=overwrite,
            on_step=progress.advance,
            on_warning=lambda warning: say(f"warning: {warning}"),
            on_stage=say,
        )
    measured, tolerance = manifest.network.parity.measured, manifest.network.parity.tolerance
    if json:
        document = {
            "model": str(output),
            "measured": measured,
            "tolerance": tolerance,
            "accuracy": manifest.accuracy,
        }
        emit(as_json(document))
        return
    print_facts(
        {
            "model": f"{output} ({output.stat().st_size / 1e6:.2f} MB)",
            "embedding": f"largest error in fp32 {measured.embedding:.2e}, {tolerance.embedding:.0e} allowed",
            "cosine": f"largest error in fp32 {measured.cosine:.2e}, {tolerance.cosine:.0e} allowed",
            "score": f"largest error in fp32 {measured.score:.2e}, {tolerance.score:.0e} allowed",
            **accuracy_facts(manifest),
            **_decision_facts(manifest),
        }
    )
    if manifest.decisions is not None and manifest.decisions.memories:
        if not manifest.decisions.embeddings:
            say_network_takes_no_part()
        say_next("osscl", "score", output, "RECORDINGS", "--output", "scores.csv")
    else:
        say_network_takes_no_part()
        say_next("osscl", "enroll", output, "NORMAL_RECORDINGS", "--output", "enrolled.onnx")


def _limits(min_rank_correlation: float | None, max_auc_change: float | None) -> GateLimits | None:
    """Limits of the accuracy gate; None where none is stated."""
    stated = {"min_rank_correlation": min_rank_correlation, "max_auc_change": max_auc_change}
    given = {name: value for name, value in stated.items() if value is not None}
    return GateLimits(**given) if given else None


def _decision_facts(manifest: Manifest) -> dict[str, str]:
    """What the file holds to decide by."""
    decisions = manifest.decisions
    if decisions is None:
        return {}
    background = decisions.background
    memories = ", ".join(memory.machine for memory in decisions.memories)
    return {
        "background": "none"
        if background is None
        else f"of {background.n_clips} clips of {background.n_machines} machines",
        **({"memories": memories} if memories else {}),
    }


def _rewrites(without: list[str]) -> list[str]:
    from osscl.export.rewrites import REWRITES, in_order

    left_out = in_order(name for name in without if name != "all")
    return [name for name in REWRITES if name not in left_out and "all" not in without]
