"""Domains of memories in documents of every schema."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from osscl.errors import ModelFileError
from osscl.model_file.decisions import StoredDecisions, StoredMemory
from osscl.model_file.manifest_json import decode_manifest, encode_manifest
from support.made_features import made_features
from support.model_files import tiny_graph, tiny_manifest
from support.older_manifests import of_schema
from support.remembering import memory_of_features

FAN = "fan/id_00"


def document(*memories: StoredMemory) -> dict[str, Any]:
    manifest = tiny_manifest(tiny_graph().SerializeToString())
    decoded: dict[str, Any] = json.loads(
        encode_manifest(replace(manifest, decisions=StoredDecisions(memories=memories)))
    )
    return decoded


def read(fields: dict[str, object]) -> StoredDecisions:
    decisions = decode_manifest(json.dumps(fields).encode()).decisions
    assert decisions is not None
    return decisions


def test_domains_are_written_and_read() -> None:
    source = memory_of_features(FAN, made_features(1, 4), domain="source")
    target = replace(source, domain="target")
    written = document(source, target)
    assert written["schema_version"] == 6
    assert read(written).memories == (source, target)


def test_a_document_of_schema_5_has_no_domains() -> None:
    old = of_schema(document(memory_of_features(FAN, made_features(1, 4))), 5)
    memory = old["decisions"]["memories"][0]
    assert "domain" not in memory
    assert read(old).memories[0].domain is None
    memory["domain"] = None
    with pytest.raises(
        ModelFileError, match=r"newer than the document - at `\$.decisions.memories\[0\].domain`"
    ):
        read(old)


def test_other_words_are_no_domains() -> None:
    new = document(memory_of_features(FAN, made_features(1, 4)))
    new["decisions"]["memories"][0]["domain"] = "moon"
    with pytest.raises(
        ModelFileError, match=r"Invalid enum value 'moon' - at `\$.decisions.memories\[0\].domain`"
    ):
        read(new)
