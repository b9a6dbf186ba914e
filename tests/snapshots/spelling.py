"""Types and values as text that is the same in every version of Python and of the packages used."""

import enum
import inspect
import types
import typing
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

_PLAIN = (bool, int, float, str, bytes, type(None))
_NO_VALUE = {inspect.Parameter.empty, msgspec.NODEFAULT}


def spelled_type(annotation: Any) -> str:
    """Spell an annotation; a text stays as its author wrote it."""
    if annotation is inspect.Parameter.empty:
        return "?"
    if isinstance(annotation, str):
        return annotation
    if isinstance(annotation, typing.ForwardRef):
        return annotation.__forward_arg__
    if annotation == npt.ArrayLike:  # of other parts in each version of NumPy
        return "ArrayLike"
    if annotation is None or annotation is type(None):
        return "None"
    if annotation is Ellipsis:
        return "..."
    if isinstance(annotation, list):  # what a callable takes
        return f"[{', '.join(map(spelled_type, annotation))}]"
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is None:
        return str(getattr(annotation, "__qualname__", None) or getattr(annotation, "__name__", annotation))
    if origin in (typing.Union, types.UnionType):
        return " | ".join(map(spelled_type, parts))
    if origin is typing.Annotated:
        return spelled_type(parts[0])
    if origin is typing.Literal:
        return f"Literal[{', '.join(map(spelled_value, parts))}]"
    if origin is np.ndarray:  # what it is made of differs between versions of NumPy, but for its end
        return f"NDArray[{', '.join(map(spelled_type, typing.get_args(parts[-1])))}]"
    return f"{spelled_type(origin)}[{', '.join(map(spelled_type, parts))}]"


def spelled_value(value: Any) -> str:
    """Spell a default or a constant; of an object of ours, what it is made of."""
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, slice):
        return f"{value.start}:{value.stop}"
    if isinstance(value, frozenset | set):
        return f"{{{', '.join(sorted(map(spelled_value, value)))}}}"
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return _made_of(value, {name: getattr(value, name) for name in value._fields})
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(spelled_value, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{spelled_value(k)}: {spelled_value(v)}' for k, v in value.items())}}}"
    if isinstance(value, msgspec.Struct):
        return _made_of(value, msgspec.structs.asdict(value))
    if hasattr(value, "__dataclass_fields__"):
        return _made_of(value, {name: getattr(value, name) for name in value.__dataclass_fields__})
    if callable(value):
        return "a function" if value.__name__ == "<lambda>" else str(value.__qualname__)
    return f"an object of type {type(value).__name__}"


def default_of(value: Any, factory: Any = msgspec.NODEFAULT) -> str:
    """Spell " = default", or nothing where there is none."""
    if is_given(value):
        return f" = {spelled_value(value)}"
    return f" = {spelled_value(factory())}" if is_given(factory) else ""


def is_given(value: Any) -> bool:
    """Whether a default is one: each library has its own word for "none"."""
    return not any(value is each for each in _NO_VALUE) and type(value).__name__ != "_MISSING_TYPE"


def parameters_of(function: Callable[..., Any], *, is_bound: bool) -> list[str]:
    """Spell what a function takes, in its order: "name: type = default", after a "*" what takes no place."""
    found = list(inspect.signature(function).parameters.values())[1 if is_bound else 0 :]
    return [_MARKS[each.kind] + _parameter(each) for each in found]


_MARKS = {
    inspect.Parameter.POSITIONAL_ONLY: "/ ",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "",
    inspect.Parameter.VAR_POSITIONAL: "*",
    inspect.Parameter.KEYWORD_ONLY: "* ",
    inspect.Parameter.VAR_KEYWORD: "**",
}


def _parameter(each: inspect.Parameter) -> str:
    return f"{each.name}: {spelled_type(each.annotation)}{default_of(each.default)}"


def _made_of(value: object, fields: dict[str, Any]) -> str:
    inner = ", ".join(f"{name}={spelled_value(each)}" for name, each in fields.items())
    return f"{type(value).__name__}({inner})"
