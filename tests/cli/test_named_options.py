"""Every option that a sentence of the package names is one that the reader of the sentence can use."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from conftest import REPOSITORY
from support.console_parameters import console

OPTION = re.compile(r"--[a-z][a-z0-9-]*")
PROGRAM = re.compile(r"osscl(?:-| )(?:engine )?[a-z]+")
SCORING = ("score", "evaluate", "compare", "embed", "bench")
READING = (*SCORING, "train", "export", "enroll")
GPU = (*SCORING, "engine build", "doctor")

COMMANDS_OF_ROOM = {
    "audio": READING,
    "audio/recorded_at.py": ("score",),
    "backends": (*SCORING, "engine build"),
    "bench": ("bench",),
    "cuda": GPU,
    "distributed": ("score",),
    "storage": ("score",),
    "enrolment": ("enroll",),
    "enrolment/both_scores.py": ("calibrate", "sensitivity"),
    "enrolment/calibrate_options.py": ("calibrate",),
    "enrolment/calibrating.py": ("calibrate",),
    "enrolment/dropped_limits.py": ("sensitivity",),
    "enrolment/calibration_clips.py": ("calibrate",),
    "evaluation/accuracy.py": ("bench", "export"),
    "evaluation/ground_truth.py": ("evaluate", "compare"),
    "evaluation/options.py": ("evaluate", "compare"),
    "evaluation/compared_tables.py": ("compare",),
    "evaluation": ("evaluate",),
    "explanation": ("explain", "score"),
    "health": ("doctor",),
    "live": ("watch",),
    "machines": ("score", "evaluate", "compare"),
    "health/recordings.py": ("enroll",),
    "machines/layout.py": ("enroll",),
    "machines/sets.py": ("score", "evaluate", "compare"),
    "model_file/manifest.py": ("score",),
    "model_file/unexported.py": ("train",),
    "page": ("report",),
    "commissioning": ("commission",),
    "monitoring": ("monitor",),
    "runs": ("score", "demo"),
    "runs/journal_state.py": ("journal",),
    "journal": ("score",),
    "scoring/judges.py": ("score",),
    "scoring/judge_making.py": ("score",),
    "sensitivity": ("sensitivity",),
    "serving": ("serve",),
    "synth": ("synth", "demo"),
    "triton": ("triton",),
    "training/background.py": ("export",),
    "training/checkpoint.py": ("train", "export"),
    "training": ("train",),
    "export": ("export",),
    "cli/advice.py": ("doctor", "enroll", "score"),
    "cli/bench.py": ("bench",),
    "cli/calibrate.py": ("calibrate",),
    "cli/commission.py": ("commission",),
    "cli/compare.py": ("compare",),
    "cli/data.py": ("data",),
    "cli/decide.py": ("decide",),
    "cli/demo.py": ("demo",),
    "cli/doctor.py": ("doctor",),
    "cli/embed.py": ("embed",),
    "cli/enroll.py": ("enroll",),
    "cli/evaluate.py": ("evaluate",),
    "cli/evaluated.py": ("evaluate",),
    "cli/explain.py": ("explain",),
    "cli/export.py": ("export",),
    "cli/inspect.py": ("inspect",),
    "cli/journal.py": ("journal",),
    "cli/journaled.py": ("score",),
    "cli/unjournaled.py": ("score",),
    "cli/next_command.py": ("export",),
    "cli/report.py": ("report",),
    "cli/monitor.py": ("monitor",),
    "cli/recordings_lines.py": ("doctor",),
    "cli/places.py": ("score",),
    "cli/score.py": ("score",),
    "cli/runner_options.py": ("score",),
    "cli/score_by_ray.py": ("score",),
    "cli/score_said.py": ("score",),
    "cli/scored.py": ("evaluate", "compare"),
    "cli/serve.py": ("serve",),
    "cli/sensitivity.py": ("sensitivity",),
    "cli/synth.py": ("synth",),
    "cli/recipe_options.py": ("train",),
    "cli/train.py": ("train",),
    "cli/training_folders.py": ("train",),
    "cli/training_limit.py": ("train",),
    "cli/training_result.py": ("train",),
    "cli/training_said.py": ("train",),
    "cli/triton.py": ("triton",),
    "cli/watch.py": ("watch",),
}
"""Which commands print what stands there; the longest name that fits counts."""

OF_SEVERAL = (
    "cli/naming_options.py",
    "cli/options.py",
    "cli/engine.py",
    "cli/everywhere.py",
    "cli/log_file.py",
    "cli/places.py",
    "cli/program.py",
    "cli/running.py",
    "support/outputs.py",
)
"""Where options of several commands are declared."""

OF_OTHER_PROGRAMS = {
    ("support", "--force-reinstall"): "pip install",
    ("support", "--ignore-installed"): "pip install",
    ("support", "--no-deps"): "pip install",
    ("audio", "--ignore-length"): "sox",
    ("cli", "--data-binary"): "curl",
    ("cli", "--model-repository"): "tritonserver",
    ("distributed", "--head"): "ray start",
    ("distributed", "--port"): "ray start",
    ("serving", "--data-binary"): "curl",
    ("training", "--always"): "git describe",
    ("training", "--dirty"): "git describe",
    ("training", "--abbrev"): "git describe",
    ("training", "--exclude"): "git describe",
}


class Named(NamedTuple):
    """An option that a string of the package names, and the commands that must have it."""

    place: str
    option: str
    commands: tuple[str, ...]


@cache
def options_of_commands() -> dict[str, set[str]]:
    """All options of each command, by its words."""
    found: dict[str, set[str]] = {}

    def walk(command: Any, words: tuple[str, ...]) -> None:
        options = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
        found[" ".join(words)] = options | {"--help"}
        for name, below in getattr(command, "commands", {}).items():
            walk(below, (*words, name))

    walk(console(), ())
    return found


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """Texts of a source file but its docstrings, those with values in them as one."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    passed_over: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            passed_over.add(node.value)
        if node in passed_over:
            continue
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
            passed_over.update(part for part in node.values if isinstance(part, ast.Constant))
            yield node.lineno, "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def options_named_in(text: str, printed_by: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each option with the command that its line names before it, or else all that print the text."""
    for line in text.splitlines():
        programs = [
            (match.start(), match.group().replace("osscl-export", "osscl export").removeprefix("osscl "))
            for match in PROGRAM.finditer(line)
        ]
        for match in OPTION.finditer(line):
            before = [
                name for start, name in programs if start < match.start() and name in options_of_commands()
            ]
            yield match.group(), (before[-1],) if before else printed_by


def all_named() -> Iterator[Named]:
    for root, prefix in ((REPOSITORY / "python" / "osscl", ""), (REPOSITORY / "export", "export/")):
        for path in sorted(root.rglob("*.py")):
            place = prefix + path.relative_to(root).as_posix()
            rooms = [room for room in COMMANDS_OF_ROOM if place == room or place.startswith(f"{room}/")]
            commands = COMMANDS_OF_ROOM[max(rooms, key=len)] if rooms else ()
            for line, text in strings(path):
                for option, needed in options_named_in(text, commands):
                    if (place.partition("/")[0], option) not in OF_OTHER_PROGRAMS:
                        yield Named(f"{place}:{line}", option, needed)


def test_the_search_finds_what_is_there() -> None:
    found = list(all_named())
    assert len(found) > 100
    assert any(each.option == "--resample" and each.place.startswith("audio/fitting.py") for each in found)
    text = "in a score of {}; osscl synth --seed 3, or --gate; osscl-export --margin\nuse --pad"
    assert list(options_named_in(text, ("bench",))) == [
        ("--seed", ("synth",)),
        ("--gate", ("synth",)),
        ("--margin", ("export",)),
        ("--pad", ("bench",)),
    ]


def test_every_option_that_is_named_can_be_used() -> None:
    options = options_of_commands()
    unusable = [
        f"{named.place}: {named.option} is no option of osscl {command}"
        for named in all_named()
        for command in named.commands
        if named.option not in options[command]
    ]
    assert unusable == []


@pytest.mark.parametrize("place", OF_SEVERAL)
def test_what_several_commands_share_is_declared_there(place: str) -> None:
    """These rooms belong to no one command: what they name is an option that some command has."""
    everywhere = set().union(*options_of_commands().values())
    named = {each.option for each in all_named() if each.place.startswith(f"{place}:")}
    assert named <= everywhere


def test_no_other_room_names_options() -> None:
    homeless = {each.place for each in all_named() if not each.commands}
    assert {place for place in homeless if not place.startswith(OF_SEVERAL)} == set()
