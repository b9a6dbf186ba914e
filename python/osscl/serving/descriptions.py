"""The API in the words of OpenAPI: what each route takes and gives, with examples."""

from typing import Any

import msgspec
from fastapi import FastAPI

from osscl.scoring.record import FILE_SCOPES, Record
from osscl.serving.answers import Answer, Explained
from osscl.serving.problems import JSON
from osscl.serving.requests import RAW, SamplesBody
from osscl.serving.windows import WindowsAnswer

SERVER = (
    "Scores recordings of machines for anomalies. Post a file (WAV, FLAC or whatever else libsndfile "
    "decodes) or "
    "raw samples, and name the machine. Whatever goes wrong is told as JSON, with a word in `status` and one "
    "sentence in `reason`."
)
_ANSWER: dict[str, Any] = {
    "path": "normal_id_00_00000000.wav",
    "machine": "blower/id_00",
    "status": "ok",
    "reason": None,
    "score": 12.25,
    "p_value": 0.41,
    "threshold": 19.5,
    "is_anomaly": False,
    "start_s": 0.0,
    "duration_s": 10.0,
    "sample_rate_hz": 16000,
    "rule": "network",
    "z_level": None,
    "z_modulation": None,
    "z_flutter": None,
    "z_event": None,
    "recorded_at": None,
    "quality": None,
    "explanation": None,
    "scope": None,
    "id": "5f0c8e3a1d6b4f0f8f1f6a4b2f7b9c1d",
    "false_alarm_rate": 0.05,
    "note": None,
}
_WINDOW = {name: _ANSWER[name] for name in Record.__struct_fields__} | {"scope": "window"}
_OF_FILE = {**_WINDOW, "start_s": None, "p_value": None, "threshold": None, "is_anomaly": None}
_WINDOWS_ANSWER: dict[str, Any] = {
    "id": _ANSWER["id"],
    "path": _ANSWER["path"],
    "machine": _ANSWER["machine"],
    "hop_s": 10.0,
    "n_windows": 1,
    "n_flagged": 0,
    "false_alarm_rate": 0.05,
    "note": "1 recording ends with a part shorter than 10 s, left out (4 s); pad=repeat or zero scores it, "
    "filled up",
    "windows": [_WINDOW],
    **{scope: {**_OF_FILE, "duration_s": 14.0, "scope": scope} for scope in FILE_SCOPES},
}
_PROBLEM = {
    "id": "5f0c8e3a1d6b4f0f8f1f6a4b2f7b9c1d",
    "status": "unknown_machine",
    "reason": "machine blower/id_99 is not known to the model, which knows blower/id_00, blower/id_01",
}
_PROBLEM_SCHEMA = {
    "title": "Problem",
    "description": "Why a request gets no score. Of a recording that cannot be scored, the columns of a "
    "result table "
    "stand here too.",
    "type": "object",
    "required": ["status", "reason"],
    "properties": {
        "id": {"type": "string", "description": "Of the request; the header X-Request-ID gives it one."},
        "status": {"type": "string", "description": "One word."},
        "reason": {"type": "string", "description": "What was got, what was expected, what to do."},
    },
}
_REFUSALS = {
    400: "The request contradicts itself, or holds words that are not known.",
    401: "No token, or another one than the server's.",
    404: "The model does not know the machine.",
    408: "The body took too long to come.",
    413: "The body is too large; or, with `hop_s`, the recording has too many windows.",
    415: "The body is of no type that is taken.",
    422: "The recording cannot be scored: `status` is unreadable, corrupt, unfit or no_score, as in a "
    "result table; or "
    "its samples are none.",
    501: "The server lacks a package for this, such as the one that resamples.",
    500: "The device that computes the model failed.",
    503: "Too much waits already, or it took too long. `Retry-After` says when to ask again.",
}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _content(schema: dict[str, Any], example: Any) -> dict[str, Any]:
    return {JSON: {"schema": schema, "example": example}}


def _problem(text: str) -> dict[str, Any]:
    return {"description": text, "content": _content(_ref("Problem"), _PROBLEM)}


_BINARY = {"type": "string", "format": "binary"}
_RECORDING: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The recording. Raw samples need `dtype` and `sample_rate_hz` in the query.",
        "content": {
            "audio/wav": {"schema": _BINARY},
            "audio/flac": {"schema": _BINARY},
            RAW: {"schema": _BINARY},
            **_content(
                _ref("SamplesBody"), {"samples": [0, 12, -7], "dtype": "int16", "sample_rate_hz": 16000}
            ),
        },
    }
}
_PROBLEMS = {code: _problem(text) for code, text in _REFUSALS.items()}
_LOCKED = {401: _PROBLEMS[401]}
_FACTS = {"type": "object"}


def _answers(text: str, schema: str, example: Any) -> dict[str, Any]:
    ok = {"description": text, "content": _content(_ref(schema), example)}
    return {"responses": {200: ok, **_PROBLEMS}, "openapi_extra": _RECORDING, "tags": ["recordings"]}


def _fact(text: str, tag: str, schema: dict[str, Any], example: Any, **more: Any) -> dict[str, Any]:
    return {
        "responses": {
            200: {"description": text, "content": _content(schema, example)},
            **more.get("refusals", {}),
        },
        "tags": [tag],
    }


_EXPLAINED = {**_ANSWER, "explanation": "level +9 dB at 3.1 to 4.0 kHz", "findings": [], "occlusion": None}
SCORE = _answers("Score and decision; with `hop_s`, those of all windows.", "Answer", _ANSWER)
EXPLAIN = _answers(
    "The same, and all that is heard.",
    "Explained",
    _EXPLAINED,
)
MODEL = _fact("The model.", "facts", _FACTS, {"model": "model.onnx", "n_machines": 23}, refusals=_LOCKED)
MACHINES = _fact(
    "The machines.",
    "facts",
    {"type": "array", "items": _FACTS},
    [{"machine": "blower/id_00", "rule": "network", "false_alarm_rate": 0.05, "undecided": None}],
    refusals=_LOCKED,
)
HEALTH = _fact("It is alive.", "operation", _FACTS, {"status": "ok"})
READY = _fact("It is ready.", "operation", _FACTS, {"status": "ok"}, refusals={503: _PROBLEMS[503]})
METRICS: dict[str, Any] = {
    "responses": {
        200: {
            "description": "Prometheus' text format.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
        **_LOCKED,
    },
    "tags": ["operation"],
}


def _answer_of(document: dict[str, Any], path: str) -> dict[str, Any]:
    """What a description says of the answer of a route."""
    answer: dict[str, Any] = document["paths"][path]["post"]["responses"]["200"]["content"][JSON]
    return answer


def complete(app: FastAPI) -> None:
    """Add to an application's description what FastAPI cannot know: its answers, and the token.

    Parameters
    ----------
    app : FastAPI
        With all its routes.
    """
    document = app.openapi()
    _, schemas = msgspec.json.schema_components(
        (Answer, Explained, WindowsAnswer, SamplesBody), ref_template="#/components/schemas/{name}"
    )
    components = document.setdefault("components", {})
    components["schemas"] = {**schemas, "Problem": _PROBLEM_SCHEMA}
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    # what is None in an example gets lost in FastAPI
    _answer_of(document, "/v1/explain")["example"] = _EXPLAINED
    of_score = _answer_of(document, "/v1/score")
    of_score.pop("example")
    of_score.update(
        schema={"anyOf": [_ref("Answer"), _ref("WindowsAnswer")]},
        examples={
            "beginning": {"summary": "Without hop_s", "value": _ANSWER},
            "windows": {"summary": "With hop_s=10", "value": _WINDOWS_ANSWER},
        },
    )
    for path, methods in document["paths"].items():
        for operation in methods.values():
            if path.startswith("/v1/") or path == "/metrics":
                operation["security"] = [{}, {"token": []}]  # where the server has a token
    app.openapi_schema = document
