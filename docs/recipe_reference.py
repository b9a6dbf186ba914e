"""The keys of a training's recipe as Markdown, from docstring and defaults of `TrainConfig` itself."""

import inspect
import json
import re
from typing import Any

import msgspec

from osscl.training.train_config import TrainConfig


def recipe_reference() -> str:
    """Write down every key.

    Returns
    -------
    str
        Markdown: a table with a line a key, of its type, its default as a TOML file has it, and what it is.
    """
    rows = [
        f"| `{name}` | {_text(kind)} | {_default(name)} | {_text(what)} |"
        for name, kind, what in _attributes()
    ]
    return "\n".join(["| key | type | default | |", "|---|---|---|---|", *rows])


def _attributes() -> list[tuple[str, str, str]]:
    """Name, type and description of each attribute that the docstring tells of."""
    section = inspect.getdoc(TrainConfig).partition("Attributes\n----------\n")[2].partition("\n\n")[0]
    return re.findall(r"^(\w+) : (.+)\n((?: +.+\n?)+)", section, re.MULTILINE)


def _default(key: str) -> str:
    """The default of a key as TOML spells it; none where leaving the key out is the only way to have it."""
    (value,) = [field.default for field in msgspec.structs.fields(TrainConfig) if field.name == key]
    return "" if value is None else f"`{_in_toml(value)}`"


def _in_toml(value: Any) -> str:
    return json.dumps(value)  # the same as in TOML for texts, whole numbers, fractions, true and false


def _text(text: str) -> str:
    """A docstring's words as Markdown of one line, names in code as they are."""
    words = {"str": "text", "bool": "true or false", "int": "whole number", "float": "number"}
    spelled = re.sub(r"\b(str|bool|int|float)\b", lambda word: words[word[0]], " ".join(text.split()))
    return (
        spelled.replace(" or None", "")
        .replace("None:", "Left out:")
        .replace("|", "\\|")
        .replace("{", "")
        .replace("}", "")
    )
