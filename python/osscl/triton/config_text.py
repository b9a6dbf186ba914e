"""Protobuf's text format, as much of it as Triton's ``config.pbtxt`` needs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

Value: TypeAlias = "str | int | Word | Mapping[str, Value] | Sequence[Value]"
"""What a field holds: text, a number, a truth value, a word, a message, or several of them."""

Message: TypeAlias = Mapping[str, Value]

_INDENT = "  "
_PLAIN = frozenset(range(0x20, 0x7F)) - {*b'"\\'}


class Word(str):
    """A name out of an enumeration, which stands without quotes."""

    __slots__ = ()


def config_text(message: Message) -> str:
    """Write a message.

    Parameters
    ----------
    message : mapping of str to value
        Its fields by name, in the order in which they shall stand; a sequence is a field that is repeated.

    Returns
    -------
    str
        A line a field, ASCII alone.
    """
    return "".join(f"{line}\n" for line in _lines(message, ""))


def entries(values: Mapping[str, Value]) -> list[Value]:
    """Spell a map of protobuf's: a message with key and value for each of its entries."""
    return [{"key": key, "value": value} for key, value in values.items()]


def _lines(message: Message, indent: str) -> Iterator[str]:
    for name, value in message.items():
        several = isinstance(value, Sequence) and not isinstance(value, str)
        for each in value if several else [value]:  # type: ignore[union-attr]
            if isinstance(each, Mapping):
                yield f"{indent}{name} {{"
                yield from _lines(each, indent + _INDENT)
                yield f"{indent}}}"
            else:
                yield f"{indent}{name}: {_spelled(each)}"


def _spelled(value: Value) -> str:
    match value:
        case bool():
            return str(value).lower()
        case Word() | int():
            return str(value)
    return f'"{"".join(map(_escaped, str(value).encode()))}"'


def _escaped(byte: int) -> str:
    return chr(byte) if byte in _PLAIN else f"\\{byte:03o}"
