"""Options that several commands share, each group made into one object: the same words everywhere."""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias

import typer

from osscl.audio.reading import Fit
from osscl.audio.recorded_at import RecordingTimes, parse_start
from osscl.backends import ComputeOptions
from osscl.cli.completion import one_of
from osscl.cli.naming_options import naming_options
from osscl.cli.recipe_options import recipe_options
from osscl.cli.runner_options import runner_options
from osscl.decisions.alarm_rates import LONGEST_WINDOW
from osscl.errors import ConfigError
from osscl.model_file.decisions import Rule
from osscl.scoring.judge_making import AUTO, DomainChoice
from osscl.storage.urls import Place
from osscl.support.durations import parse_duration

EngineFolder: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--engine-cache",
        help="Folder of TensorRT's engines; by default below OSSCL_CACHE_DIR or the user's cache.",
        metavar="FOLDER",
    ),
]

RequiredRate: TypeAlias = Annotated[
    float | None,
    typer.Option(
        help="Rate that every machine must be able to speak of; fails where recordings are missing for it.",
        metavar="RATE",
        show_default="none; 0.05 is decided at where it can be",
    ),
]
JsonLines: TypeAlias = Annotated[bool, typer.Option("--json", help="JSON Lines on stdout instead of CSV.")]
FailOnAnomaly: TypeAlias = Annotated[
    bool, typer.Option("--fail-on-anomaly", help="Exit with 4 where a clip was flagged.")
]


HopSeconds: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--hop",
        help="Cut long recordings into windows of 10 s, one beginning every SECONDS: 10 for side by side. "
        "Without it their first 10 s alone are taken.",
        metavar="SECONDS",
    ),
]


def refuse_two_outputs(output: Place | None, json: bool) -> None:
    """Refuse `ResultTable` and `JsonLines` together; raises `typer.BadParameter`."""
    if output is not None and json:
        raise typer.BadParameter(
            "--json writes to stdout; use --output with a name that ends in .jsonl instead"
        )


def window_of_alarm(text: str) -> tuple[int, int]:
    """Read when an alarm is raised, N/M; raises `typer.BadParameter`."""
    parts = text.split("/")
    if len(parts) != 2 or not all(part.isascii() and part.isdecimal() for part in parts):
        raise typer.BadParameter(f"--alarm is '{text}'; expected N/M, such as 3/5")
    n, m = int(parts[0]), int(parts[1])
    if not 1 <= n <= m <= LONGEST_WINDOW:
        raise typer.BadParameter(
            f"--alarm is '{text}'; expected N from 1 to M, and M at most {LONGEST_WINDOW}, such as 3/5"
        )
    return n, m


def _compute(
    device: Annotated[
        str, typer.Option(help="auto, cpu, cuda (the first GPU), cuda:1, cuda:0,1 or cuda:all.")
    ] = "auto",
    backend: Annotated[
        str | None,
        typer.Option(
            help="onnxruntime, openvino (CPU) or tensorrt (GPU); by default the first that knows the model's "
            "precision."
        ),
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Processors to use; by default all.")] = None,
    streams: Annotated[
        int | None,
        typer.Option(
            help="Batches computed side by side on the CPU, sharing the threads; by default one a thread."
        ),
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Clips computed at once; by default what suits the device.")
    ] = None,
    engine_cache: EngineFolder = None,
) -> ComputeOptions:
    return ComputeOptions(device, backend, threads, streams, batch_size, engine_cache)


def _fit(
    resample: Annotated[
        bool, typer.Option("--resample", help="Convert other sample rates to the model's.")
    ] = False,
    channel: Annotated[
        str | None,
        typer.Option(help="Channel to take of several, counted from 0, or 'mean' of all.", metavar="N|mean"),
    ] = None,
    pad: Annotated[
        str | None,
        typer.Option(
            help="Fill up short recordings: 'repeat' them or add 'zero's.",
            metavar="repeat|zero",
            autocompletion=one_of("repeat", "zero"),
        ),
    ] = None,
) -> Fit:
    return Fit(resample, _channel(channel), pad)  # type: ignore[arg-type]  # Fit itself checks the word


def _channel(text: str | None) -> int | Literal["mean"] | None:
    if text is None or text == "mean":
        return text  # type: ignore[return-value]
    if not text.isdecimal():
        raise ConfigError(f"--channel is '{text}'; expected a number from 0, or 'mean'")
    return int(text)


class DecisionOptions(NamedTuple):
    """Which score decides, how often normal clips may be called anomalous, and of which domain clips are."""

    rule: Rule | None = None
    false_alarm_rate: float | None = None
    domain: DomainChoice = AUTO


BY_DEFAULT = DecisionOptions()


FalseAlarmRate: TypeAlias = Annotated[
    float | None,
    typer.Option(
        help="Share of normal clips that may be called anomalous, such as 0.01; by default 0.05, or the "
        "smallest that a machine's normal recordings can speak of.",
        metavar="RATE",
    ),
]


DomainOfAll: TypeAlias = Annotated[
    str,
    typer.Option(
        help="Domain of all recordings, for machines enrolled by domain: source, target, unknown (scored by "
        "whichever memory is nearer), or auto (as names tell).",
        metavar="DOMAIN",
    ),
]


def _decisions(
    rule: Annotated[
        str | None,
        typer.Option(
            help="Which score decides: network, memory, both (the larger of two), or embedding (its distance "
            "from the normal ones); by default what the model file says of each machine.",
            metavar="RULE",
        ),
    ] = None,
    false_alarm_rate: FalseAlarmRate = None,
    domain: DomainOfAll = AUTO,
) -> DecisionOptions:
    return DecisionOptions(rule, false_alarm_rate, domain)  # type: ignore[arg-type]  # the detector checks both


def _times(
    start_time: Annotated[
        str | None,
        typer.Option(
            help="When the first file began, where neither its name nor its bext chunk tells: ISO 8601.",
            metavar="TIME",
        ),
    ] = None,
    every: Annotated[
        str | None,
        typer.Option(
            help="Time from the beginning of one file to that of the next, in their order: 10s, 5min, 1h; "
            "10 is 10 s.",
            metavar="TIME",
        ),
    ] = None,
    file_times: Annotated[
        bool,
        typer.Option(
            "--file-times", help="Take the date at which a file was last written, where nothing else tells."
        ),
    ] = False,
) -> RecordingTimes:
    return RecordingTimes(
        None if start_time is None else parse_start(start_time),
        None if every is None else parse_duration(every, "--every"),
        file_times,
    )


_GROUPS = {
    inspect.signature(make).return_annotation: make
    for make in (_compute, _fit, naming_options, _decisions, _times, recipe_options, runner_options)
}


def takes_shared_options(
    check: Callable[[dict[str, Any], bool], None] | None = None,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of each group that it takes as one parameter.

    typer makes the options of a command from the signature of its function, and knows no groups of them.

    Parameters
    ----------
    check : callable, optional
        Takes all that was given, and whether a shared option is among it; raises what is to be said before
        a group may refuse an option that the command has no use for.

    Returns
    -------
    callable
        Takes a command, which has parameters of the types `ComputeOptions`, `Fit` or `MachineNames`; gives
        one that has the options as parameters in their place, and calls the command with what they make.
    """
    return functools.partial(_taking_shared_options, check=check)


def _taking_shared_options(
    command: Callable[..., None], check: Callable[[dict[str, Any], bool], None] | None
) -> Callable[..., None]:
    groups: dict[str, Callable[..., Any]] = {}
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        if parameter.annotation in _GROUPS:
            groups[name] = _GROUPS[parameter.annotation]
            parameters += inspect.signature(groups[name]).parameters.values()
        else:
            parameters.append(parameter)

    @functools.wraps(command)
    def with_options(**given: Any) -> None:
        if check is not None:
            shared = [
                each for make in groups.values() for each in inspect.signature(make).parameters.values()
            ]
            check(given, any(given[each.name] != each.default for each in shared))
        made = {
            name: make(**{option: given.pop(option) for option in inspect.signature(make).parameters})
            for name, make in groups.items()
        }
        command(**given, **made)

    with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return with_options
