"""What a repository of Triton's holds; Triton's own schema of it, out of its client, which need not speak."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format


def read_config(path: Path) -> Any:
    """Read a configuration as Triton does: a field that it does not know is an error."""
    with path.open(encoding="ascii") as file:
        return text_format.Parse(file.read(), _schema().ModelConfig())


def group_kind(config: Any, name: str) -> int:
    """Number of a kind of instances, such as KIND_CPU."""
    groups = type(config).DESCRIPTOR.fields_by_name["instance_group"].message_type
    return int(groups.enum_values_by_name[name].number)


def files(folder: Path) -> dict[str, bytes]:
    """All files below a folder with what they hold."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


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
