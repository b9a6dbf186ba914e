"""The manifest: what it holds survives writing, and whatever is wrong with it is refused by name."""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from osscl.config import FRONTEND, ModelConfig, ModelInputs
from osscl.errors import ModelFileError
from osscl.model_file.manifest import Accuracy
from osscl.model_file.manifest_json import MAX_MANIFEST_BYTES, decode_manifest, encode_manifest
from osscl.model_file.signature import FrontEndPlace, graph_inputs, graph_outputs
from osscl.scoring.rule import anomaly_score
from support.model_files import CLASSES, GOLDEN_COUNT, tiny_graph, tiny_manifest
from support.older_manifests import of_schema

MODEL = tiny_graph().SerializeToString()
MANIFEST = tiny_manifest(MODEL)
DOCUMENT = encode_manifest(MANIFEST)


def edited(edit: Callable[[Any], object]) -> bytes:
    """Document after a change to its parsed form."""
    parsed = json.loads(DOCUMENT)
    edit(parsed)
    return json.dumps(parsed).encode()


def steps(path: str) -> list[str | int]:
    """Keys and indices along a JSON path such as ``$.model.classes[0]``."""
    return [int(step) if step.isdigit() else step for step in re.findall(r"\w+", path)]


def at_path(node: Any, path: str) -> Any:
    for step in steps(path):
        node = node[step]
    return node


def put(path: str, value: object) -> bytes:
    """Document in which the value at a path is another."""
    parent, _, last = path.rpartition(".")

    def edit(node: Any) -> None:
        at_path(node, parent)[steps(last)[0]] = value

    return edited(edit)


def every_field(node: Any, path: str = "$") -> list[tuple[str, str]]:
    """Path of each object in a parsed document, with each of its keys."""
    members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    fields = [(path, str(key)) for key, _ in members if isinstance(node, dict)]
    for key, value in members:
        fields += every_field(value, f"{path}.{key}")
    return fields


# Tools are a table of any names, the one place without fixed fields.
FIELDS = [(path, key) for path, key in every_field(json.loads(DOCUMENT)) if path != "$.producer.tools"]


def test_what_is_written_is_read_back() -> None:
    assert decode_manifest(DOCUMENT) == MANIFEST
    assert encode_manifest(decode_manifest(DOCUMENT)) == DOCUMENT


def test_the_document_is_plain_json_with_these_fields() -> None:
    parsed = json.loads(DOCUMENT)
    assert list(parsed) == [
        *("schema_version", "producer", "checkpoint", "model", "front_end", "clip", "inputs", "outputs"),
        *(
            "scoring_rule",
            "precision",
            "graph_rewrites",
            "graph_sha256",
            "parity",
            "accuracy",
            "class_machines",
            "decisions",
            "licence",
            "training_data",
            "verdict",
        ),
    ]
    assert parsed["schema_version"] == 6
    assert parsed["model"] == {
        "classes": list(CLASSES),
        "inputs": "three_maps",
        "head": "basic",
        "margin": 0.4,
        "scale": 30.0,
        "sub_centres": 1,
    }
    assert parsed["inputs"][0]["shape"] == ["batch", 160_000]


def test_a_document_of_schema_1_is_read_and_written_anew_as_the_newest() -> None:
    old = of_schema(json.loads(DOCUMENT), 1)
    manifest = decode_manifest(json.dumps(old).encode())
    assert manifest.accuracy is None
    assert encode_manifest(manifest) == DOCUMENT
    with pytest.raises(ModelFileError, match=r"newer than the document - at `\$.accuracy`"):
        decode_manifest(json.dumps(old | {"accuracy": None}).encode())


ACCURACY = Accuracy(
    clips="a folder",
    backend="openvino 1",
    n_clips=2,
    n_machines=1,
    score_error=0.1,
    rank_correlation=1.0,
    auc_fp32=0.9,
    auc=0.9,
    decision_flips=None,
)


@pytest.mark.parametrize("precision", ["fp16", "bf16", "int8"])
def test_reduced_precision_comes_with_its_measured_accuracy(precision: Any) -> None:
    manifest = tiny_manifest(MODEL, precision=precision, accuracy=ACCURACY)
    assert manifest.graph_precision == precision
    assert decode_manifest(encode_manifest(manifest)) == manifest
    for contradiction in ({"precision": "fp32"}, {"accuracy": None}):
        with pytest.raises(ModelFileError, match="expected it for reduced precision alone"):
            encode_manifest(msgspec.structs.replace(manifest, **contradiction))


def of_schema_2(precision: Any) -> bytes:
    document = encode_manifest(tiny_manifest(MODEL, precision=precision, accuracy=ACCURACY))
    return json.dumps(of_schema(json.loads(document), 2)).encode()


def test_bf16_of_schema_2_goes_on_to_mean_a_graph_in_fp32() -> None:
    old = decode_manifest(of_schema_2("bf16"))
    assert (old.precision, old.graph_precision) == ("bf16", "fp32")
    again = decode_manifest(encode_manifest(old))
    assert again == old
    assert again.graph_precision == "fp32"
    assert decode_manifest(of_schema_2("int8")).graph_precision == "int8"


def test_fp16_came_with_schema_3() -> None:
    with pytest.raises(
        ModelFileError, match=r"`\$.precision` is fp16, a word of schema 3; the document is of schema 2;"
    ):
        decode_manifest(of_schema_2("fp16"))


def test_the_front_end_hash_is_of_its_sorted_compact_json() -> None:
    stated = json.loads(DOCUMENT)["front_end"]
    canonical = (
        '{"algorithm":"osscl.log_mel/1","f_max_hz":8000.0,"f_min_hz":0.0,"hop_length":512,"n_fft":2048,'
        '"n_mels":128,"power_floor":1e-10,"sample_rate_hz":16000}'
    )
    assert json.loads(canonical) == stated["settings"]
    assert hashlib.sha256(canonical.encode()).hexdigest() == stated["sha256"] == FRONTEND.sha256


@settings(max_examples=100)
@given(number=st.floats(-1.0, 1.0, width=32))
@example(number=float(np.nextafter(np.float32(1.0), np.float32(0.0))))
@example(number=1e-45)
def test_float32_expectations_keep_every_bit_in_few_digits(number: float) -> None:
    embedding = np.full((GOLDEN_COUNT, 128), number, dtype=np.float32)
    document = encode_manifest(tiny_manifest(MODEL, embedding=embedding))
    read = np.asarray(decode_manifest(document).network.parity.embedding, dtype=np.float32)
    np.testing.assert_array_equal(read.view(np.uint32), embedding.view(np.uint32))
    significant = str(json.loads(document)["parity"]["embedding"][0][0]).split("e")[0].strip("-0.")
    assert len(significant.replace(".", "")) <= 9


@pytest.mark.parametrize(
    ("inputs", "where", "expected"),
    [
        ("three_maps", "native", ["waveform float32 [batch, 160000]", "log_mel float32 [batch, 128, 313]"]),
        ("three_maps", "graph", ["waveform float32 [batch, 160000]"]),
        ("log_mel", "native", ["log_mel float32 [batch, 128, 313]"]),
        ("log_mel", "graph", ["waveform float32 [batch, 160000]"]),
    ],
)
def test_inputs_and_outputs_follow_from_the_model(
    inputs: ModelInputs, where: FrontEndPlace, expected: list[str]
) -> None:
    model = ModelConfig(classes=CLASSES, inputs=inputs)
    assert [str(spec) for spec in graph_inputs(model, where)] == expected
    outputs = [str(spec) for spec in graph_outputs(model)]
    assert outputs == ["embedding float32 [batch, 128]", "cosine float32 [batch, 3]"]
    document = encode_manifest(tiny_manifest(MODEL, model=model, where=where))
    assert [str(spec) for spec in decode_manifest(document).inputs] == expected


@pytest.mark.parametrize(
    ("document", "message"),
    [
        pytest.param(b"", "truncated", id="empty"),
        pytest.param(b"null", r"Expected `object`, got `null`", id="null"),
        pytest.param(b"[1]", r"Expected `object`, got `array`", id="array"),
        pytest.param(DOCUMENT[:-1], "truncated", id="cut off"),
        pytest.param(DOCUMENT + b"{}", "trailing characters", id="two documents"),
        pytest.param(b"\xef\xbb\xbf" + DOCUMENT, "malformed", id="byte order mark"),
        pytest.param(DOCUMENT.decode().encode("utf-16"), "malformed", id="UTF-16"),
        pytest.param(DOCUMENT.replace(b"fan", b"f\xffn"), "utf-8", id="not UTF-8"),
        pytest.param(DOCUMENT.replace(b'"margin":0.4', b'"margin":NaN'), "malformed", id="NaN"),
        pytest.param(DOCUMENT.replace(b'"margin":0.4', b'"margin":Infinity'), "malformed", id="infinity"),
        pytest.param(
            DOCUMENT.replace(b'"margin":0.4', b'"margin":1e999'),
            r"out of range - at `\$.model.margin`",
            id="1e999",
        ),
        pytest.param(
            put("front_end.settings.sample_rate_hz", 10**400),
            r"sample_rate_hz is 1000.* must lie between 1 and 2147483647 - at `\$.front_end.settings`",
            id="a sample rate beyond floats",
        ),
        pytest.param(put("clip.n_samples", 10**400), r"n_samples is 1000.* must lie", id="endless clip"),
        pytest.param(put("schema_version", 10**400), r"`int` <= 2147483647 - at", id="schema beyond bounds"),
        pytest.param(
            put("model.scale", 1e31),
            r"scale is 1e\+31; .*1e\+30 at most - at `\$.model`",
            id="no bound",
        ),
        pytest.param(put("model.scale", 0), r"scale is 0.0; it must be positive", id="no scale"),
        pytest.param(put("model.margin", 1.6), r"margin is 1.6; it must lie in", id="no angle"),
        pytest.param(put("model.classes.0", ""), r"none of them empty - at `\$.model`", id="empty class"),
        pytest.param(put("licence", "\ud800"), r"malformed: .* at|malformed: .*\(byte", id="other half"),
        pytest.param(
            put("model.classes.0", "\udc00x"),
            r"malformed: invalid utf-16",
            id="half of a pair",
        ),
        pytest.param(b'{"x":' + b"[" * 1_000_000, "truncated|recursion", id="deep nesting"),
        pytest.param(b'{"x":' * 1_000_000, "truncated|recursion", id="deep nesting of objects"),
        pytest.param(b"{}", "missing required field `schema_version`", id="no schema"),
        pytest.param(
            put("schema_version", "1"), r"Expected `int`, got `str` - at `\$.schema_version`", id="text"
        ),
        pytest.param(put("schema_version", 0), r"`int` >= 1 - at `\$.schema_version`", id="schema 0"),
        pytest.param(
            put("schema_version", 7),
            r"^made by a newer osscl \(schema 7, this one reads 6\): update osscl$",
            id="newer schema",
        ),
        pytest.param(
            b'{"schema_version": 7, "unheard_of": [{}]}',
            r"newer osscl \(schema 7",
            id="newer schema, other fields",
        ),
        pytest.param(
            put("model.scale", "30"), r"Expected `float`, got `str` - at `\$.model.scale`", id="type"
        ),
        pytest.param(
            put("model.classes.1", None),
            r"Expected `str`, got `null` - at `\$.model.classes\[1\]`",
            id="null class",
        ),
        pytest.param(
            put("precision", "fp8"), r"Invalid enum value 'fp8' - at `\$.precision`", id="precision"
        ),
        pytest.param(put("scoring_rule", "mahalanobis"), r"at `\$.scoring_rule`", id="scoring rule"),
        pytest.param(put("graph_sha256", "0" * 63), r"at `\$.graph_sha256`", id="short hash"),
        pytest.param(put("graph_sha256", "0" * 64 + "\n"), r"at `\$.graph_sha256`", id="hash and new line"),
        pytest.param(put("checkpoint.sha256", "A" * 64), r"at `\$.checkpoint.sha256`", id="upper-case hash"),
        pytest.param(put("model.classes", []), r"at least one machine ID.* - at `\$.model`", id="no classes"),
        pytest.param(
            put("model.classes.1", CLASSES[0]), r"named twice: fan/id_00 - at `\$.model`", id="two alike"
        ),
        pytest.param(put("model.margin", 2.0), r"margin is 2.0.* - at `\$.model`", id="margin"),
        pytest.param(
            put("front_end.settings.algorithm", "osscl.log_mel/2"),
            r"at `\$.front_end.settings.algorithm`",
            id="newer mel",
        ),
        pytest.param(
            put("front_end.settings.n_fft", 1024), r"2048 points - at `\$.front_end.settings`", id="n_fft"
        ),
        pytest.param(
            put("front_end.settings.power_floor", 1e-9),
            r"front-end hash differs: `\$.front_end.sha256`",
            id="floor",
        ),
        pytest.param(put("front_end.sha256", "0" * 64), "front-end hash differs", id="front-end hash"),
        pytest.param(put("clip.n_samples", 80_000), r"`\$.inputs` is .* expected waveform", id="clip length"),
        pytest.param(
            put("front_end.where", "graph"), r"`\$.inputs` is .* expected waveform", id="place of log-mel"
        ),
        pytest.param(put("model.inputs", "log_mel"), r"`\$.inputs` is .* expected log_mel", id="one map"),
        pytest.param(put("inputs", []), r"`\$.inputs` is empty; expected waveform", id="no inputs"),
        pytest.param(put("inputs.0.name", "audio"), r"`\$.inputs` is audio float32", id="name of an input"),
        pytest.param(put("inputs.0.dtype", "int16"), r"at `\$.inputs\[0\].dtype`", id="type of an input"),
        pytest.param(put("inputs.0.shape.0", "N"), r"at `\$.inputs\[0\].shape\[0\]`", id="batch symbol"),
        pytest.param(
            put("inputs.0.shape.0", 1), r"`\$.inputs` is waveform float32 \[1, 160000\]", id="fixed batch"
        ),
        pytest.param(
            put("model.classes", ["a", "b"]),
            r"`\$.outputs` is .*cosine float32 \[batch, 3\]; expected",
            id="classes",
        ),
        pytest.param(put("parity.generator", "osscl.golden/2"), r"at `\$.parity.generator`", id="generator"),
        pytest.param(put("parity.count", 0), r"at `\$.parity.count`", id="no golden clips"),
        pytest.param(put("parity.count", 10**9), r"at `\$.parity.count`", id="a billion golden clips"),
        pytest.param(
            put("parity.count", 3), r"`\$.parity.embedding` has another shape than \[3, 128\]", id="count"
        ),
        pytest.param(
            put("parity.embedding.1", [0.5]), r"`\$.parity.embedding` has another shape", id="embedding"
        ),
        pytest.param(put("parity.cosine.0", [0.5] * 4), r"`\$.parity.cosine` has another shape", id="cosine"),
        pytest.param(put("parity.cosine.0.1", 1.5), r"at `\$.parity.cosine\[0\]\[1\]`", id="cosine beyond 1"),
        pytest.param(
            put("parity.measured.score", -1.0), r"at `\$.parity.measured.score`", id="negative error"
        ),
        pytest.param(
            put("parity.measured.score", 6e-4),
            r"`\$.parity.measured.score` is 0.0006, above its tolerance of 0.0005",
            id="certificate of a failure",
        ),
        pytest.param(
            DOCUMENT.replace(b'"margin":0.4', b'"margin":0.3,"margin":0.4'),
            r"Field stands twice - at `\$.model.margin`",
            id="repeated field",
        ),
        pytest.param(
            DOCUMENT.replace(b'"precision"', b'"precisi\\u006fn":"fp32","precision"'),
            r"Field stands twice - at `\$.precision`",
            id="repeated field, spelt otherwise",
        ),
    ],
)
def test_a_broken_manifest_is_refused(document: bytes, message: str) -> None:
    with pytest.raises(ModelFileError, match=message):
        decode_manifest(document)


@pytest.mark.parametrize(("path", "key"), FIELDS)
def test_no_field_may_be_missing(path: str, key: str) -> None:
    def drop(node: Any) -> None:
        del at_path(node, path)[key]

    with pytest.raises(ModelFileError, match=f"`{key}`|{key}`"):
        decode_manifest(edited(drop))


@pytest.mark.parametrize("path", sorted({path for path, _ in FIELDS}))
def test_no_unknown_field_is_allowed(path: str) -> None:
    def add(node: Any) -> None:
        at_path(node, path)["calibration"] = {}

    with pytest.raises(ModelFileError, match="unknown field `calibration`"):
        decode_manifest(edited(add))


def test_the_size_limit_is_16_mib() -> None:
    filler = "x" * (MAX_MANIFEST_BYTES - len(put("training_data", "")))
    assert MAX_MANIFEST_BYTES == 16 * 1024 * 1024
    assert decode_manifest(put("training_data", filler)).training_data == filler
    with pytest.raises(ModelFileError, match="it has 16777217 bytes, 16777216 are allowed"):
        decode_manifest(put("training_data", filler + "x"))


def test_writing_checks_what_it_writes() -> None:
    with pytest.raises(ModelFileError, match=r"has another shape than \[2, 3\]"):
        encode_manifest(tiny_manifest(MODEL, cosine=np.zeros((GOLDEN_COUNT, 41), dtype=np.float32)))
    with pytest.raises(ModelFileError, match=r"Expected `float`, got `null` - at `\$.parity.cosine"):
        encode_manifest(tiny_manifest(MODEL, cosine=np.full((GOLDEN_COUNT, 3), np.nan, dtype=np.float32)))


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_random_edits_never_raise_anything_else(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(DOCUMENT)))
    end = data.draw(st.integers(start, min(len(DOCUMENT), start + 40)))
    inserted = data.draw(
        st.binary(max_size=8) | st.text('{}[]",:0123456789eE.-\\nulltrue', max_size=8).map(str.encode)
    )
    try:
        manifest = decode_manifest(DOCUMENT[:start] + inserted + DOCUMENT[end:])
    except ModelFileError:
        return
    assert decode_manifest(encode_manifest(manifest)) == manifest


@pytest.mark.parametrize("margin", [0.0, 0.4, 1.57])
@pytest.mark.parametrize("scale", [5e-324, 1e-30, 30.0, 1e30])
def test_no_margin_and_scale_that_pass_give_an_infinite_score(margin: float, scale: float) -> None:
    document = put("model.margin", margin).replace(b'"scale": 30.0', f'"scale": {scale}'.encode())
    model = decode_manifest(document).network.model
    assert model.scale == scale
    extremes = np.array([[a, b, c] for a in (-1, 0, 1) for b in (-1, 1) for c in (-1, 1)], np.float32)
    for label in range(3):
        labels = np.full(len(extremes), label)
        score = anomaly_score(extremes, labels, margin=model.margin, scale=model.scale)
        assert np.isfinite(score.astype(np.float32)).all()


def test_a_machine_may_have_several_classes() -> None:
    machines = ("fan/section_00",) * (len(CLASSES) - 1) + ("pump/section_00",)
    manifest = tiny_manifest(MODEL, class_machines=machines)
    assert decode_manifest(encode_manifest(manifest)) == manifest
    assert manifest.machines == ("fan/section_00", "pump/section_00")
    assert manifest.classes_of_machines == {
        "fan/section_00": tuple(range(len(CLASSES) - 1)),
        "pump/section_00": (len(CLASSES) - 1,),
    }
    assert MANIFEST.classes_of_machines == {name: (label,) for label, name in enumerate(CLASSES)}
    for broken in (machines[1:], ("", *machines[1:])):
        with pytest.raises(ModelFileError, match=r"`\$.class_machines` names \d+ machines, and there are"):
            encode_manifest(msgspec.structs.replace(manifest, class_machines=broken))
    older = of_schema(json.loads(encode_manifest(manifest)), 5)
    assert decode_manifest(json.dumps(older).encode()).class_machines is None
    with pytest.raises(ModelFileError, match=r"newer than the document - at `\$.class_machines`"):
        decode_manifest(json.dumps(older | {"class_machines": list(machines)}).encode())
