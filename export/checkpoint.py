"""Import of a checkpoint: every tensor that the network needs, no other, each of the right shape."""

import hashlib
import io
import json
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import torch
from msgspec import structs
from torch import Tensor

from osscl.config import FRONTEND, HeadKind, ModelConfig, ModelInputs
from osscl.errors import CheckpointError, ConfigError
from osscl.export.published_layout import (
    CLASS_WEIGHT,
    CONFIG_HEADS,
    CONFIG_INPUTS,
    LAYOUT,
    is_unused,
    published_name,
)
from osscl.machines.dcase import PUBLISHED_CLASSES
from osscl.model import OSSCL
from osscl.model_file.decisions import StoredDecisions
from osscl.model_file.verdict import Verdict
from osscl.runs.featured import SHORT_HASH_DIGITS
from osscl.support.links import unreadable
from osscl.support.listing import and_more, first_of
from osscl.support.plurals import are, counted
from osscl.support.regular_file import read_regular
from osscl.training.checkpoint import SUFFIX, read_checkpoint

Value = TypeVar("Value")

TRAINED_LAYOUT = "osscl"
_MAX_FLAWS = 12
_COUNTER = ".num_batches_tracked"  # bookkeeping of PyTorch's that no result depends on


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A network with the weights of a checkpoint.

    Attributes
    ----------
    model : OSSCL
        In eval mode.
    config : ModelConfig
        Its shape.
    sha256 : str
        Hash of the checkpoint file.
    layout : str
        Name of the layout it was read as.
    training_data : str or None
        What it says of the clips it was trained on.
    class_machines : tuple of str or None
        Machine of each class, where machines have several.
    decisions : StoredDecisions or None
        Backgrounds and hashes of the clips that took part in its training, where it says them.
    verdict : Verdict or None
        What held-out clips say of it, where it says that.
    """

    model: OSSCL
    config: ModelConfig
    sha256: str
    layout: str
    training_data: str | None = None
    class_machines: tuple[str, ...] | None = None
    decisions: StoredDecisions | None = None
    verdict: Verdict | None = None


def load_checkpoint(
    path: Path,
    *,
    classes: Sequence[str] | None = None,
    margin: float | None = None,
    head: HeadKind | None = None,
    inputs: ModelInputs | None = None,
) -> Checkpoint:
    """Read a checkpoint of `osscl train`, or one in the published layout.

    One of `osscl train` says all that is needed. For one in the published layout, ``config.json`` beside
    it, or the arguments, say what the weights do not. Where two say it, they must agree.

    Parameters
    ----------
    path : Path
        ``.safetensors`` file of `osscl train`; or a ``.pth`` file with one flat state dict, pruned or not.
    classes : sequence of str, optional
        Machine IDs in the order of the class weight; by default the 41 published ones.
    margin : float, optional
        Angular margin, radians.
    head : {"basic", "leaky_relu", "none"}, optional
        Head of the network.
    inputs : {"three_maps", "log_mel"}, optional
        Maps that the encoder sees.

    Returns
    -------
    Checkpoint
        The network, ready to run.

    Raises
    ------
    CheckpointError
        The file cannot be read; a setting is missing or contradicted; or a tensor is missing, extra,
        mis-shaped or not finite, each of which is named.
    ConfigError
        A setting that was given lies outside its range.
    """
    try:
        content = read_regular(path)
    except OSError as error:
        raise CheckpointError(unreadable(path, "checkpoint", error)) from error
    if path.suffix == SUFFIX:
        given = {"classes": classes and tuple(classes), "margin": margin, "head": head, "inputs": inputs}
        return _load_trained(path, hashlib.sha256(content).hexdigest(), given)
    stated = _read_config(path.with_name("config.json"))
    state = _read_state(path, content)
    try:
        config = ModelConfig(
            margin=_setting(stated, "m", "--margin", margin, _margin),
            head=_setting(stated, "ht", "--head", head, _choice(CONFIG_HEADS)),
            inputs=_setting(stated, "fussion", "--inputs", inputs, _choice(CONFIG_INPUTS)),
            classes=_classes(stated, classes),
        )
    except ConfigError as error:
        if any(given is not None for given in (margin, head, inputs)):
            raise  # of what was asked for, not of the file
        raise CheckpointError(f"{path}: {error}") from error
    return Checkpoint(_load(path, state, config), config, hashlib.sha256(content).hexdigest(), LAYOUT)


def _load_trained(path: Path, sha256: str, given: Mapping[str, object]) -> Checkpoint:
    tensors, info = read_checkpoint(path, "ema_weights")
    config = info.config.model(info.classes)
    for name, value in given.items():
        if value is not None and value != getattr(config, name):
            raise CheckpointError(
                f"{path}: was trained with {name} {getattr(config, name)}, --{name} says {value}: "
                "drop the option"
            )
    if info.front_end_sha256 != FRONTEND.sha256:
        raise CheckpointError(
            f"{path}: was trained with another front end ({info.front_end.algorithm}); "
            "export it with the osscl that trained it, or train it again"
        )
    model = OSSCL(config)
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise CheckpointError(f"{path}: does not fit its own settings: {error}") from error
    n_clips = len(info.training_clips)
    machines = info.class_machines or info.classes
    in_classes = f" in {counted(len(info.classes), 'class')}" if info.class_machines else ""
    training_data = (
        f"{counted(n_clips, 'clip')} of {counted(len(set(machines)), 'machine')}{in_classes}, "
        f"{len(info.hold_out_clips)} more "
        f"held out; fingerprint {info.data_fingerprint}"
    )
    # held-out clips chose the weights: their scores are too low as well
    hashes = sorted({each[:SHORT_HASH_DIGITS] for each in (*info.training_clips, *info.hold_out_clips)})
    of_embeddings = info.embedding_background
    if of_embeddings is not None:  # from here on it stands apart from the weights that it belongs to
        of_embeddings = structs.replace(of_embeddings, checkpoint_sha256=sha256)
    decisions = StoredDecisions(
        background=info.background, training_clips=tuple(hashes), embedding_background=of_embeddings
    )
    return Checkpoint(
        model.eval(),
        config,
        sha256,
        TRAINED_LAYOUT,
        training_data,
        info.class_machines,
        decisions,
        info.verdict,
    )


def _read_config(path: Path) -> dict[str, Any]:
    try:
        stated = json.loads(read_regular(path))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error
    if not isinstance(stated, dict):
        raise CheckpointError(f"{path} holds no JSON object; expected one with m, fussion and ht")
    return stated


def _setting(
    stated: Mapping[str, Any], key: str, flag: str, given: Value | None, parse: Callable[[Any], Value | None]
) -> Value:
    """One setting, from config.json or from the flag."""
    if key not in stated:
        if given is None:
            raise CheckpointError(f"no config.json beside the checkpoint says '{key}'; say it with {flag}")
        return given
    value = parse(stated[key])
    if value is None:
        raise CheckpointError(f"config.json says {key} = {stated[key]!r}, which is no known value of {flag}")
    if given is not None and given != value:
        raise CheckpointError(
            f"config.json says {key} = {stated[key]!r}, {flag} says {given!r}: drop one of them"
        )
    return value


def _margin(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else None  # type: ignore[arg-type]


def _choice(choices: Mapping[object, Value]) -> Callable[[Any], Value | None]:
    def parse(value: Any) -> Value | None:
        is_plain = isinstance(value, str | int) and not isinstance(value, bool)
        return choices.get(value) if is_plain else None

    return parse


def _classes(stated: Mapping[str, Any], given: Sequence[str] | None) -> tuple[str, ...]:
    if "classes" not in stated:
        return PUBLISHED_CLASSES if given is None else tuple(given)
    names = stated["classes"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise CheckpointError("config.json says classes, but not as a list of names")
    if given is not None and list(given) != names:
        raise CheckpointError("config.json and --classes name different classes: drop one of them")
    return tuple(names)


def _read_state(path: Path, content: bytes) -> dict[str, Tensor]:
    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (RuntimeError, ValueError, KeyError, EOFError, OSError, pickle.UnpicklingError) as error:
        reason = str(error).strip().partition("\n")[0][:200]
        raise CheckpointError(
            f"{path}: not a PyTorch checkpoint of plain tensors ({type(error).__name__}: {reason}); "
            "save it with torch.save(model.state_dict(), path)"
        ) from error
    is_flat = isinstance(state, dict) and all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in state.items()
    )
    if not is_flat:
        raise CheckpointError(
            f"{path}: holds no flat state dict; save it with torch.save(model.state_dict(), path)"
        )
    return cast("dict[str, Tensor]", state)


def _load(path: Path, state: Mapping[str, Tensor], config: ModelConfig) -> OSSCL:
    weight = state.get(CLASS_WEIGHT)
    if weight is not None and weight.ndim == 2 and len(weight) != len(config.classes):
        raise CheckpointError(
            f"{path}: {CLASS_WEIGHT} has {len(weight)} rows, but {are(len(config.classes), 'class')} "
            "named; name them with --classes"
        )
    model = OSSCL(config)
    flaws = list(_flaws(state, model.state_dict(), config))
    if flaws:
        first, n_left = first_of(flaws, _MAX_FLAWS)
        raise CheckpointError(
            f"{path}: does not fit a network with inputs {config.inputs} and head {config.head}: "
            f"{'; '.join(first)}{and_more(n_left)}"
        )
    ours = {name: state.get(published_name(name)) for name in model.state_dict()}
    model.load_state_dict({name: value for name, value in ours.items() if value is not None}, strict=False)
    return model.eval()


def _flaws(state: Mapping[str, Tensor], needed: Mapping[str, Tensor], config: ModelConfig) -> Iterator[str]:
    """Say what keeps a published state dict from being ours."""
    expected = {published_name(name): value for name, value in needed.items()}
    for name, value in expected.items():
        if name not in state:
            if not name.endswith(_COUNTER):
                yield f"{name} is missing"
        elif state[name].shape != value.shape:
            yield f"{name} is {list(state[name].shape)}, expected {list(value.shape)}"
        elif state[name].layout != torch.strided or state[name].is_meta:
            yield f"{name} is no dense tensor with values"
        elif state[name].dtype != value.dtype:
            yield f"{name} is {state[name].dtype}, expected {value.dtype}"
        elif not state[name].isfinite().all():
            yield f"{name} holds NaN or infinity"
    for name in state:
        if name not in expected and not is_unused(name, config.inputs):
            yield f"{name} is not known"
