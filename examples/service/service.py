"""A service of your own around a detector, with FastAPI: an uploaded recording in, a decision out.

Install and run it, beside a model file that ``osscl enroll`` wrote::

    pip install "osscl[cpu,serve]" python-multipart
    MODEL=site.onnx uvicorn service:app --app-dir examples/service

and ask it::

    curl -F recording=@clip.wav -F machine=gearbox/id_01 localhost:8000/decisions
    curl localhost:8000/health

http://localhost:8000/docs shows both as forms.

Take this where decisions are a part of an application that you write anyway, with its own users and
database. Where scores alone are wanted take ``osscl serve`` (docs/serve.md), which is ready-made: it scores
together what waits, limits what may come, asks for tokens, counts for Prometheus and speaks with systemd.
This file does none of that: put it behind a proxy that limits the size of bodies and asks who is there.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import FastAPI, Form, HTTPException, Request, UploadFile
from fastapi.responses import JSONResponse
from pydantic import BaseModel

import osscl


class Decision(BaseModel):
    """What is said of one recording; p_value and is_anomaly are null where the model decides nothing."""

    machine: str
    score: float
    p_value: float | None
    is_anomaly: bool | None
    explanation: str | None


@asynccontextmanager
async def opened(app: FastAPI) -> AsyncIterator[None]:
    """Open the model once, for all requests: threads may share a detector."""
    with osscl.load(os.environ["MODEL"]) as detector:
        app.state.detector = detector
        yield


app = FastAPI(title="Decisions on recordings", lifespan=opened)


@app.exception_handler(osscl.errors.MachineError)
@app.exception_handler(osscl.errors.InputError)
async def refuse(request: Request, error: Exception) -> JSONResponse:
    """Say in osscl's own words what is wrong with what came."""
    return JSONResponse({"detail": str(error)}, 422)


@app.post("/decisions")
def decide(request: Request, recording: UploadFile, machine: Annotated[str, Form()]) -> Decision:
    """Score a recording, and say of a flagged one what is heard. Not async: FastAPI gives it a thread."""
    detector: osscl.Detector = request.app.state.detector
    record = detector.score_file(recording, machine)
    if record.score is None:
        raise HTTPException(422, f"{record.path}: {record.reason}")
    explanation = None
    if record.is_anomaly:
        explanation = detector.explain(osscl.read_audio(recording), machine).sentence
    return Decision(
        machine=machine,
        score=record.score,
        p_value=record.p_value,
        is_anomaly=record.is_anomaly,
        explanation=explanation,
    )


@app.get("/health")
def health(request: Request) -> dict[str, int]:
    """Say that the model is open, and how many machines it knows."""
    return {"machines": len(request.app.state.detector.machines)}
