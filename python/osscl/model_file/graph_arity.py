"""Inputs that a node must have: runtimes take them without asking whether they are there, and crash."""

from collections.abc import Iterator

from osscl.errors import ModelFileError
from osscl.model_file.onnx_graph import Graph, Node
from osscl.support.paths import brief

_SINCE_OPSET = 13
# Least number of inputs that any version of an operator takes since that opset, where it is not 1.
_OPERATORS = {
    0: "Constant Optional OptionalHasElement RandomNormal RandomUniform SequenceEmpty",
    2: """
        Add AffineGrid And BitShift BitwiseAnd BitwiseOr BitwiseXor CastLike CausalConvWithState CenterCropPad
        Compress Conv ConvInteger ConvTranspose CumProd CumSum DequantizeLinear Div Equal Expand Gather
        GatherElements GatherND Gemm Greater GreaterOrEqual GridSample LayerNormalization Less LessOrEqual
        Loop MatMul MatMulInteger MaxRoiPool MaxUnpool Mod Mul NegativeLogLikelihoodLoss NonMaxSuppression Or
        PRelu Pad Pow QuantizeLinear RMSNormalization Reshape ReverseSequence STFT SequenceAt SequenceInsert
        SoftmaxCrossEntropyLoss StringConcat Sub SwiGLU TensorScatter Tile TopK Unsqueeze Upsample Xor
    """,
    3: """
        Attention Col2Im DeformConv GRU GroupNormalization InstanceNormalization LSTM LinearAttention OneHot
        RNN Range RoiAlign RotaryEmbedding Scatter ScatterElements ScatterND Slice Where
    """,
    5: "BatchNormalization MelWeightMatrix",
    8: "QLinearConv QLinearMatMul",
}
# Take any number of inputs, and none of them may be left out: ONNX Runtime takes them without asking too.
_VARIADIC = frozenset({"Concat", "Einsum", "Max", "Mean", "Min", "SequenceConstruct", "Sum"})
_NEEDED = {operator: needed for needed, operators in _OPERATORS.items() for operator in operators.split()}


def check_arity(graph: Graph) -> None:
    """Refuse a graph with a node that lacks an input.

    Parameters
    ----------
    graph : Graph
        The graph. One in an opset before 13, which has other operators, passes.

    Raises
    ------
    ModelFileError
        A node of an operator of ONNX itself has fewer inputs than any version of it takes, or leaves one of
        those out.
    """
    if graph.opset < _SINCE_OPSET:
        return
    for node in graph.nodes:
        for flaw in _flaws(node):
            raise ModelFileError(f"{flaw}; export the model again with osscl-export")


def needed_inputs(operator: str) -> int:
    """Inputs that a node of an operator has at least."""
    return _NEEDED.get(operator, 1)


def _needed_of(node: Node) -> int:
    if node.domain:
        return 0
    return len(node.inputs) if node.operator in _VARIADIC and node.inputs else needed_inputs(node.operator)


def _flaws(node: Node) -> Iterator[str]:
    needed = _needed_of(node)
    given = node.inputs[:needed]
    if len(given) < needed or not all(given):
        n_given = sum(map(bool, given))
        yield f"a node {brief(node.operator)} of the graph has {n_given} inputs of the {needed} that it needs"
