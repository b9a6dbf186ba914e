"""Every name of TensorRT that the backend uses is there in the oldest and in the newest version."""

from pathlib import Path

import pytest

import osscl.backends.tensorrt
from support.tensorrt_bindings import names_in_bindings
from support.tensorrt_names import used_names
from support.wheels import NotToBeHad, default_cache

SOURCES = sorted(Path(osscl.backends.tensorrt.__path__[0]).glob("*.py"))
OLDEST, NEWEST = "tensorrt_cu12_bindings==10.16.1.11", "tensorrt_cu13_bindings==11.4.0.106"


@pytest.fixture(scope="module", params=[OLDEST, NEWEST])
def there(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    try:
        return names_in_bindings(request.param, default_cache(), tmp_path_factory.mktemp("empty"))
    except NotToBeHad as reason:
        pytest.skip(str(reason))


def missing(source: str, there: frozenset[str]) -> set[str]:
    return set(used_names(source).names) - there


def test_all_names_that_the_backend_uses_are_there(there: frozenset[str]) -> None:
    absent = {f"{path.name}: {name}" for path in SOURCES for name in missing(path.read_text(), there)}
    assert absent == set()


def test_a_name_that_is_not_there_is_noticed(there: frozenset[str]) -> None:
    right = """
def build(trt, network: "tensorrt.INetworkDefinition"):
    builder: tensorrt.Builder = trt.Builder(None)
    builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    class Monitor(trt.IProgressMonitor):
        def step_complete(self, phase_name, step):
            return network.num_inputs
class Runner:
    def __init__(self, trt):
        self._context: tensorrt.IExecutionContext | None = None
    def run(self):
        self._context.execute_async_v3(0)
"""
    assert missing(right, there) == set()
    for name in (
        "INetworkDefinition",
        "Builder(",
        "create_network",
        "STRONGLY_TYPED",
        "IProgressMonitor",
        "step_complete",
        "num_inputs",
        "execute_async_v3",
    ):
        misspelt = f"{name[:2]}x{name[2:]}"
        assert missing(right.replace(name, misspelt), there), misspelt


def test_names_of_the_old_api_are_not_there_in_the_new_one(there: frozenset[str]) -> None:
    gone = {
        "BuilderFlag.FP16",
        "NetworkDefinitionCreationFlag.EXPLICIT_BATCH",
        "ICudaEngine.device_memory_size",
    }
    is_old = "BuilderFlag.FP16" in there
    assert (gone <= there) if is_old else not (gone & there)


def test_the_backend_annotates_every_object_of_tensorrt() -> None:
    assert [f"{path.name}: {flaw}" for path in SOURCES for flaw in used_names(path.read_text()).flaws] == []


@pytest.mark.parametrize(
    "line",
    [
        "config = builder.create_builder_config()",
        "name = trt.Builder(None).logger",
        "flags = builder.logger.Severity",
        "for error in builder.errors(): pass",
        "if (config := builder.create_builder_config()): pass",
    ],
)
def test_an_object_without_annotation_is_noticed(line: str) -> None:
    source = f'def build(trt, builder: "tensorrt.Builder"):\n    {line}\n'
    assert len(used_names(source).flaws) == 1


def test_the_backend_uses_more_than_a_few_names() -> None:
    used = {name for path in SOURCES for name in used_names(path.read_text()).names}
    assert used >= {"Builder.build_serialized_network", "ILogger.log", "EngineInspector.execution_context"}
    assert len(used) > 60
