"""Models that are mutated: a tiny one for speed, and the demonstration model, which holds TFgram."""

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import onnx
from msgspec.structs import replace

from osscl.backends.tfgram_path import find_tfgram
from osscl.errors import ModelFileError
from osscl.model_file.bundle import graph_sha256, read_bundle
from osscl.model_file.manifest import Manifest
from osscl.model_file.onnx_graph import read_graph

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from support.model_files import tiny_graph, tiny_manifest, write_unchecked


@dataclass(frozen=True)
class Base:
    """A model in whose graph things are changed.

    Attributes
    ----------
    model : bytes
        Without metadata.
    manifest : Manifest
        What its file says of itself.
    focus : frozenset of str
        Outputs of the nodes that most changes are to meet; all nodes where it is empty.
    """

    model: bytes
    manifest: Manifest
    focus: frozenset[str]

    def write(self, path: Path, mutant: bytes) -> None:
        """Write a mutant as a model file whose hashes are right."""
        try:
            right = graph_sha256(mutant)
        except ModelFileError:  # not even a model: no hash of it is right
            right = "0" * 64
        write_unchecked(path, mutant, replace(self.manifest, graph_sha256=right))


@cache
def base(name: str) -> Base:
    """The model of a name, "tiny" or "demo"."""
    if name == "tiny":
        model = tiny_graph().SerializeToString()
        return Base(model, tiny_manifest(model), frozenset())
    bundle = read_bundle("demo")
    proto = onnx.ModelProto.FromString(bundle.model)
    proto.ClearField("metadata_props")
    model = proto.SerializeToString()
    found = find_tfgram(read_graph(model))
    assert found is not None
    outputs = (output for node in (found.stack, *found.nodes) for output in node.outputs)
    return Base(model, bundle.manifest, frozenset(outputs))
