"""What a model file says of its training: kept, checked, and refused where it contradicts itself."""

import json

import pytest
from msgspec.structs import replace

from osscl.errors import ModelFileError
from osscl.model_file.manifest_json import decode_manifest, encode_manifest
from osscl.model_file.verdict import Verdict
from support.model_files import tiny_graph, tiny_manifest
from support.older_manifests import of_schema

VERDICT = Verdict(
    word="nothing", n_clips=12, n_right=1, n_classes=12, chance=1 / 12, low=0.004, high=0.339, margin=-0.01
)
MANIFEST = replace(tiny_manifest(tiny_graph().SerializeToString()), verdict=VERDICT)


def test_a_verdict_is_kept() -> None:
    assert decode_manifest(encode_manifest(MANIFEST)) == MANIFEST
    without = replace(MANIFEST, verdict=None)
    assert decode_manifest(encode_manifest(without)) == without


def test_a_file_of_schema_5_has_none() -> None:
    old = of_schema(json.loads(encode_manifest(MANIFEST)), 5)
    assert decode_manifest(json.dumps(old).encode()).verdict is None
    with pytest.raises(ModelFileError, match=r"newer than the document - at `\$.verdict`"):
        decode_manifest(json.dumps(old | {"verdict": None}).encode())


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        ({"n_right": 13}, "13 of 12 held-out clips are right"),
        ({"low": 0.2}, r"an accuracy of 0.0833333 lies outside 0.2 to 0.339"),
        ({"word": "fine"}, r"Invalid enum value 'fine' - at `\$.verdict.word`"),
        ({"chance": 1.5}, r"<= 1.0 - at `\$.verdict.chance`"),
        ({"n_clips": 0}, r">= 1 - at `\$.verdict.n_clips`"),
    ],
)
def test_a_verdict_that_cannot_be_is_refused(change: dict[str, object], flaw: str) -> None:
    written = json.loads(encode_manifest(MANIFEST))
    written["verdict"] |= change
    with pytest.raises(ModelFileError, match=flaw):
        decode_manifest(json.dumps(written).encode())
