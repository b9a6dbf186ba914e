"""Checkpoints as earlier formats had them."""

from typing import Any

import msgspec

from osscl.training.checkpoint import CheckpointInfo

_SINCE = {
    ("background",): 3,
    ("verdict",): 4,
    ("class_machines",): 4,
    ("embedding_background",): 4,
    ("config", "classes"): 4,
    ("config", "exposure"): 4,
    ("config", "exchange"): 4,
    ("config", "sub_centres"): 4,
    ("config", "feature_loss"): 4,
    ("progress", "best", "hold_out_margin"): 4,
    ("progress", "best", "confusion"): 4,
}


def without_later_fields(info: CheckpointInfo, number: int) -> dict[str, Any]:
    """What a checkpoint says, as plain values, without what came after format `number`."""
    said: dict[str, Any] = msgspec.to_builtins(info)
    for (*parents, last), since in _SINCE.items():
        node: Any = said
        for parent in parents:
            node = node[parent] if node is not None else None
        if since > number and node is not None:
            del node[last]
    return said
