"""A stand-in for what TensorRT does on a GPU: loading plans, taking shapes and addresses, describing layers.

Building needs no GPU and is tested with the real thing in `tensorrt/test_builder.py`; that the names here are
TensorRT's own is tested of the code that uses them in `tensorrt/test_names.py`.
"""

import json
from collections.abc import Callable
from enum import IntEnum
from typing import Any


class ILogger:
    class Severity(IntEnum):
        INTERNAL_ERROR = 0
        ERROR = 1
        WARNING = 2
        INFO = 3
        VERBOSE = 4

    def log(self, severity: int, text: str) -> None:
        raise NotImplementedError


class Context:
    def __init__(self, module: "StandIn") -> None:
        self._module = module

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        return self._module.call("set_input_shape", name, shape)

    def set_tensor_address(self, name: str, address: int) -> bool:
        return self._module.call("set_tensor_address", name, address)

    def set_device_memory(self, memory: int, size: int) -> None:
        self._module.made.append(("set_device_memory", memory, size))

    def execute_async_v3(self, stream: int) -> bool:
        return self._module.call("execute_async_v3", stream)


class Inspector:
    execution_context: Context

    def __init__(self, module: "StandIn") -> None:
        self._module = module

    def get_engine_information(self, form: str) -> str:
        assert form == "JSON"
        assert self.execution_context is not None
        return json.dumps({"Layers": self._module.layers})


class Engine:
    device_memory_size_v2 = 4096

    def __init__(self, module: "StandIn") -> None:
        self._module = module

    def create_execution_context(self, strategy: str) -> Context | None:
        assert strategy == "USER_MANAGED"
        self._module.made.append(("create_execution_context",))
        return Context(self._module) if self._module.succeeds("create_execution_context") else None

    def create_engine_inspector(self) -> Inspector:
        return Inspector(self._module)


class StandIn:
    """Such a module.

    Attributes
    ----------
    calls : list of tuple
        What was called, with its arguments.
    made : list of tuple
        Contexts that were made, and the memory they were given.
    failing : dict of str to str
        What fails, with the error that is logged before.
    layers : list of dict
        What the inspector says.
    """

    __version__ = "10.16.1.11"
    ILogger = ILogger

    class ExecutionContextAllocationStrategy:
        USER_MANAGED = "USER_MANAGED"

    class LayerInformationFormat:
        JSON = "JSON"

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.made: list[tuple[Any, ...]] = []
        self.failing: dict[str, str] = {}
        self.layers: list[dict[str, Any]] = []
        self.loads: Callable[[bytes], bool] = lambda plan: True
        self._logger: Any = None

    def call(self, *called: Any) -> bool:
        self.calls.append(called)
        return self.succeeds(called[0])

    def succeeds(self, what: str) -> bool:
        if what in self.failing:
            self._logger.log(ILogger.Severity.ERROR, self.failing[what])
        return what not in self.failing

    def Runtime(self, logger: Any) -> "StandIn":  # noqa: N802
        self._logger = logger
        if not self.succeeds("Runtime"):
            raise TypeError("pybind11::init(): factory function returned nullptr")
        return self

    def deserialize_cuda_engine(self, plan: bytes) -> Engine | None:
        return Engine(self) if self.succeeds("deserialize_cuda_engine") and self.loads(plan) else None
