"""``osscl serve``: a model behind HTTP."""

import logging
import signal
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from osscl.backends import DEFAULT_OPTIONS, ComputeOptions
from osscl.cli import signals
from osscl.cli.console import BuildProgress
from osscl.cli.messages import say
from osscl.cli.options import BY_DEFAULT, DecisionOptions, takes_shared_options
from osscl.cli.places import ModelFile
from osscl.detector import Detector
from osscl.support.failed_import import needing
from osscl.support.paths import printable
from osscl.support.plurals import counted

EXAMPLES = """[bold]Examples[/bold]\n
  osscl serve demo\n
  osscl serve enrolled.onnx --port 9000 --false-alarm-rate 0.01\n
  osscl serve model.onnx --host 0.0.0.0 --token-file /run/secrets/osscl-token\n
  curl -H 'Content-Type: audio/wav' --data-binary @tonight.wav 'localhost:8080/v1/score?machine=pump/id_02'\n
\n
Exit code: 0 after SIGTERM, with all that was in work answered; 1 failed, 2 wrong usage, 130 after Ctrl-C.
"""


@takes_shared_options()
def serve(
    model: ModelFile,
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen at; one that other machines reach needs a token.", metavar="ADDRESS"
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="Port to listen at; 0 takes a free one.", min=0, max=65535)
    ] = 8080,
    token_file: Annotated[
        Path | None,
        typer.Option(
            help="File with the token that requests must carry; by default OSSCL_SERVE_TOKEN holds it, if "
            "set.",
            metavar="FILE",
        ),
    ] = None,
    max_bytes: Annotated[int, typer.Option(help="Bytes in the body of a request at most.")] = 16 << 20,
    max_waiting: Annotated[
        int, typer.Option(help="Recordings that may wait; more are told to come again.")
    ] = 128,
    max_windows: Annotated[
        int, typer.Option(help="Windows that one recording may be cut into (hop_s in the query).")
    ] = 360,
    max_connections: Annotated[int, typer.Option(help="Connections that may be open.")] = 256,
    read_timeout: Annotated[
        float, typer.Option(help="Seconds within which a request must have come.", metavar="SECONDS")
    ] = 10.0,
    timeout: Annotated[
        float, typer.Option(help="Seconds within which a recording must be scored.", metavar="SECONDS")
    ] = 60.0,
    access_log: Annotated[
        bool, typer.Option("--access-log", help="A line on stderr for each request.")
    ] = False,
    decide: DecisionOptions = BY_DEFAULT,
    compute: ComputeOptions = DEFAULT_OPTIONS,
) -> None:
    """Answer requests by HTTP: a recording posted, its score, decision and explanation back; a page at /."""
    with needing("osscl serve", "serve"):
        from osscl.serving.access import Access, check_reachable, find_token, is_open_to_all
        from osscl.serving.limits import Limits
        from osscl.serving.server import Server, address_of, listen_at
    limits = Limits(max_bytes, max_waiting, max_windows, max_connections, read_timeout, timeout)
    token = find_token(token_file)
    if token_file is not None and is_open_to_all(token_file):
        place = printable(token_file)
        say(f"{place}: every user of this machine can read the token; chmod 600 {place} keeps it from them")
    check_reachable(host, token)
    if access_log:
        _log_requests()
    listening = listen_at(host, port)
    with listening, BuildProgress() as building:
        detector = Detector(model, replace(compute, on_build=building.show_phase), **decide._asdict())
        with detector:
            where = address_of(listening)
            access = Access(token, host)
            server = Server(detector, listening, access, limits, lambda: _say_ready(detector, where))
            if signals.is_asked():  # raised, and lost: modules in C that are loading do that
                raise KeyboardInterrupt
            stopped = server.run()
    say("stopped; what was in work is " + ("answered" if stopped.is_finished else "lost"))
    if stopped.by == signal.SIGINT:
        raise typer.Exit(128 + signal.SIGINT)


def _say_ready(detector: Detector, where: str) -> None:
    """Say where to ask, and of which machines nothing will be decided."""
    say(f"{counted(len(detector.machines), 'machine')} at {where} (Ctrl-C ends)")
    for warning in detector.judges.warnings():
        say(warning)


class _LinesToStderr(logging.Handler):
    """Log records as lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say one."""
        say(record.getMessage())


def _log_requests() -> None:
    log = logging.getLogger("osscl.serving.access")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(_LinesToStderr())
