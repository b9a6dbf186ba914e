"""Options that commands share: made once, the same everywhere."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from osscl.backends import ComputeOptions
from osscl.cli import bench, evaluate, score
from osscl.cli.options import takes_compute_options

SHARED = ("device", "backend", "threads", "streams", "batch_size", "engine_cache")


@pytest.mark.parametrize("command", [bench.bench, evaluate.evaluate, score.score])
def test_commands_that_compute_have_all_options_of_a_computation(command: Callable[..., Any]) -> None:
    names = list(inspect.signature(command).parameters)
    assert [name for name in names if name in SHARED] == list(SHARED)
    assert "compute" not in names


def test_a_command_gets_one_object_of_them() -> None:
    taken = []

    @takes_compute_options
    def command(first: int, compute: ComputeOptions, last: int = 0) -> None:
        taken.append((first, compute, last))

    command(first=1, last=2, **dict.fromkeys(SHARED) | {"device": "cpu", "threads": 2})
    assert taken == [(1, ComputeOptions("cpu", threads=2), 2)]
