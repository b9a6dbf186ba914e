"""Folders and recipes of the trainings of one command: one a seed, begun or new."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from osscl.training.config_file import read_config
from osscl.training.resuming import refuse_early
from osscl.training.run_files import holds_training, refuse_used

if TYPE_CHECKING:
    from osscl.training import TrainConfig


class Asked(NamedTuple):
    """A recipe as it was asked for, and whether begun trainings go on, with the epochs planned then."""

    config: Path | None
    changes: dict[str, Any]
    resume: bool
    is_planned: bool


class Trainings(NamedTuple):
    """Trainings of one network: the recipe of each folder, and the folders that are gone on with."""

    recipes: "dict[Path, TrainConfig]"
    begun: list[Path]


def trainings_in(output: Path, seeds: str | None, asked: Asked, *, of_several: bool = False) -> Trainings:
    """Find the trainings of one network; of several, those that had not begun need nothing to resume."""
    runs = folders_of(output, seeds)
    begun = begun_in(runs, of_several=of_several) if asked.resume else []
    return Trainings(recipes_of(runs, asked.config, asked.changes, begun, is_planned=asked.is_planned), begun)


def refuse_to_resume(output: Path, seeds: str | None, asked: Asked) -> None:
    """Refuse trainings that cannot go on as it is asked for now, before torch takes its seconds."""
    runs = folders_of(output, seeds)
    for folder in begun_in(runs):
        refuse_early(folder, asked.config, asked.changes | runs[folder], epochs_are_planned=asked.is_planned)


def refuse_used_folders(output: Path, seeds: str | None) -> None:
    """Refuse folders in which new trainings of a network would replace what earlier ones left."""
    for folder in (*folders_of(output, seeds), output):
        refuse_used(folder)


def folders_of(output: Path, seeds: str | None) -> dict[Path, dict[str, int]]:
    """Folder of each training, and the seed where one was named."""
    if seeds is None:
        return {output: {}}
    words = seeds.split(",")
    if not all(word.strip().isdecimal() for word in words) or len(set(map(int, words))) < len(words):
        raise typer.BadParameter(f"--seeds is '{seeds}'; expected different whole numbers, such as 0,1,2")
    if len(words) == 1:
        return {output: {"seed": int(seeds)}}
    return {output / f"seed_{int(word)}": {"seed": int(word)} for word in words}


def begun_in(runs: dict[Path, dict[str, int]], *, of_several: bool = False) -> list[Path]:
    """Folders to resume in; of several trainings, those that had not begun have nothing to resume."""
    return [folder for folder in runs if holds_training(folder) or (len(runs) == 1 and not of_several)]


def recipes_of(
    runs: dict[Path, dict[str, int]],
    config: Path | None,
    changes: dict[str, Any],
    begun: list[Path],
    *,
    is_planned: bool = False,
) -> "dict[Path, TrainConfig]":
    """Recipe of each training, the same but for the seed: where one has begun, it is that one's.

    Where epochs are planned, a training that has begun keeps those that were planned then.
    """
    from msgspec.structs import asdict, replace

    from osscl.training.runs import stored_config

    for folder in runs:
        if folder not in begun:
            refuse_used(folder)  # before all recordings are read
    if not begun:
        return {folder: read_config(config, changes | seed) for folder, seed in runs.items()}
    first = stored_config(begun[0], config, changes | runs[begun[0]], epochs_are_planned=is_planned)
    recipes = {folder: replace(first, **seed) for folder, seed in runs.items()}
    for folder in begun[1:]:
        stored_config(folder, None, asdict(recipes[folder]))  # refused before the first one takes its hours
    return recipes
