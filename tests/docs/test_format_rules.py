"""What the format page says is read and refused, is read and refused."""

import json
import math
import re
from pathlib import Path

import msgspec
import pytest

from osscl.errors import ModelFileError
from osscl.model_file import protobuf
from osscl.model_file.bundle import Bundle, read_bundle
from osscl.model_file.graph_limits import MAX_ELEMENTS
from osscl.model_file.manifest import Manifest
from osscl.model_file.manifest_json import decode_manifest, encode_manifest
from osscl.model_file.onnx_messages import MESSAGES_WITH_TENSORS
from support.format_changes import (
    ACCEPTED_DOCUMENTS,
    READ,
    REFUSED,
    REFUSED_DOCUMENTS,
    manifest_text,
)
from support.format_page import section, table


@pytest.fixture(scope="module")
def demo() -> Bundle:
    return read_bundle("demo")


# Container


def read(model: bytes, folder: Path) -> Bundle:
    path = folder / "model.onnx"
    path.write_bytes(model)
    return read_bundle(path)


@pytest.mark.parametrize("said", READ)
def test_what_is_read_all_the_same(said: str, demo: Bundle, tmp_path: Path) -> None:
    assert said in section("What a reader refuses").partition("Not refused:")[2]
    assert read(READ[said](demo.model), tmp_path).graph_sha256 == demo.graph_sha256


@pytest.mark.parametrize("said", REFUSED)
def test_what_is_refused(said: str, demo: Bundle, tmp_path: Path) -> None:
    assert said in section("What a reader refuses").partition("Not refused:")[0]
    with pytest.raises(ModelFileError, match="not an ONNX file"):
        read(REFUSED[said](demo.model), tmp_path)


def test_what_changes_the_hash_alone(demo: Bundle, tmp_path: Path) -> None:
    assert "top-level fields" in section("What a reader refuses").partition("Not refused:")[2]
    with pytest.raises(ModelFileError, match="graph hash differs"):  # and not its form
        read(demo.model + protobuf.varint(999, 1), tmp_path)


def test_how_much_a_node_may_ask_for() -> None:
    stated = f"for a size of more than 2<sup>{int(math.log2(MAX_ELEMENTS))}</sup>"
    assert stated in section("What a reader refuses")


def test_where_tensors_are_found() -> None:
    stated: dict[str, dict[int, str]] = {}
    for kind, fields in table("Tensors in other files", "message"):
        stated[kind] = {}
        for numbers, target in re.findall(r"((?:\d+ `\w+`(?: and )?)+) → `(\w+)", fields):
            stated[kind] |= {int(number): target for number in re.findall(r"\d+", numbers)}
    assert stated == MESSAGES_WITH_TENSORS
    assert "`external_data` (field 13)" in section("Tensors in other files")


# Manifest


def schema_1(text: str) -> str:
    manifest = json.loads(text) | {"schema_version": 1}
    del manifest["decisions"]
    return json.dumps(manifest, separators=(",", ":"))


@pytest.mark.parametrize("said", ACCEPTED_DOCUMENTS)
def test_documents_that_are_fine(said: str, demo: Bundle) -> None:
    assert said in section("Numbers and text")
    text = manifest_text(demo)
    changed = ACCEPTED_DOCUMENTS[said](text)
    assert changed != text
    decode_manifest(changed.encode())


@pytest.mark.parametrize("said", REFUSED_DOCUMENTS)
def test_documents_that_are_refused(said: str, demo: Bundle) -> None:
    assert said in section("Numbers and text")
    text = manifest_text(demo)
    changed = REFUSED_DOCUMENTS[said](text)
    assert changed != text
    decode_manifest(text.encode())
    with pytest.raises(ModelFileError):
        decode_manifest(changed.encode())


def test_schema_1_has_no_accuracy_and_is_fp32(demo: Bundle) -> None:
    text = schema_1(manifest_text(demo))
    with pytest.raises(ModelFileError, match="accuracy"):
        decode_manifest(text.encode())
    whole = text.replace('"accuracy":null,', "")
    assert decode_manifest(whole.encode()).precision == "fp32"
    for precision in ("bf16", "int8", "fp16"):
        with pytest.raises(ModelFileError, match="precision"):
            decode_manifest(whole.replace('"precision":"fp32"', f'"precision":"{precision}"').encode())


def test_the_table_has_every_field(demo: Bundle) -> None:
    manifest = json.loads(encode_manifest(decode_manifest(manifest_text(demo).encode())))  # the newest schema
    stated = {name for row in table("Manifest", "field") for name in row[0].replace("`", "").split(", ")}
    for name, value in manifest.items():
        if any(each.startswith(f"{name}.") for each in stated):
            assert {f"{name}.{inner}" for inner in value} <= stated
        else:
            assert name in stated
    every = {field.name for field in msgspec.structs.fields(Manifest)}
    assert {name.partition(".")[0] for name in stated} == every
