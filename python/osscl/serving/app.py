"""The server's routes: what is asked at which address, and what comes back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

import msgspec
from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from osscl.detector import Detector
from osscl.errors import MachineError, OssclError
from osscl.machines.dcase import check_machine
from osscl.serving import descriptions, page
from osscl.serving.answers import Answered
from osscl.serving.batching import Batching
from osscl.serving.front import Front, request_id_of
from osscl.serving.limits import BodyMemory, Limits
from osscl.serving.metrics import CONTENT_TYPE, Metrics
from osscl.serving.models import machine_facts, model_facts
from osscl.serving.problems import JSON, RequestError, busy
from osscl.serving.requests import (
    Explaining,
    Question,
    ScoreQuery,
    as_file,
    check_once,
    check_type,
)
from osscl.serving.requests import (
    Query as Words,
)
from osscl.serving.windows import check_length
from osscl.serving.wording import wrong_words
from osscl.support.installed import version_of
from osscl.support.plurals import counted, verb

_CLIENT_IS_GONE = 499
# FastAPI tells OpenTelemetry of requests where an environment has that, bodies that fail included; releases
# that know no such thing keep what they are given beside it
_NOTHING_TOLD: Any = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}


class Service:
    """What all routes share: the model, its queue, the limits and the counters.

    Parameters
    ----------
    detector : Detector
        The model.
    limits : Limits
        What requests may cost.

    Attributes
    ----------
    detector : Detector
        As above.
    limits : Limits
        As above.
    metrics : Metrics
        What is counted.
    memory : BodyMemory
        Bytes of bodies.
    batching : Batching
        What waits; there while the server runs.
    """

    batching: Batching

    def __init__(self, detector: Detector, limits: Limits) -> None:
        self.detector, self.limits = detector, limits
        self.metrics, self.memory = Metrics(), BodyMemory(limits)
        self.metrics.watch("osscl_waiting", "Recordings that wait.", lambda: self.batching.n_waiting)
        self.metrics.watch("osscl_body_bytes", "Bytes of bodies in memory.", lambda: self.memory.held)

    @asynccontextmanager
    async def running(self, _: FastAPI) -> AsyncIterator[None]:
        """Score while the server runs; what waits at its end is answered."""
        self._reads_numbers = asyncio.Semaphore(1)
        self.batching = Batching(self.detector, self.limits.max_waiting, self.metrics.count_batch)
        try:
            yield
        finally:
            await asyncio.to_thread(self.batching.close)

    @property
    def unready(self) -> str | None:
        """Why requests should go elsewhere; None where they are welcome."""
        if self.batching.trouble is not None:
            return f"the last recordings could not be scored: {self.batching.trouble}"
        if self.batching.is_full:
            n_waiting = self.batching.n_waiting
            return f"{counted(n_waiting, 'recording')} {verb(n_waiting, 'waits', 'wait')}, as many as may"
        return None

    async def answer(
        self, request: Request, words: Words, explaining: Explaining, hop_s: float | None = None
    ) -> Response:
        """Read a recording, have it scored, and give the answer."""
        check_once(request.query_params.multi_items())
        try:
            check_machine(words.machine, self.detector.machines)
        except MachineError as error:
            raise RequestError(404, error.status, str(error)) from error
        fit, kind = words.fit(), check_type(request.headers, words)
        self.batching.check_room()  # before its body is read for nothing
        body = await self.memory.read(request.stream(), request.headers.get("content-length"))
        try:
            content = await self._made_a_file(kind, body, words)
            question = Question(
                request_id_of(request.scope), content, words.name, words.machine, fit, explaining, hop_s
            )
            if hop_s is not None:
                await asyncio.to_thread(check_length, self.detector, question, self.limits.max_windows)
            answered = await self._answered(request, question)
        finally:
            self.memory.release(len(body))
        self.metrics.count_record(answered.record)
        return Response(answered.body, media_type=JSON)

    async def _made_a_file(self, kind: str, body: bytes, words: Words) -> bytes:
        if kind != "samples":
            return as_file(kind, body, words)
        async with self._reads_numbers:  # as text they are long, and as a list longer: one body at a time
            return await asyncio.to_thread(as_file, kind, body, words)

    async def _answered(self, request: Request, question: Question) -> Answered:
        """Wait for an answer, as long as somebody wants it and the limit allows."""
        job = self.batching.ask(question)
        # all of the body was read: nothing but the end can come
        gone = asyncio.ensure_future(request.receive())
        try:
            await asyncio.wait(
                (job.answered, gone),
                timeout=self.limits.answer_timeout_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if job.answered.done():
                return job.answered.result()
            if gone.done():
                raise ClientDisconnect
            raise busy(
                f"the recording was not scored within {self.limits.answer_timeout_s:g} s (--timeout); "
                "send it again in a moment"
            )
        except RequestError as problem:
            if "status" in problem.facts:
                self.metrics.count_unscored(problem.facts["status"])
            raise
        finally:
            job.is_dropped = True
            gone.cancel()


def make_app(service: Service, front: Callable[[Any, Metrics], Front]) -> Front:
    """Make the application.

    Parameters
    ----------
    service : Service
        What the routes share.
    front : callable
        Makes what stands before them.

    Returns
    -------
    Front
        For an ASGI server.
    """
    app = FastAPI(
        title="osscl serve",
        version=version_of("osscl") or "",
        description=descriptions.SERVER,
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # its answer is empty
        lifespan=service.running,
        separate_input_output_schemas=False,
        telemetry=_NOTHING_TOLD,
    )
    _add_scoring(app, service)
    _add_facts(app, service)
    page.add_to(app)
    app.add_exception_handler(RequestError, _tell)  # type: ignore[arg-type]
    app.add_exception_handler(OssclError, _tell_failure)  # type: ignore[arg-type]
    app.add_exception_handler(Exception, _tell_flaw)
    app.add_exception_handler(RequestValidationError, _tell_wrong_query)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _tell_wrong_place)  # type: ignore[arg-type]
    app.add_exception_handler(ClientDisconnect, _tell_nobody)  # type: ignore[arg-type]
    descriptions.complete(app)
    return front(app, service.metrics)


def _add_scoring(app: FastAPI, service: Service) -> None:
    @app.post("/v1/score", **descriptions.SCORE)
    async def score(request: Request, words: Annotated[ScoreQuery, Query()]) -> Response:
        """Score a recording against the machine that it claims to be."""
        return await service.answer(request, words, "flagged" if words.explain else "never", words.hop_s)

    @app.post("/v1/explain", **descriptions.EXPLAIN)
    async def explain(request: Request, words: Annotated[Words, Query()]) -> Response:
        """Score a recording, and say what is heard in it beyond the machine's normal ones."""
        return await service.answer(request, words, "always")


def _add_facts(app: FastAPI, service: Service) -> None:
    @app.get("/v1/model", **descriptions.MODEL)
    async def model() -> Response:
        """Say which model answers, on what, and within which limits."""
        return _json(model_facts(service.detector, service.limits))

    @app.get("/v1/machines", **descriptions.MACHINES)
    async def machines() -> Response:
        """Say which machines are known, and how each is decided."""
        # the first time each machine's memory is made: not in the thread that serves everybody
        return _json(await asyncio.to_thread(machine_facts, service.detector))

    @app.get("/health", **descriptions.HEALTH)
    async def health() -> Response:
        """Say that the server is alive."""
        return _json({"status": "ok"})

    @app.get("/ready", **descriptions.READY)
    async def ready() -> Response:
        """Say whether requests are welcome."""
        if (reason := service.unready) is not None:
            raise busy(reason)
        return _json({"status": "ok"})

    @app.get("/metrics", **descriptions.METRICS)
    async def metrics() -> Response:
        """Tell what was counted, as Prometheus reads it."""
        return Response(service.metrics.exposition(), media_type=CONTENT_TYPE)


def _json(document: Any, code: int = 200) -> Response:
    return Response(msgspec.json.encode(document), code, media_type=JSON)


async def _tell(request: Request, problem: RequestError) -> Response:
    return Response(
        problem.body(request_id_of(request.scope)), problem.code, problem.headers, media_type=JSON
    )


async def _tell_failure(request: Request, error: OssclError) -> Response:
    return await _tell(request, RequestError(500, "failed", str(error)))


async def _tell_flaw(request: Request, error: Exception) -> Response:
    reason = f"an error of the server itself, {type(error).__name__}; its log on stderr says where"
    return await _tell(request, RequestError(500, "failed", reason))


async def _tell_wrong_query(request: Request, error: RequestValidationError) -> Response:
    reason = wrong_words(
        error.errors(), (ScoreQuery if request.scope["path"] == "/v1/score" else Words).model_fields
    )
    return await _tell(request, RequestError(400, "wrong_request", reason))


async def _tell_wrong_place(request: Request, error: HTTPException) -> Response:
    path = request.scope["path"]
    if error.status_code == 405:
        reason = f"{request.method} is not answered at {path}; /openapi.json lists what is"
        return await _tell(request, RequestError(405, "wrong_request", reason, error.headers))
    return await _tell(
        request,
        RequestError(error.status_code, "not_found", f"nothing is at {path}; /openapi.json lists what is"),
    )


async def _tell_nobody(request: Request, error: ClientDisconnect) -> Response:
    return Response(status_code=_CLIENT_IS_GONE)
