"""The published checkpoint layout: its names for our tensors, what it holds besides, and its config.json."""

import re
from typing import Final, Literal

import msgspec

from osscl.config import HeadKind, ModelInputs

# Our prefix -> the published one; {} stands for the same number on both sides.
PREFIXES: Final = {
    "arcface": "arcface",
    "maps.tgram.conv": "tgramnet.conv_extrctor",
    "maps.tgram.blocks.{}.norm": "tgramnet.conv_encoder.{}.0",
    "maps.tgram.blocks.{}.conv": "tgramnet.conv_encoder.{}.2",
    "maps.tfgram.conv": "TFgramNet.pre_conv0",
    "maps.tfgram.bn": "TFgramNet.pre_bn0",
    "maps.tfgram.stages.0": "TFgramNet.pre_block1",
    "maps.tfgram.stages.1": "TFgramNet.pre_block2",
    "maps.tfgram.stages.2": "TFgramNet.pre_block3",
    "encoder.blocks.{}.expand.conv": "mobilefacenet.blocks.{}.conv.0",
    "encoder.blocks.{}.expand.bn": "mobilefacenet.blocks.{}.conv.1",
    "encoder.blocks.{}.expand.prelu": "mobilefacenet.blocks.{}.conv.2",
    "encoder.blocks.{}.depthwise.conv": "mobilefacenet.blocks.{}.conv.3",
    "encoder.blocks.{}.depthwise.bn": "mobilefacenet.blocks.{}.conv.4",
    "encoder.blocks.{}.depthwise.prelu": "mobilefacenet.blocks.{}.conv.5",
    "encoder.blocks.{}.project.conv": "mobilefacenet.blocks.{}.conv.6",
    "encoder.blocks.{}.project.bn": "mobilefacenet.blocks.{}.conv.7",
    "encoder": "mobilefacenet",
    "head.layers": "head.head",
}

# Tensors that a published file may hold and that nothing computes with.
_UNUSED: Final = (
    r"mobilefacenet\.fc_out\.",
    r"TFgramNet\.(pre_block4|spec_augmenter|bn0|conv_block[1-6]|fc1|fc_audioset)\.",
)
# A log-mel-only model is saved with the two waveform branches all the same.
_UNUSED_BY_LOG_MEL: Final = (r"tgramnet\.", r"TFgramNet\.")

FUSION: Final[dict[int, ModelInputs]] = {1: "three_maps", 2: "log_mel"}


class PublishedConfig(msgspec.Struct, frozen=True):
    """What config.json says of the model; its other keys belong to training and are passed over.

    Attributes
    ----------
    m : float or None
        Margin, radians.
    fussion : {1, 2} or None
        Three maps, or the log-mel alone.
    ht : {"basic", "leaky_relu", "none"} or None
        Kind of the feature-perturbation head.
    classes : tuple of str or None
        Names of the machine IDs, in the order of the rows of ``arcface.weight``.
    """

    m: float | None = None
    fussion: Literal[1, 2] | None = None
    ht: HeadKind | None = None
    classes: tuple[str, ...] | None = None


def published_name(name: str) -> str:
    """Name of one of our tensors in the published layout."""
    for ours, theirs in PREFIXES.items():
        match = re.match(re.escape(ours).replace(r"\{\}", r"(\d+)") + r"\.", name)
        if match:
            return f"{theirs.format(*match.groups())}.{name[match.end() :]}"
    raise KeyError(name)


def is_unused(name: str, inputs: ModelInputs) -> bool:
    """Whether a published file may hold this tensor without the model's using it."""
    patterns = _UNUSED + (_UNUSED_BY_LOG_MEL if inputs == "log_mel" else ())
    return any(re.match(pattern, name) for pattern in patterns)
