"""Manifests as earlier schemas had them."""

from typing import Any

_SINCE = {
    ("accuracy",): 2,
    ("decisions",): 4,
    ("decisions", "limits"): 5,
    ("decisions", "memories", "measures"): 5,
    ("verdict",): 6,
    ("class_machines",): 6,
    ("model", "sub_centres"): 6,
    ("decisions", "memories", "domain"): 6,
    ("decisions", "embedding_background"): 6,
    ("decisions", "embeddings"): 6,
}


def of_schema(said: dict[str, Any], number: int) -> dict[str, Any]:
    """What a manifest says, as plain values that are changed, without what came after schema `number`."""
    for (*parents, last), since in _SINCE.items():
        if since > number:
            for node in _nodes(said, parents):
                node.pop(last, None)
    return said | {"schema_version": number}


def _nodes(node: Any, parents: list[str]) -> list[dict[str, Any]]:
    """The objects that lie there: several in a list, none where there is nothing."""
    if isinstance(node, list | tuple):
        return [found for each in node for found in _nodes(each, parents)]
    if node is None or not parents:
        return [] if node is None else [node]
    return _nodes(node.get(parents[0]), parents[1:])
