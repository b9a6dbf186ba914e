"""Options that commands share: made once, the same everywhere."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from osscl.audio.reading import Fit
from osscl.backends import ComputeOptions
from osscl.cli import bench, embed, evaluate, export, score, train
from osscl.cli.options import takes_shared_options
from osscl.errors import ConfigError
from osscl.machines.labels import MachineNames

COMPUTE = ("device", "backend", "threads", "streams", "batch_size", "engine_cache")
FIT = ("resample", "channel", "pad")
NAMES = ("machine", "labels", "machine_pattern")
DECIDE = ("rule", "false_alarm_rate")


@pytest.mark.parametrize(
    ("command", "groups"),
    [
        (bench.bench, (COMPUTE, FIT)),
        (evaluate.evaluate, (COMPUTE, FIT, NAMES)),
        (embed.embed, (FIT, COMPUTE)),
        (export.export, (FIT,)),
        (score.score, (COMPUTE, FIT, NAMES, DECIDE)),
        (train.train, (FIT,)),
    ],
)
def test_commands_have_all_options_of_a_group(
    command: Callable[..., Any], groups: tuple[tuple[str, ...], ...]
) -> None:
    names = list(inspect.signature(command).parameters)
    for group in groups:
        assert [name for name in names if name in group] == list(group)
    assert not {"compute", "fit", "names"} & set(names)


def test_a_command_gets_one_object_of_each_group() -> None:
    taken: list[Any] = []

    @takes_shared_options()
    def command(first: int, compute: ComputeOptions, fit: Fit, names: MachineNames, last: int = 0) -> None:
        taken.append((first, compute, fit, names, last))

    given = dict.fromkeys((*COMPUTE, *FIT, *NAMES)) | {"device": "cpu", "threads": 2}
    command(
        first=1, last=2, **given | {"resample": False, "channel": "3", "pad": "zero", "machine": "fan/id_00"}
    )
    fit, names = Fit(channel=3, pad="zero"), MachineNames("fan/id_00")
    assert taken == [(1, ComputeOptions("cpu", threads=2), fit, names, 2)]


def test_a_word_that_is_no_channel_is_refused() -> None:
    with pytest.raises(ConfigError, match="--channel is 'left'; expected a number from 0, or 'mean'"):
        export.export(resample=False, channel="left", pad=None)
