"""``osscl inspect``: what a model file or a checkpoint says of itself, and what a graph holds."""

from pathlib import Path
from typing import Annotated, Any

import typer

from osscl.cli.checkpoint_facts import CHECKPOINT_SUFFIX, show_checkpoint
from osscl.cli.completion import models
from osscl.cli.console import accuracy_facts, as_json, print_facts
from osscl.cli.decision_facts import decision_facts
from osscl.cli.messages import emit
from osscl.cli.places import FileOrUrl, place_named
from osscl.model_file.bundle import Bundle, read_bundle
from osscl.model_file.graph_facts import graph_facts
from osscl.model_file.manifest import Manifest
from osscl.model_file.unexported import checkpoint_at

EXAMPLES = """[bold]Examples[/bold]\n
  osscl inspect model.onnx\n
  osscl inspect model.onnx --json | jq .manifest.model.classes\n
  osscl inspect runs/short/best.safetensors
"""


def inspect(
    model: Annotated[
        FileOrUrl,
        typer.Argument(
            help="Model file that osscl enroll or export wrote, its URL, or demo; or a checkpoint "
            "(.safetensors) that osscl train wrote, or the folder of its run.",
            metavar="MODEL|CHECKPOINT",
            parser=place_named,
            autocompletion=models,
        ),
    ],
    json: Annotated[
        bool,
        typer.Option("--json", help="All of it as JSON: the manifest and the graph's facts, or the recipe."),
    ] = False,
) -> None:
    """Show what a model file or a checkpoint says of itself, once its hashes are checked."""
    if isinstance(model, Path):
        model = checkpoint_at(model)
    if isinstance(model, Path) and model.suffix.lower() == CHECKPOINT_SUFFIX:
        show_checkpoint(model, json=json)
        return
    bundle = read_bundle(model)
    graph = graph_facts(bundle.model)
    if json:
        document = {
            "file_sha256": bundle.file_sha256,
            "graph": graph,
            "manifest": bundle.manifest,
        }
        emit(as_json(document))
        return
    print_facts(_summary(bundle, graph))


def _summary(bundle: Bundle, graph: dict[str, Any]) -> dict[str, Any]:
    manifest = bundle.manifest
    front_end = manifest.front_end.settings
    operators = sorted(graph["operators"].items(), key=lambda item: (-item[1], item[0]))
    return {
        "file": f"{bundle.path} ({len(bundle.model) / 1e6:.2f} MB, hashes agree)",
        "schema": manifest.schema_version,
        "producer": f"{manifest.producer.name} {manifest.producer.version}"
        + "".join(f", {name} {version}" for name, version in manifest.producer.tools.items()),
        **(_network(manifest) if manifest.has_network else {"network": "none: memories of machines alone"}),
        "front end": f"{manifest.front_end.where}: {front_end.sample_rate_hz} Hz, n_fft {front_end.n_fft}, "
        f"hop_length {front_end.hop_length}, n_mels {front_end.n_mels}",
        "clip": f"{manifest.clip.n_samples} samples from the {manifest.clip.position}",
        "inputs": "\n".join(map(str, manifest.inputs)),
        "outputs": "\n".join(map(str, manifest.outputs)),
        **decision_facts(manifest),
        "graph": f"opset {graph['opset']}, {graph['n_parameters']:,} parameters, {graph['n_nodes']} nodes: "
        + ", ".join(f"{count} {name}" for name, count in operators),
        "graph sha256": bundle.graph_sha256,
        "licence": manifest.licence,
        "training data": manifest.training_data,
    }


def _network(manifest: Manifest) -> dict[str, str]:
    model, checkpoint, precision, parity = manifest.network
    return {
        "checkpoint": f"{checkpoint.layout} layout, sha256 {checkpoint.sha256}",
        "classes": f"{len(model.classes)}: {', '.join(model.classes)}",
        **({} if manifest.class_machines is None else {"machines": _listed_machines(manifest)}),
        "network": f"inputs {model.inputs}, head {model.head}",
        "score": f"{manifest.scoring_rule}, margin {model.margin:g} rad, scale {model.scale:g}",
        "training": str(manifest.verdict or "what it learned is not known"),
        "precision": precision,
        "rewrites": ", ".join(manifest.graph_rewrites) or "none",
        "parity": f"{parity.count} golden clips: embedding {parity.measured.embedding:.1e} "
        f"(allowed {parity.tolerance.embedding:.0e}), cosine {parity.measured.cosine:.1e} "
        f"({parity.tolerance.cosine:.0e}), score {parity.measured.score:.1e} ({parity.tolerance.score:.0e})",
        **accuracy_facts(manifest),
    }


def _listed_machines(manifest: Manifest) -> str:
    """Machines of the classes, where they have several."""
    machines = manifest.classes_of_machines
    return f"{len(machines)}: {', '.join(f'{name} ({len(labels)})' for name, labels in machines.items())}"
