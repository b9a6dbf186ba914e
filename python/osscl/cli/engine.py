"""``osscl engine``: TensorRT engines are built ahead of time, listed, inspected and removed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import rich.markup
import rich.table
import typer

from osscl.backends.gpu.card import BATCH_SIZE
from osscl.backends.tensorrt.cache import EngineCache, default_folder
from osscl.backends.tensorrt.entries import Entry, leftovers, list_entries, read_entry, why_prune
from osscl.backends.tensorrt.options import BuildOptions
from osscl.backends.tensorrt.private_files import NotTrusted
from osscl.cli import signals
from osscl.cli.completion import models
from osscl.cli.console import BuildProgress, as_json, print_facts, stdout
from osscl.cli.messages import emit, say, say_interrupted
from osscl.cli.options import EngineFolder
from osscl.errors import BackendError, OutputError
from osscl.model_file.bundle import DEMO, read_bundle
from osscl.support.installed import version_of
from osscl.support.links import missing
from osscl.support.paths import printable

BUILD_EXAMPLES = """[bold]Examples[/bold]\n
  osscl engine build model.onnx\n
  osscl engine build demo --max-batch 512 --opt-batch 128 --device cuda:1 --json
"""
LIST_EXAMPLES = """[bold]Examples[/bold]\n
  osscl engine list\n
  osscl engine list --json | jq '.engines[].path'
"""
PRUNE_EXAMPLES = """[bold]Examples[/bold]\n
  osscl engine prune --dry-run\n
  osscl engine prune --older-than 90\n
  osscl engine prune --all
"""
INSPECT_EXAMPLES = """[bold]Examples[/bold]\n
  osscl engine inspect model.onnx\n
  osscl engine inspect ~/.cache/osscl/engines/0123456789abcdef0123456789abcdef.engine --json
"""

AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")]

_MEBIBYTE = 2**20

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="rich")


@app.callback()
def engine() -> None:
    """TensorRT engines: build them ahead of time, list, inspect and remove them."""


@app.command("build", epilog=BUILD_EXAMPLES)
def build(
    model: Annotated[
        Path,
        typer.Argument(
            help="Model file that osscl-export wrote, or demo.", metavar="MODEL", autocompletion=models
        ),
    ],
    max_batch: Annotated[
        int, typer.Option(help="Clips that it computes at once at most; what osscl score calls --batch-size.")
    ] = BATCH_SIZE,
    opt_batch: Annotated[
        int | None,
        typer.Option(
            help="Clips in the batch that the engine is made fastest for; by default, and for scoring, the "
            "largest."
        ),
    ] = None,
    workspace: Annotated[
        int | None,
        typer.Option(help="MiB of the card's memory for one layer's scratch; by default all.", metavar="MIB"),
    ] = None,
    device: Annotated[str, typer.Option(help="cuda, cuda:1, cuda:0,1 or cuda:all.")] = "cuda:0",
    engine_cache: EngineFolder = None,
    json: AsJson = False,
) -> None:
    """Build a model's engine into the cache, unless it is there; scoring would build it at its first use."""
    if workspace is not None and workspace < 1:
        raise typer.BadParameter(f"--workspace is {workspace}; it must be at least 1 MiB")
    options = BuildOptions(
        max_batch=max_batch,
        opt_batch=max_batch if opt_batch is None else opt_batch,
        workspace_bytes=None if workspace is None else workspace * _MEBIBYTE,
    )
    bundle = read_bundle(model)
    bundle.manifest.network  # noqa: B018 - raises where there is none, whatever cards there are
    # probed before anything of TensorRT is touched: without a driver it can end the process
    from osscl.cuda.devices import named_devices, open_device

    devices = [open_device(number) for number in named_devices(device)]

    from osscl.backends.tensorrt.opening import plan_for
    from osscl.backends.tensorrt.package import import_tensorrt

    trt = import_tensorrt()
    cache = _cache(engine_cache)
    with _usable(cache):
        cache.make_folder()  # rather than build for minutes and then not know where to put it
    engines = []
    try:
        for card in devices:
            with BuildProgress() as progress:
                plan = plan_for(trt, bundle, card, options, cache, progress.show_phase, say)
            if plan.path is None:
                raise OutputError(f"no engine was written: {plan.reason}")
            engines.append(
                {"device": card.name, "path": str(plan.path), "was_built": plan.reason is not None}
                | {"reason": plan.reason, "n_bytes": len(plan.data)}
            )
    except KeyboardInterrupt:
        say_interrupted("interrupted; no engine was written")
        raise typer.Exit(signals.exit_code()) from None
    if json:
        emit(as_json({"engines": engines}))
        return
    for engine in engines:
        how = f"built: {engine['reason']}" if engine["was_built"] else "was in the cache"
        print_facts({"device": engine["device"], "engine": engine["path"], "state": how})


@app.command("list", epilog=LIST_EXAMPLES)
def list_(engine_cache: EngineFolder = None, json: AsJson = False) -> None:
    """List the engines in the cache, each checked as before use; needs neither TensorRT nor a GPU."""
    cache = _cache(engine_cache)
    with _usable(cache):
        entries = list_entries(cache)
    if json:
        emit(as_json({"folder": str(cache.folder), "engines": [_document(entry) for entry in entries]}))
        return
    if not entries:
        say(f"no engines in {cache.folder}")
        return
    table = rich.table.Table(box=None, pad_edge=False)
    for heading in ("engine", "graph", "precision", "batch", "TensorRT", "device", "MB", "days", "state"):
        table.add_column(heading, overflow="fold", justify="right" if heading in ("MB", "days") else "left")
    for entry in entries:
        table.add_row(*map(rich.markup.escape, _row(entry)))
    stdout.print(table)


@app.command("prune", epilog=PRUNE_EXAMPLES)
def prune(
    everything: Annotated[bool, typer.Option("--all", help="Remove all engines, and timings too.")] = False,
    older_than: Annotated[
        float | None, typer.Option(help="Remove engines that are older than so many days.", metavar="DAYS")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Remove nothing, only say what.")] = False,
    engine_cache: EngineFolder = None,
    json: AsJson = False,
) -> None:
    """Remove engines that are damaged, or that the installed TensorRT does not load."""
    cache = _cache(engine_cache)
    removed: list[dict[str, Any]] = []
    if missing(cache.folder) is None:
        with _usable(cache), cache.writing(say):
            installed = version_of("tensorrt")
            for entry in list_entries(cache):
                reason = why_prune(
                    entry,
                    everything=everything,
                    older_than_days=older_than,
                    installed_tensorrt=installed,
                )
                if reason is not None:
                    removed.append({"path": str(entry.path), "n_bytes": entry.n_bytes, "reason": reason})
                    if not dry_run:
                        cache.remove(entry.key)
            for path in leftovers(cache, everything=everything):
                removed.append(
                    {"path": str(path), "n_bytes": path.lstat().st_size, "reason": "no engine needs it"}
                )
                if not dry_run:
                    path.unlink()
    if json:
        emit(as_json({"folder": str(cache.folder), "dry_run": dry_run, "removed": removed}))
        return
    for file in removed:
        emit(f"{file['path']}: {file['reason']}")
    size = sum(file["n_bytes"] for file in removed) / 1e6
    say(f"{len(removed)} {'would be ' if dry_run else ''}removed from {cache.folder}, {size:.1f} MB")


@app.command("inspect", epilog=INSPECT_EXAMPLES)
def inspect(
    target: Annotated[
        Path,
        typer.Argument(
            help="Engine in the cache (.engine); or a model file, or demo, for all of its engines.",
            metavar="ENGINE_OR_MODEL",
            autocompletion=models,
        ),
    ],
    engine_cache: EngineFolder = None,
    json: AsJson = False,
) -> None:
    """Show what an engine was built from and for, and in which types its heavy layers run."""
    entries = _entries_of(target, _cache(engine_cache))
    if json:
        emit(as_json({"engines": [_document(entry) for entry in entries]}))
        return
    for entry in entries:
        print_facts(_facts(entry))


def _cache(folder: Path | None) -> EngineCache:
    return EngineCache(folder or default_folder())


@contextmanager
def _usable(cache: EngineCache) -> Iterator[None]:
    try:
        yield
    except (OSError, NotTrusted) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise OutputError(f"the engine cache {printable(cache.folder)} cannot be used: {reason}") from error


def _entries_of(target: Path, cache: EngineCache) -> list[Entry]:
    if target.suffix == ".engine":
        beside = EngineCache(target.parent)
        with _usable(beside):
            entry = read_entry(beside, target.stem)
        if entry.flaw is not None:
            raise BackendError(f"{target}: the engine cannot be used: {entry.flaw}")
        return [entry]
    bundle = read_bundle(target)
    with _usable(cache):
        listed = list_entries(cache)
    entries = [
        entry
        for entry in listed
        if entry.sidecar is not None and entry.sidecar.facts.graph_sha256 == bundle.graph_sha256
    ]
    if not entries:
        named = DEMO if str(target) == DEMO else target
        raise BackendError(f"{cache.folder} holds no engine of {named}: osscl engine build {named}")
    return entries


def _document(entry: Entry) -> dict[str, Any]:
    return {
        "key": entry.key,
        "path": str(entry.path),
        "n_bytes": entry.n_bytes,
        "age_days": round(entry.age_days, 3),
        "flaw": entry.flaw,
        "sidecar": entry.sidecar,
    }


def _row(entry: Entry) -> list[str]:
    size = [f"{entry.n_bytes / 1e6:.1f}", f"{entry.age_days:.0f}"]
    if entry.sidecar is None:
        return [entry.key, *[""] * 5, *size, f"not used: {entry.flaw}"]
    facts = entry.sidecar.facts
    batch = f"1..{facts.options.max_batch}, best {facts.options.opt_batch}"
    what = [facts.graph_sha256[:12], facts.precision, batch, facts.tensorrt_version, facts.device_name]
    return [entry.key, *what, *size, "ok"]


def _facts(entry: Entry) -> dict[str, Any]:
    assert entry.sidecar is not None
    facts = entry.sidecar.facts
    workspace = facts.options.workspace_bytes
    return {
        "engine": f"{entry.path} ({entry.n_bytes / 1e6:.1f} MB, hash agrees)",
        "graph sha256": facts.graph_sha256,
        "precision": facts.precision,
        "batch": f"1 to {facts.options.max_batch} clips, fastest at {facts.options.opt_batch}",
        "workspace": "all memory" if workspace is None else f"{workspace / _MEBIBYTE:g} MiB",
        "TensorRT": facts.tensorrt_version,
        "device": f"{facts.device_name}, compute capability {facts.compute_capability}",
        "driver": facts.driver_version,
        "built": entry.sidecar.built_at,
        "heavy layers": "\n".join(
            f"{layer.dtype:8}{layer.kind}: {', '.join(layer.nodes)}" for layer in entry.sidecar.layers
        ),
    }
