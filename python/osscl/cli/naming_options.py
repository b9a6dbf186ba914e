"""Options that say which machine recordings are of, and which are parts of one."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from osscl.cli.completion import machines
from osscl.machines.labels import MachineNames, check_one_way
from osscl.machines.pattern import MachinePattern

RecordingPattern: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Which clips are parts of one recording: a regular expression with one group, on the path; or "
        "folder. By default each clip is a recording of its own, where no data set's layout or table tells.",
        metavar="PATTERN|folder",
    ),
]
MachineOfAll: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Machine ID of all recordings, such as press/id_09. By default folders and file names say it.",
        autocompletion=machines,
    ),
]
LabelsOfAll: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--labels",
        help="CSV table with the columns path and machine, and perhaps label (normal or anomaly) and "
        "recording: names each recording's machine instead of folders and file names. Paths count from "
        "the table's folder and may be globs (north/**/press3_*.wav); a column file in place of path holds "
        "names.",
        metavar="TABLE",
    ),
]
PatternOfAll: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--machine-pattern",
        help="What finds the machine in a recording's path below the folder that is named, all of it: a "
        "template such as '{machine}_{time}' or '{machine}/{day}/{time}', or a regular expression "
        r"such as '(?P<machine>.+)_\d+\.wav'. Fields stand for a part of one name, {time} for a date and "
        "time.",
        metavar="PATTERN",
    ),
]


def naming_options(
    machine: Annotated[
        str | None,
        typer.Option(
            help="Machine ID of all files, such as fan/id_00. By default folder and file name say it, as in "
            "fan/test/normal_id_00_00000000.wav.",
            autocompletion=machines,
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="CSV table with the columns path and machine that names each file's; label and domain may "
            "stand in it as well. Paths count from the table's folder and may be globs "
            "(north/**/press3_*.wav); a column file in place of path holds names."
        ),
    ] = None,
    machine_pattern: PatternOfAll = None,
) -> MachineNames:
    """How machines are named, as it stands on the command line; raises `ConfigError`."""
    check_one_way(machine, labels, machine_pattern)
    if machine_pattern is not None:
        MachinePattern(machine_pattern)  # one that cannot be used is told at once
    return MachineNames(machine, labels, machine_pattern)
