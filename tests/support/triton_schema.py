"""Triton's own schema of ``config.pbtxt``, out of its client, without what the client needs to speak."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format


def read_config(path: Path) -> Any:
    """Read a configuration as Triton does: a field that it does not know is an error."""
    with path.open(encoding="ascii") as file:
        return text_format.Parse(file.read(), _schema().ModelConfig())


def _schema() -> Any:
    """The module of the schema; the package around it would load gRPC."""
    package = importlib.util.find_spec("tritonclient")
    if package is None or package.submodule_search_locations is None:
        pytest.skip("tritonclient, which holds Triton's schema, is not installed")
    path = Path(package.submodule_search_locations[0], "grpc", "model_config_pb2.py")
    spec = importlib.util.spec_from_file_location("triton_model_config_pb2", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
