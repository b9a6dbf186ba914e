"""Documents that are written or answered as JSON: each field with its type, read from their classes."""

import json
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import msgspec

DOCUMENTS = {
    "manifest of a model file": "osscl.model_file.manifest:Manifest",
    "line of a table": "osscl.scoring.record:Record",
    "event": "osscl.events.event:Event",
    "report of evaluate": "osscl.evaluation.report_tables:Report",
    "report of compare": "osscl.evaluation.comparison:Comparison",
    "report of sensitivity": "osscl.sensitivity.report:SensitivityReport",
    "report of calibrate": "osscl.enrolment.calibration_report:CalibrationReport",
    "report of bench": "osscl.bench.figures:Benchmark",
    "report of commission": "osscl.commissioning.commissioned:Commissioned",
    "state of a journal": "osscl.runs.journal_state:State",
    "description of a checkpoint": "osscl.training.checkpoint:CheckpointInfo",
    "step of a training": "osscl.training.reports:StepReport",
    "epoch of a training": "osscl.training.reports:EpochReport",
    "answer of serve": "osscl.serving.answers:Answer",
    "explanation of serve": "osscl.serving.answers:Explained",
    "windows of serve": "osscl.serving.windows:WindowsAnswer",
    "report of enroll": "osscl.enrolment.report:Enrolment",
    "finding of doctor": "osscl.health.finding:Finding",
    "folder looked at by doctor": "osscl.health.recordings_report:RecordingsReport",
}
"""What is a class of ours; other documents are in `documents`."""


def schemas() -> list[str]:
    """Spell every field of every document, a fact a line: its class, name, type and default."""
    types = [_loaded(place) for place in DOCUMENTS.values()]
    roots, definitions = msgspec.json.schema_components(types)
    heads = [f"{name}: {_spelled(root)}" for name, root in zip(DOCUMENTS, roots, strict=True)]
    return sorted(heads) + [
        line for name in sorted(definitions) for line in _definition(name, definitions[name])
    ]


def _loaded(place: str) -> type:
    module, _, name = place.partition(":")
    found = getattr(import_module(module), name)
    assert isinstance(found, type)
    return found


def _definition(name: str, schema: dict[str, Any]) -> Iterator[str]:
    if "prefixItems" in schema or "properties" not in schema:
        yield f"{name}: {_spelled(schema)}"
        return
    if schema.get("additionalProperties", True) is False:
        yield f"{name}: no other fields are taken"
    required = schema.get("required", [])
    for field, of_field in sorted(schema["properties"].items()):
        default = f" = {json.dumps(of_field['default'])}" if "default" in of_field else ""
        optional = "" if field in required or default else ", may be absent"
        yield f"{name}.{field}: {_spelled(of_field)}{default}{optional}"


def _spelled(schema: dict[str, Any]) -> str:
    """Spell a type as JSON Schema has it, in one line."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " | ".join(map(_spelled, schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return " | ".join(json.dumps(each) for each in schema.get("enum", [schema.get("const")]))
    kind = str(schema.get("type", "anything"))
    if kind == "array":
        kind += _items(schema)
    elif kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        kind += f" of {_spelled(schema['additionalProperties'])}"
    limits = {key: value for key, value in schema.items() if key not in _NO_LIMITS}
    return kind + "".join(f", {key} {value}" for key, value in sorted(limits.items()))


_NO_LIMITS = {"additionalProperties", "default", "description", "items", "prefixItems", "propertyNames"} | {
    "title",
    "type",
}


def _items(schema: dict[str, Any]) -> str:
    if "prefixItems" in schema:
        return f" of ({', '.join(map(_spelled, schema['prefixItems']))})"
    return f" of {_spelled(schema['items'])}" if schema.get("items") else ""
