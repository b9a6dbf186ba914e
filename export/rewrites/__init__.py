"""Exact rewrites of the exported graph for speed: from a graph to another that computes the same.

Exact means: the same sums of the same products, in another order or layout; rounding alone may differ, and
the parity gate measures by how much.
"""

from collections.abc import Callable, Iterable

import onnx
import onnx_ir as ir

from osscl.errors import ConfigError
from osscl.export.rewrites.batch_norm import fold_batch_norm
from osscl.export.rewrites.conv2d import lift_to_2d
from osscl.export.rewrites.frames import share_frames
from osscl.export.rewrites.norm import divide_by_norm
from osscl.export.rewrites.pooling import gather_rows
from osscl.export.rewrites.prelu import spell_out_prelu
from osscl.export.rewrites.unused import drop_unused

REWRITES: dict[str, Callable[[ir.Model], None]] = {
    "batch_norm_folded": fold_batch_norm,
    "strided_conv_over_frames": share_frames,
    "conv1d_as_conv2d": lift_to_2d,
    "gathers_by_rows": gather_rows,
    "prelu_as_relu": spell_out_prelu,
    "norm_not_spread": divide_by_norm,
    "unused_dropped": drop_unused,
}
"""All rewrites by the name that the manifest lists, in the order in which they are done."""


def rewrite(graph: onnx.ModelProto, names: Iterable[str]) -> onnx.ModelProto:
    """Rewrite a graph; the one handed over stays as it is.

    Parameters
    ----------
    graph : onnx.ModelProto
        An exported graph.
    names : iterable of str
        Names out of `REWRITES`, in any order; they are done in the order of `REWRITES`.

    Returns
    -------
    onnx.ModelProto
        A graph that computes the same.

    Raises
    ------
    ConfigError
        A rewrite does not exist.
    """
    wanted = in_order(names)
    # parsed from bytes: the tensors of an `ir.Model` made from a ModelProto would still be the caller's
    model = ir.from_proto(onnx.ModelProto.FromString(graph.SerializeToString()))
    for name in wanted:
        REWRITES[name](model)
    rewritten: onnx.ModelProto = ir.to_proto(model)
    rewritten.graph.ClearField("value_info")  # else weights gain types once they are read again
    onnx.checker.check_model(rewritten, full_check=True)
    return rewritten


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Put names of rewrites in the order in which they are done, each once.

    Raises
    ------
    ConfigError
        A rewrite does not exist.
    """
    wanted = set(names)
    unknown = sorted(wanted - REWRITES.keys())
    if unknown:
        raise ConfigError(f"without_rewrite is {', '.join(unknown)}; choose out of: {', '.join(REWRITES)}")
    return tuple(name for name in REWRITES if name in wanted)
