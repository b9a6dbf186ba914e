"""What a rerun consists of: commands of osscl, each with the file that says that it is done."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from osscl.machines.sets import public_set

YEARS = range(2020, 2026)


class Settings(NamedTuple):
    """What the figures depend on, beside the data; a rerun goes on with the same alone."""

    year: int
    data: str
    seeds: tuple[int, ...]
    config: str | None
    training: tuple[str, ...]
    """Further options of ``osscl train``."""
    device: str | None
    rehearsal: bool = False
    """Whether the data are made up."""


class Step(NamedTuple):
    """One command of osscl."""

    command: tuple[str, ...]
    done: Path
    """Written last by it, whole or not at all."""


def steps(settings: Settings, output: Path) -> Iterator[Step]:
    """All commands of a rerun, those that are done too."""
    fit = tuple((public_set(f"dcase{settings.year}").options or "").split())
    device = () if settings.device is None else ("--device", settings.device)
    config = () if settings.config is None else ("--config", settings.config)
    for seed in settings.seeds:
        folder = output / f"seed_{seed}"
        run, model, report = folder / "run", folder / "model.onnx", folder / EVALUATION
        resume = ("--resume",) if (run / "last.safetensors").exists() else ()
        train = ("train", settings.data, "--output", str(run), "--seeds", str(seed), *config)
        yield Step((*train, *fit, *device, *settings.training, *resume), run / "summary.json")
        yield Step(("export", str(run / "best.safetensors"), "--output", str(model)), model)
        evaluate = ("evaluate", str(model), str(tested(settings.data)), "--challenge", str(settings.year))
        yield Step((*evaluate, *fit, *device, "--output", str(report)), report)


EVALUATION = "evaluation.json"
"""Report of a seed, in its folder."""


def tested(data: str) -> Path:
    """Folder with the labelled test clips: that of the development set, where the set is divided."""
    development = Path(data) / "dev_data"
    return development if development.is_dir() else Path(data)


def reports(settings: Settings, output: Path) -> Sequence[Path]:
    """Where the evaluations of all seeds lie."""
    return [output / f"seed_{seed}" / EVALUATION for seed in settings.seeds]
