"""A service of your own around a detector, with FastAPI: an uploaded recording in, a decision out.

Install and run it, with a model file that ``osscl enroll`` wrote::

    pip install ".[cpu,serve]" python-multipart    # in a clone of osscl
    MODEL=site.onnx uvicorn service:app --app-dir examples/service

That is from the folder that holds ``examples``; from anywhere else, ``--app-dir`` is the path of the folder
that this file lies in, and MODEL the path of the model file. Then ask it::

    curl -F recording=@clip.wav -F machine=gearbox/id_01 localhost:8000/decisions
    curl localhost:8000/health

http://localhost:8000/docs shows both as forms.

Take this where decisions are a part of an application that you write anyway, with its own users and
database. Where scores alone are wanted take ``osscl serve`` (docs/serve.md), which is ready-made: it scores
together what waits, limits what may come, asks for tokens, counts for Prometheus and speaks with systemd.
This file does none of that: put it behind a proxy that limits the size of bodies and asks who is there.
"""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import soundfile
from fastapi import FastAPI, Form, HTTPException, Request, UploadFile
from fastapi.responses import JSONResponse
from pydantic import BaseModel

import osscl


class Decision(BaseModel):
    """What is said of one recording; p_value, threshold and is_anomaly are null where nothing is decided."""

    machine: str
    status: str  # "ok", or "silent" where the microphone is dead: scored, and mostly flagged
    reason: str | None  # why it is silent, or why nothing is decided
    score: float
    p_value: float | None
    threshold: float | None
    is_anomaly: bool | None
    quality: str | None  # why to doubt the recording itself
    explanation: str | None  # what is heard in a flagged one
    note: str | None  # what of it was not scored


def open_model() -> osscl.Detector:
    """Open the model that MODEL names, or end in a sentence."""
    model = os.environ.get("MODEL")
    if not model:
        sys.exit(
            "the variable MODEL is not set; expected the path of a model file: MODEL=site.onnx uvicorn ..."
        )
    try:
        return osscl.load(model)
    except osscl.OssclError as error:
        sys.exit(f"MODEL={model} cannot be opened: {error}")


detector = open_model()  # once, for all requests: threads may share it


@asynccontextmanager
async def opened(app: FastAPI) -> AsyncIterator[None]:
    """Give back the model's threads and memory at the end."""
    with detector:
        yield


app = FastAPI(title="Decisions on recordings", lifespan=opened)


@app.exception_handler(osscl.errors.MachineError)
@app.exception_handler(osscl.errors.InputError)
async def refuse(request: Request, error: Exception) -> JSONResponse:
    """Say in osscl's own words what is wrong with what came."""
    return JSONResponse({"detail": str(error)}, 422)


@app.post("/decisions")
def decide(recording: UploadFile, machine: Annotated[str, Form()]) -> Decision:
    """Score a recording, and say of a flagged one what is heard. Not async: FastAPI gives it a thread."""
    record = detector.score_file(recording, machine, explain=True)
    if record.score is None:
        raise HTTPException(422, f"{record.path}: {record.reason}")
    said = {name: value for name, value in record.to_dict().items() if name in Decision.model_fields}
    return Decision(**said, note=what_was_not_scored(recording, record))


def what_was_not_scored(recording: UploadFile, record: osscl.Record) -> str | None:
    """Say that a recording is longer than what was scored of it; ``hop_s`` of `score_files` scores it all."""
    recording.file.seek(0)
    whole_s, scored_s = soundfile.info(recording.file).duration, record.duration_s or 0.0
    if whole_s <= scored_s + 1e-3:
        return None
    return f"the recording lasts {whole_s:.6g} s, and its first {scored_s:g} s were scored"


@app.get("/health")
def health() -> dict[str, int]:
    """Say that the model is open, and how many machines it knows."""
    return {"machines": len(detector.machines)}
