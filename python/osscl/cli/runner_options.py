"""Who runs what is scored: this process, or workers of an engine."""

from typing import Annotated, NamedTuple

import typer

RAY = "ray"


class RunnerOptions(NamedTuple):
    """Who scores, where, and how many of them."""

    runner: str | None = None
    address: str | None = None
    workers: int | None = None


HERE = RunnerOptions()
"""This process scores."""


def runner_options(
    runner: Annotated[
        str | None,
        typer.Option(
            help="Score by workers of Ray, here or on a cluster, into a folder of Parquet parts: 'ray'.",
            metavar="ray",
        ),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(
            help="Head of a Ray cluster, or auto for the one that runs here; by default RAY_ADDRESS, or else "
            "workers that are started for this run.",
            metavar="HOST:PORT|auto",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(help="Workers of Ray; by default one a GPU, or else one a processor."),
    ] = None,
) -> RunnerOptions:
    """Make one object of them, or refuse them in a sentence."""
    if runner not in (None, RAY):
        raise typer.BadParameter(
            f"--runner is '{runner}'; expected ray, or no --runner to score in this process"
        )
    if runner is None:
        for name, value in (("--address", address), ("--workers", workers)):
            if value is not None:
                raise typer.BadParameter(f"{name} is of --runner ray; add that, or leave {name} away")
    return RunnerOptions(runner, address, workers)
