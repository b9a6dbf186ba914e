"""Engines that ``osscl engine`` built, for Triton's TensorRT: each is checked to be of the model."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from osscl.backends.tensorrt.cache import EngineCache
from osscl.backends.tensorrt.private_files import NotTrusted, check_private_folder
from osscl.backends.tensorrt.sidecar import EngineFacts
from osscl.errors import BackendError, ConfigError
from osscl.model_file.bundle import Bundle
from osscl.support.links import unreadable
from osscl.support.paths import printable

_ENDING = ".engine"


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine, and what it was built from and for.

    Attributes
    ----------
    path : Path
        Where it lies.
    facts : EngineFacts
        What stands beside it.
    data : bytes
        The engine.
    """

    path: Path
    facts: EngineFacts
    data: bytes = field(repr=False)

    @property
    def file_name(self) -> str:
        """Name of its file in a repository, of which there is one a compute capability."""
        return f"model_{self.facts.compute_capability}.plan"


def read_engines(paths: Iterable[str | os.PathLike[str]], bundle: Bundle, model: str) -> list[Engine]:
    """Read engines of a model, for one server.

    Parameters
    ----------
    paths : iterable of path-like
        Files out of an engine cache.
    bundle : Bundle
        The model.
    model : str
        What the user calls it.

    Returns
    -------
    list of Engine
        One for each kind of card.

    Raises
    ------
    BackendError
        An engine cannot be used, or is another model's.
    ConfigError
        Two are for the same kind of card, or were built by two versions of TensorRT.
    """
    engines = [_read(Path(path), bundle, model) for path in paths]
    for number, engine in enumerate(engines):
        for other in engines[:number]:
            _check_pair(other, engine)
    return engines


def _read(path: Path, bundle: Bundle, model: str) -> Engine:
    if path.suffix != _ENDING:
        raise BackendError(
            f"{printable(path)} is no engine that osscl engine build wrote, whose names end in {_ENDING}: "
            f"osscl engine inspect {model} names those of the model"
        )
    cache = EngineCache(path.parent)
    try:
        check_private_folder(cache.folder)
        sidecar, data = cache.read(path.stem)
    except NotTrusted as why:
        raise BackendError(f"{printable(path)}: the engine cannot be used: {why}") from None
    except OSError as error:
        raise BackendError(unreadable(path, "engine", error)) from error
    if sidecar.facts.graph_sha256 != bundle.graph_sha256:
        raise BackendError(
            f"{printable(path)} was built from another graph than that of {model} (SHA-256 "
            f"{sidecar.facts.graph_sha256[:12]}..., not {bundle.graph_sha256[:12]}...): "
            f"osscl engine build {model}"
        )
    return Engine(path, sidecar.facts, data)


def _check_pair(one: Engine, other: Engine) -> None:
    names = f"{printable(one.path)} and {printable(other.path)}"
    if one.facts.compute_capability == other.facts.compute_capability:
        raise ConfigError(
            f"{names} are both for cards of compute capability {one.facts.compute_capability}, and Triton "
            "takes one for each; name one of them"
        )
    if one.facts.tensorrt_version != other.facts.tensorrt_version:
        raise ConfigError(
            f"{names} were built by TensorRT {one.facts.tensorrt_version} and "
            f"{other.facts.tensorrt_version}, and one server has one of them; build both by the server's "
            "version"
        )
