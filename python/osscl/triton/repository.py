"""A model file as a repository of Triton's: the scorer, and its network alone for other backends."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from osscl.backends import DEFAULT_OPTIONS, ComputeOptions
from osscl.backends.onnxruntime import OnnxRuntimeBackend
from osscl.errors import ConfigError
from osscl.model_file.bundle import DEMO, Bundle, read_bundle
from osscl.model_file.decisions import Rule
from osscl.scoring.judge_making import AUTO, DomainChoice
from osscl.scoring.judges import Judges
from osscl.support.outputs import refuse_inputs
from osscl.support.paths import printable
from osscl.triton.batching import Batching
from osscl.triton.config_text import Message, config_text
from osscl.triton.configs import WRITTEN_BY, network_config, plan_config, scorer_config
from osscl.triton.names import model_name
from osscl.triton.opening import MODEL_FILE
from osscl.triton.place import CONFIG, appearing, check_place
from osscl.triton.plans import Engine, read_engines

_VERSION = "1"
_NETWORK, _PLAN = "_network", "_plan"
_SCORER_FILE = Path(__file__).parent / "python_model.py"


@dataclass(frozen=True, slots=True)
class WrittenModel:
    """A model in a repository.

    Attributes
    ----------
    name : str
        What it is called in Triton.
    what : str
        What it takes and gives.
    config : mapping
        Its configuration.
    files : dict of str to bytes
        What lies in the folder of its version.
    """

    name: str
    what: str
    config: Message
    files: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Repository:
    """What was written.

    Attributes
    ----------
    folder : Path
        Where.
    models : tuple of WrittenModel
        The scorer first.
    notes : tuple of str
        What is left out or not decided, and why.
    """

    folder: Path
    models: tuple[WrittenModel, ...]
    notes: tuple[str, ...]


def write_repository(
    model: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    name: str | None = None,
    plans: Iterable[str | os.PathLike[str]] = (),
    batching: Batching | None = None,
    compute: ComputeOptions = DEFAULT_OPTIONS,
    rule: Rule | None = None,
    false_alarm_rate: float | None = None,
    domain: DomainChoice = AUTO,
    overwrite: bool = False,
) -> Repository:
    """Write a model file as models of Triton's.

    Parameters
    ----------
    model : path-like
        The model file, or the word "demo".
    folder : path-like
        The repository, which may hold other models.
    name : str, optional
        Name of the models; by default that of the file.
    plans : iterable of path-like
        Engines of ``osscl engine``, one for each kind of card.
    batching : Batching, optional
        How Triton puts requests together.
    compute : ComputeOptions
        On what the models are computed, and how.
    rule, false_alarm_rate, domain
        As for `osscl.load`.
    overwrite : bool
        Whether models that an earlier call wrote under this name are replaced.

    Returns
    -------
    Repository
        What it holds now of this model.

    Raises
    ------
    ModelFileError
        The model file cannot be used.
    ConfigError
        The name cannot be one of Triton's, or options contradict one another.
    BackendError
        An engine cannot be used, or is another model's.
    OutputError
        The place is taken, or closed.
    """
    bundle, folder, batching = read_bundle(model), Path(folder), batching or Batching()
    called, named = model_name(model, name), DEMO if os.fspath(model) == DEMO else printable(model)
    judges = Judges(bundle.manifest, rule, false_alarm_rate, domain)
    asked = {
        "rule": rule,
        "false_alarm_rate": None if false_alarm_rate is None else repr(false_alarm_rate),
        "domain": None if domain == AUTO else domain,
    }
    engines = _engines(list(plans), bundle, named, compute)
    refuse_inputs(folder, [bundle.path])
    replaced = check_place(folder, (called, called + _NETWORK, called + _PLAN), overwrite=overwrite)
    models = [_scorer(called, bundle, batching, compute, asked)]
    notes = list(_undecided(judges))
    left_out = _why_no_network(bundle)
    if left_out is None:
        models.append(_network(called, bundle, batching, compute))
    else:
        notes.append(f"{called}{_NETWORK} is left out: {left_out}")
    if engines:
        models.append(_plan(called, bundle, batching, compute, engines))
    with appearing(folder, replaced) as new:
        for each in models:
            _write(new / each.name, each)
    return Repository(folder, tuple(models), tuple(notes))


def _engines(
    plans: Sequence[str | os.PathLike[str]], bundle: Bundle, model: str, compute: ComputeOptions
) -> list[Engine]:
    if not plans:
        return []
    bundle.manifest.network  # noqa: B018 - raises where there is none
    if compute.device == "cpu":
        raise ConfigError("a TensorRT engine (--plan) computes on GPUs, and the device is cpu; leave one out")
    return read_engines(plans, bundle, model)


def _undecided(judges: Judges) -> Iterator[str]:
    """Say of which machines nothing will be decided, and why, once for each reason."""
    for machine in judges.machines:
        if (reason := judges.lacking(machine)) is None:
            judges.of(machine)
        else:
            yield f"{machine} cannot be scored: {reason}"
    yield from judges.notes()


def _why_no_network(bundle: Bundle) -> str | None:
    """Why there is nothing for Triton's ONNX Runtime; None where there is."""
    if not bundle.manifest.has_network:
        return "the file holds memories of machines and no network"
    precision = bundle.manifest.network.precision
    if precision not in OnnxRuntimeBackend.precisions:
        return f"the network is {precision}, which ONNX Runtime does not compute on CPUs"
    return None


def _scorer(
    name: str, bundle: Bundle, batching: Batching, compute: ComputeOptions, asked: dict[str, str | None]
) -> WrittenModel:
    return WrittenModel(
        name,
        "samples and a machine ID in; score, p-value and decision out (osscl in Triton's Python backend)",
        scorer_config(name, batching, compute, asked),
        {"model.py": _SCORER_FILE.read_bytes(), MODEL_FILE: bundle.model},
    )


def _network(name: str, bundle: Bundle, batching: Batching, compute: ComputeOptions) -> WrittenModel:
    return WrittenModel(
        name + _NETWORK,
        f"{_tensors(bundle)} (ONNX Runtime)",
        network_config(name + _NETWORK, bundle.manifest, batching, compute),
        {MODEL_FILE: bundle.model},
    )


def _plan(
    name: str, bundle: Bundle, batching: Batching, compute: ComputeOptions, engines: Sequence[Engine]
) -> WrittenModel:
    """The engines, with batches that all of them take."""
    most = min(batching.max_batch, *(engine.facts.options.max_batch for engine in engines))
    best = {min(most, engine.facts.options.opt_batch) for engine in engines}
    sizes = tuple(size for size in batching.preferred if size <= most) or tuple(best)
    cards = ", ".join(f"{engine.facts.device_name} ({engine.facts.compute_capability})" for engine in engines)
    version = engines[0].facts.tensorrt_version
    return WrittenModel(
        name + _PLAN,
        f"{_tensors(bundle)} (TensorRT {version} on {cards} alone)",
        plan_config(
            name + _PLAN,
            bundle.manifest,
            replace(batching, max_batch=most, preferred=sizes),
            compute,
            {engine.facts.compute_capability: engine.file_name for engine in engines},
        ),
        {engine.file_name: engine.data for engine in engines},
    )


def _tensors(bundle: Bundle) -> str:
    """What goes into the graph and comes out of it, in words."""
    manifest = bundle.manifest
    inputs, outputs = (
        " and ".join(each.name for each in some) for some in (manifest.inputs, manifest.outputs)
    )
    return f"{inputs} in, {outputs} out"


def _write(folder: Path, model: WrittenModel) -> None:
    (folder / _VERSION).mkdir(parents=True)
    (folder / CONFIG).write_text(WRITTEN_BY + config_text(model.config), encoding="ascii")
    for name, content in model.files.items():
        (folder / _VERSION / name).write_bytes(content)
