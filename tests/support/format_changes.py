"""Changed model files and manifests that ``docs/format.md`` says are read or refused, by its words."""

import hashlib
from collections.abc import Callable
from typing import TypeAlias

from osscl.model_file import protobuf
from osscl.model_file.bundle import Bundle


def with_metadata(model: bytes, entry: bytes) -> bytes:
    return model + protobuf.length_delimited(14, entry)


KEY, VALUE = protobuf.length_delimited(1, b"of others"), protobuf.length_delimited(2, b"x")
Change: TypeAlias = Callable[[bytes], bytes]
READ: dict[str, Change] = {
    "a varint that is longer than it need be": lambda m: with_metadata(m, b"\x8a\x80\x00" + b"\x01a"),
    "without key or value": lambda m: with_metadata(with_metadata(with_metadata(m, KEY), VALUE), b""),
    "further fields in an entry": lambda m: with_metadata(m, KEY + VALUE + protobuf.length_delimited(3, b"")),
}
REFUSED: dict[str, Change] = {
    "holds a field twice": lambda m: with_metadata(m, KEY + VALUE + VALUE),
    "not length-delimited": lambda m: with_metadata(m, KEY + protobuf.varint(2, 1)),
    "more than 10 bytes": lambda m: m + b"\xf8\x07" + b"\x80" * 10 + b"\x00",
    "more than 64 bits": lambda m: m + b"\xf8\x07" + b"\xff" * 9 + b"\x02",
    "field number 0": lambda m: m + b"\x00\x00",
    "wire types 3, 4, 6 and 7": lambda m: m + b"\xfb\x07",
    "a length beyond the end": lambda m: m + b"\xfa\x07\x01",
    "no field 7": lambda m: protobuf.varint(1, 10),
    "or two of it": lambda m: m + protobuf.length_delimited(7, b""),
    "field 7 or 14 not length-delimited": lambda m: m + protobuf.varint(14, 1),
}


def manifest_text(demo: Bundle) -> str:
    entries = [top.payload for top in protobuf.fields(memoryview(demo.model)) if top.number == 14]
    texts = [{part.number: bytes(part.payload) for part in protobuf.fields(entry)} for entry in entries]
    return next(entry[2].decode() for entry in texts if entry[1] == b"osscl.manifest")


Edit: TypeAlias = Callable[[str], str]
ACCEPTED_DOCUMENTS: dict[str, Edit] = {
    "An integer where a number is stated is fine": lambda t: t.replace('"scale":30.0', '"scale":30'),
    "reads as 0": lambda t: t.replace('"f_min_hz":0.0', '"f_min_hz":1e-999'),
    "Text may be empty": lambda t: t.replace('"licence":"Apache-2.0"', '"licence":""'),
    "white space": lambda t: f" {t}\n",
}
REFUSED_DOCUMENTS: dict[str, Edit] = {
    "`160000.0`": lambda t: t.replace('"n_samples":160000', '"n_samples":160000.0'),
    "`1.6e5`": lambda t: t.replace('"n_samples":160000', '"n_samples":1.6e5'),
    "`true`": lambda t: t.replace('"count":4', '"count":true'),
    "`1e999`": lambda t: t.replace('"scale":30.0', '"scale":1e999'),
    "`NaN`": lambda t: t.replace('"scale":30.0', '"scale":NaN'),
    "comments": lambda t: f"// osscl\n{t}",
    "a comma at the end": lambda t: f"{t[:-1]},}}",
    "lone surrogate": lambda t: t.replace('"Apache-2.0"', r'"\ud800"'),
    "but for class names": lambda t: t.replace('"blower/id_00"', '""'),
    "No key stands twice": lambda t: f'{{"licence":"x",{t[1:]}',
    "nested thousands deep": lambda t: t.replace('"Apache-2.0"', "[" * 9000 + "]" * 9000),
}


def with_document(model: bytes, text: str) -> bytes:
    """A model file with another manifest, and the hash of that."""
    document = text.encode()
    rest = b"".join(bytes(top.raw) for top in protobuf.fields(memoryview(model)) if top.number != 14)
    entries = {
        b"osscl.manifest": document,
        b"osscl.manifest_sha256": hashlib.sha256(document).hexdigest().encode(),
    }
    for key, value in entries.items():
        entry = protobuf.length_delimited(1, key) + protobuf.length_delimited(2, value)
        rest = with_metadata(rest, entry)
    return rest
