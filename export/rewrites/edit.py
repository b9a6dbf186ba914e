"""What the rewrites share: reading a node's constants, and putting new nodes in an old one's place."""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir
from onnx_ir.tape import Tape


def constant(value: ir.Value | None) -> npt.NDArray[Any] | None:
    """Content of an initializer; None for a value that is computed, and for none at all."""
    if value is None or value.const_value is None:
        return None
    return value.const_value.numpy()


def attribute(node: ir.Node, name: str, default: Any) -> Any:
    """Value of an attribute, or what ONNX takes in its absence."""
    return node.attributes[name].value if name in node.attributes else default


def attributes(node: ir.Node) -> dict[str, Any]:
    """All attributes of a node."""
    return {name: attribute.value for name, attribute in node.attributes.items()}


class Replacement(Tape):
    """New nodes in the place of an old one."""

    def __init__(self, node: ir.Node) -> None:
        super().__init__()
        self._node = node
        assert isinstance(node.graph, ir.Graph), "a node of a function was handed over"
        self._graph = node.graph
        self._name = node.outputs[0].name

    def weight(self, role: str, array: npt.NDArray[Any]) -> ir.Value:
        """Add a constant, named after what it is for."""
        name = f"{self._name}.{role}"
        while name in self._graph.initializers:
            name += "_"
        value = ir.Value(name=name, const_value=ir.tensor(np.ascontiguousarray(array), name=name))
        self._graph.register_initializer(value)
        return value

    def insert(self) -> None:
        """Put the new nodes before the old one, which stays."""
        self._graph.insert_before(self._node, list(self.nodes))

    def replace(self, output: ir.Value) -> None:
        """Put the new nodes where the old one was; `output` takes the name and the uses of its output."""
        old = self._node.outputs[0]
        output.name, old.name = old.name, None
        ir.convenience.replace_nodes_and_values(
            self._graph, self._node, [self._node], list(self.nodes), [old], [output]
        )
