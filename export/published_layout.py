"""The published checkpoint layout: how its tensors are named, and which of them nothing uses."""

import re

from osscl.config import HeadKind, ModelInputs

LAYOUT = "published"

_NAMES: tuple[tuple[str, str], ...] = (
    (r"maps\.tgram\.conv\.", "tgramnet.conv_extrctor."),
    (r"maps\.tgram\.blocks\.(\d)\.norm\.", r"tgramnet.conv_encoder.\1.0."),
    (r"maps\.tgram\.blocks\.(\d)\.conv\.", r"tgramnet.conv_encoder.\1.2."),
    (r"maps\.tfgram\.conv\.", "TFgramNet.pre_conv0."),
    (r"maps\.tfgram\.bn\.", "TFgramNet.pre_bn0."),
    (r"maps\.tfgram\.stages\.0\.", "TFgramNet.pre_block1."),
    (r"maps\.tfgram\.stages\.1\.", "TFgramNet.pre_block2."),
    (r"maps\.tfgram\.stages\.2\.", "TFgramNet.pre_block3."),
    (r"encoder\.blocks\.(\d)\.expand\.conv\.", r"mobilefacenet.blocks.\1.conv.0."),
    (r"encoder\.blocks\.(\d)\.expand\.bn\.", r"mobilefacenet.blocks.\1.conv.1."),
    (r"encoder\.blocks\.(\d)\.expand\.prelu\.", r"mobilefacenet.blocks.\1.conv.2."),
    (r"encoder\.blocks\.(\d)\.depthwise\.conv\.", r"mobilefacenet.blocks.\1.conv.3."),
    (r"encoder\.blocks\.(\d)\.depthwise\.bn\.", r"mobilefacenet.blocks.\1.conv.4."),
    (r"encoder\.blocks\.(\d)\.depthwise\.prelu\.", r"mobilefacenet.blocks.\1.conv.5."),
    (r"encoder\.blocks\.(\d)\.project\.conv\.", r"mobilefacenet.blocks.\1.conv.6."),
    (r"encoder\.blocks\.(\d)\.project\.bn\.", r"mobilefacenet.blocks.\1.conv.7."),
    (r"encoder\.", "mobilefacenet."),
    (r"head\.layers\.", "head.head."),
    (r"arcface\.", "arcface."),
)
"""Beginnings of our names -> beginnings of the published ones; the first that fits counts."""

_UNUSED = re.compile(
    r"mobilefacenet\.fc_out\."
    r"|TFgramNet\.(pre_block4|spec_augmenter|bn0|conv_block[1-6]|fc1|fc_audioset)\."
)
_WAVEFORM_MAPS = re.compile(r"tgramnet\.|TFgramNet\.")

CLASS_WEIGHT = "arcface.weight"

CONFIG_INPUTS: dict[object, ModelInputs] = {1: "three_maps", 2: "log_mel"}
"""Values of ``fussion`` in config.json."""

CONFIG_HEADS: dict[object, HeadKind] = {"basic": "basic", "leaky_relu": "leaky_relu"}
"""Values of ``ht`` in config.json."""


def published_name(name: str) -> str:
    """Name in the published layout of an entry of our state dict.

    Parameters
    ----------
    name : str
        Our name.

    Returns
    -------
    str
        The published one.
    """
    for ours, theirs in _NAMES:
        if match := re.match(ours, name):
            return match.expand(theirs) + name[match.end() :]
    raise KeyError(name)


def is_unused(name: str, inputs: ModelInputs) -> bool:
    """Whether published files hold this entry although nothing uses it.

    Parameters
    ----------
    name : str
        Published name.
    inputs : {"three_maps", "log_mel"}
        Maps that the encoder sees; without the waveform's, their weights are there all the same.

    Returns
    -------
    bool
        True where the entry is to be passed over.
    """
    return bool(_UNUSED.match(name) or (inputs == "log_mel" and _WAVEFORM_MAPS.match(name)))
