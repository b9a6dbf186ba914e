"""``osscl synth``: a folder of synthetic machine sounds, healthy and faulty."""

import collections
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from osscl.cli import signals
from osscl.cli.console import WorkProgress, as_json, print_facts
from osscl.cli.messages import emit, say_interrupted
from osscl.errors import ConfigError
from osscl.support.plurals import counted
from osscl.synth import MODES, DatasetPlan, dataset_record, write_dataset

EXAMPLES = """[bold]Examples[/bold]\n
  osscl synth gate --machines 12 --normal 500 --anomalous 500 --seed 7\n
  osscl synth training --train 960 --seed 1\n
  osscl synth unseen --ids 30-32 --train 360 --normal 600 --anomalous 600 --seed 5\n
  osscl synth events --ids 20-29 --faults event --normal 400 --anomalous 400\n
  osscl synth hard --hard --train 960 --normal 720 --anomalous 720 --seed 13\n
  osscl synth moved --second-site --machines 4 --train 400 --target 40 --normal 160 --anomalous 160\n
\n
The machines are the same for every seed, which varies their clips; synth.json tells which fault is where.\n
Exit code: 0 all written, 1 failed, 2 wrong usage; interrupted, and what was written is
whole: 130 by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP.
"""


def synth(
    output: Annotated[
        Path, typer.Argument(help="Folder to write, new or empty.", metavar="OUTPUT", readable=False)
    ],
    machines: Annotated[
        int | None, typer.Option(help="Number of machines, spread over the four types.", show_default="12")
    ] = None,
    ids: Annotated[
        str | None,
        typer.Option(
            help="The machines of each type with these IDs instead: 30-32, or 20,25.", metavar="IDS"
        ),
    ] = None,
    train: Annotated[int, typer.Option(help="Normal clips for training, all machines together.")] = 0,
    normal: Annotated[int, typer.Option(help="Normal clips for testing, all machines together.")] = 0,
    anomalous: Annotated[int, typer.Option(help="Anomalous clips for testing, all machines together.")] = 0,
    faults: Annotated[
        str | None,
        typer.Option(
            help="Faults of the anomalous clips, such as event,leak; by default all that a machine has.",
            metavar="NAME,NAME",
        ),
    ] = None,
    hard: Annotated[
        bool,
        typer.Option(
            "--hard",
            help="The hard set: faults 6 dB fainter, SNR -6 to 6 dB, two operating modes, further faults.",
        ),
    ] = False,
    second_site: Annotated[
        bool,
        typer.Option(
            "--second-site",
            help="Each machine at two sites, source and target: other load and speed, room, microphone and "
            "noise. Named as in DCASE 2023.",
        ),
    ] = False,
    target: Annotated[
        int | None,
        typer.Option(
            help="How many of the clips for training are of the second site, all machines together.",
            show_default="1 in 100",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the clips.")] = 0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Write into a folder that holds something already.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Summary as JSON.")] = False,
) -> None:
    """Write recordings of synthetic machines in the layout of DCASE: 10 s, 16 kHz, 16 bits."""
    plan = DatasetPlan(
        machines=machines,
        train=train,
        normal=normal,
        anomalous=anomalous,
        seed=seed,
        ids=() if ids is None else _numbers(ids),
        faults=() if faults is None else tuple(faults.split(",")),
        hard=hard,
        second_site=second_site,
        target=target,
    )
    n_clips_of: collections.Counter[str] = collections.Counter()
    n_written = 0
    try:
        with WorkProgress("clips", plan.n_clips) as progress:
            for clip in write_dataset(output, plan, overwrite=overwrite):
                n_written += 1
                if clip.fault is not None:
                    n_clips_of[clip.fault] += 1
                progress.advance()
    except KeyboardInterrupt:
        say_interrupted(f"interrupted after {n_written} of {counted(plan.n_clips, 'clip')} -> {output}")
        raise typer.Exit(signals.exit_code()) from None
    summary = {"output": str(output)} | dataset_record(plan) | {"faults": dict(sorted(n_clips_of.items()))}
    if json:
        emit(as_json(summary))
    else:
        print_facts(_facts(summary))


def _facts(summary: dict[str, Any]) -> dict[str, Any]:
    counts = summary["counts"]
    faults = ", ".join(f"{count} {name}" for name, count in summary["faults"].items())
    n_target = summary.get("target", 0)
    sites = f"source, target ({n_target} of the clips for training, half of those for testing)"
    return {
        "folder": summary["output"],
        "machines": f"{len(summary['machines'])}: {', '.join(summary['machines'])}",
        "train": f"{counted(counts['train'], 'normal clip')}",
        "test": f"{counts['normal']} normal and {counted(counts['anomalous'], 'anomalous clip')}",
        "faults": faults or "none",
        **({"sites": sites} if summary.get("second_site") else {}),
        **({"hard": "fainter faults, more noise, modes " + " and ".join(MODES)} if summary["hard"] else {}),
        "seed": f"{summary['seed']} ({summary['generator']})",
    }


def _numbers(ids: str) -> tuple[int, ...]:
    """Numbers of a list such as ``30-32`` or ``20,25``."""
    numbers: list[int] = []
    for part in ids.split(","):
        found = re.fullmatch(r"(\d{1,4})(?:-(\d{1,4}))?", part.strip(), re.ASCII)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if first > last:
            raise ConfigError(f"--ids is {ids!r}; expected numbers of IDs, such as 30-32 or 20,25")
        numbers += range(first, last + 1)
    return tuple(numbers)
