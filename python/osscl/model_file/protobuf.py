"""The wire format of Protocol Buffers, one level at a time, trusting nothing in the bytes.

References
----------
"Encoding", https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

VARINT, FIXED_64, LENGTH_DELIMITED, FIXED_32 = 0, 1, 2, 5
_FIXED_SIZES = {FIXED_64: 8, FIXED_32: 4}
_MAX_VARINT_BYTES = 10
_MAX_FIELD_NUMBER = 2**29 - 1


class MalformedError(ValueError):
    """Bytes are no message, or a field of it holds another kind of value than belongs there."""


class Field(NamedTuple):
    """One field of a message; both views look into the message.

    Attributes
    ----------
    number : int
        Which field it is.
    wire_type : int
        How it is written: 0, 1, 2 or 5.
    payload : memoryview
        Its bytes without tag and length.
    raw : memoryview
        All its bytes as they stand.
    """

    number: int
    wire_type: int
    payload: memoryview
    raw: memoryview


def fields(message: memoryview) -> Iterator[Field]:
    """Walk through the fields of one message, in order.

    Parameters
    ----------
    message : memoryview
        The message, as bytes.

    Yields
    ------
    Field
        Each field that the message holds.

    Raises
    ------
    MalformedError
        The bytes are no message, or one that is cut off; said is where, counted from the message's start.
    """
    at = 0
    while at < len(message):
        tag, payload_at = _read_varint(message, at)
        number, wire_type = tag >> 3, tag & 7
        if not 1 <= number <= _MAX_FIELD_NUMBER:
            raise MalformedError(f"field number {number} at byte {at} does not exist")
        if wire_type == VARINT:
            _, end = _read_varint(message, payload_at)
        elif wire_type == LENGTH_DELIMITED:
            length, payload_at = _read_varint(message, payload_at)
            end = payload_at + length
        elif wire_type in _FIXED_SIZES:
            end = payload_at + _FIXED_SIZES[wire_type]
        else:
            raise MalformedError(f"wire type {wire_type} at byte {at} does not exist")
        if end > len(message):
            raise MalformedError(
                f"field {number} at byte {at} needs {end - payload_at} bytes, "
                f"{len(message) - payload_at} are left"
            )
        yield Field(number, wire_type, message[payload_at:end], message[at:end])
        at = end


def length_delimited(number: int, payload: bytes) -> bytes:
    """Write a field that holds text or a message.

    Parameters
    ----------
    number : int
        Field number.
    payload : bytes
        What it holds.

    Returns
    -------
    bytes
        Tag, length and payload.
    """
    return _varint(number << 3 | LENGTH_DELIMITED) + _varint(len(payload)) + payload


def varint(number: int, value: int) -> bytes:
    """Write a field that holds a number.

    Parameters
    ----------
    number : int
        Field number.
    value : int
        What it holds, at least 0.

    Returns
    -------
    bytes
        Tag and number.
    """
    return _varint(number << 3 | VARINT) + _varint(value)


def _read_varint(message: memoryview, at: int) -> tuple[int, int]:
    """Read the number at a byte; return it with the byte behind it."""
    number = 0
    for index, byte in enumerate(message[at : at + _MAX_VARINT_BYTES]):
        number |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            if number >= 2**64:
                raise MalformedError(f"the number at byte {at} has more than 64 bits")
            return number, at + index + 1
    if at + _MAX_VARINT_BYTES > len(message):
        raise MalformedError(f"the number at byte {at} is cut off")
    raise MalformedError(f"the number at byte {at} is longer than {_MAX_VARINT_BYTES} bytes")


def _varint(number: int) -> bytes:
    digits = bytearray()
    while number >= 0x80:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)


def single(parts: Iterable[Field], number: int) -> Field | None:
    """Find a field that may stand once in a message: readers differ in which of two they take.

    Parameters
    ----------
    parts : iterable of Field
        The fields of the message.
    number : int
        Field number.

    Returns
    -------
    Field or None
        None where the message does not hold it.

    Raises
    ------
    MalformedError
        The field stands twice.
    """
    found = [field for field in parts if field.number == number]
    if len(found) > 1:
        raise MalformedError(f"field {number} stands {len(found)} times where it may stand once")
    return found[0] if found else None


def inner(field: Field) -> memoryview:
    """Content of a field that holds a message, text or bytes.

    Parameters
    ----------
    field : Field
        The field.

    Returns
    -------
    memoryview
        Its bytes.

    Raises
    ------
    MalformedError
        It holds a number.
    """
    if field.wire_type != LENGTH_DELIMITED:
        raise MalformedError(f"field {field.number} is not a message or text")
    return field.payload


def text(field: Field | None) -> str:
    """Text of a field.

    Parameters
    ----------
    field : Field or None
        The field; None is one that its message does not hold.

    Returns
    -------
    str
        The text, empty where there is no field.

    Raises
    ------
    MalformedError
        It is not UTF-8, or no text.
    """
    if field is None:
        return ""
    try:
        return bytes(inner(field)).decode()
    except UnicodeDecodeError:
        raise MalformedError(f"field {field.number} is not UTF-8") from None


def integers(field: Field | None) -> tuple[int, ...]:
    """Signed integers of a field, whether it holds one or a packed list.

    Parameters
    ----------
    field : Field or None
        The field; None is one that its message does not hold.

    Returns
    -------
    tuple of int
        Each as an int64; none where there is no field.

    Raises
    ------
    MalformedError
        It holds something else, or the list is cut off.
    """
    if field is None:
        return ()
    if field.wire_type not in (VARINT, LENGTH_DELIMITED):
        raise MalformedError(f"field {field.number} holds no integers")
    numbers = []
    at = 0
    while at < len(field.payload):
        number, at = _read_varint(field.payload, at)
        numbers.append(number - 2**64 if number >= 2**63 else number)
    return tuple(numbers)


def integer(field: Field | None) -> int:
    """Signed integer of a field.

    Parameters
    ----------
    field : Field or None
        The field; None is one that its message does not hold.

    Returns
    -------
    int
        It as an int64; 0, as protobuf has it, where there is no field.

    Raises
    ------
    MalformedError
        It holds something else than one integer.
    """
    if field is not None and field.wire_type != VARINT:
        raise MalformedError(f"field {field.number} is not an integer")
    return integers(field)[0] if field is not None else 0
