"""The wire format of Protocol Buffers, one level at a time, trusting nothing in the bytes.

References
----------
"Encoding", https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Iterator
from typing import NamedTuple

VARINT, FIXED_64, LENGTH_DELIMITED, FIXED_32 = 0, 1, 2, 5
_FIXED_SIZES = {FIXED_64: 8, FIXED_32: 4}
_MAX_VARINT_BYTES = 10
_MAX_FIELD_NUMBER = 2**29 - 1


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
    ValueError
        The bytes are no message, or one that is cut off; said is where, counted from the message's start.
    """
    at = 0
    while at < len(message):
        tag, payload_at = _read_varint(message, at)
        number, wire_type = tag >> 3, tag & 7
        if not 1 <= number <= _MAX_FIELD_NUMBER:
            raise ValueError(f"field number {number} at byte {at} does not exist")
        if wire_type == VARINT:
            _, end = _read_varint(message, payload_at)
        elif wire_type == LENGTH_DELIMITED:
            length, payload_at = _read_varint(message, payload_at)
            end = payload_at + length
        elif wire_type in _FIXED_SIZES:
            end = payload_at + _FIXED_SIZES[wire_type]
        else:
            raise ValueError(f"wire type {wire_type} at byte {at} does not exist")
        if end > len(message):
            raise ValueError(
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
                raise ValueError(f"the number at byte {at} has more than 64 bits")
            return number, at + index + 1
    if at + _MAX_VARINT_BYTES > len(message):
        raise ValueError(f"the number at byte {at} is cut off")
    raise ValueError(f"the number at byte {at} is longer than {_MAX_VARINT_BYTES} bytes")


def _varint(number: int) -> bytes:
    digits = bytearray()
    while number >= 0x80:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)


def packed_varints(payload: memoryview) -> list[int]:
    """Read numbers that follow one another without tags.

    Parameters
    ----------
    payload : memoryview
        Payload of a packed field, or of a single number's.

    Returns
    -------
    list of int
        The numbers.

    Raises
    ------
    ValueError
        The last number is cut off, or one is too long.
    """
    numbers = []
    at = 0
    while at < len(payload):
        number, at = _read_varint(payload, at)
        numbers.append(number)
    return numbers
