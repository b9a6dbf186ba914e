"""Processors and GPUs shared out among workers, no more than there are."""

import pytest

from osscl.backends import ComputeOptions
from osscl.distributed.ray_cluster import Node
from osscl.distributed.sharing import Share, shared
from osscl.errors import BackendError, ConfigError

TWO_CPUS = (Node(2, 0),)
FLEET = (Node(16, 2), Node(8, 0), Node(16, 2))


@pytest.mark.parametrize(
    ("nodes", "workers", "options", "share"),
    [
        (TWO_CPUS, None, {}, Share(2, 1, 0)),
        (TWO_CPUS, 1, {}, Share(1, 2, 0)),
        (TWO_CPUS, None, {"threads": 2}, Share(1, 2, 0)),
        ((Node(8, 0), Node(7, 0)), 4, {}, Share(4, 3, 0)),  # not 3.75, and none across two machines
        (FLEET, None, {}, Share(4, 8, 1)),
        (FLEET, None, {"device": "cuda", "threads": 2}, Share(4, 2, 1)),
        (FLEET, None, {"device": "cpu"}, Share(40, 1, 0)),
        (FLEET, 3, {}, Share(3, 8, 1)),
    ],
)
def test_each_worker_gets_its_share(
    nodes: tuple[Node, ...], workers: int | None, options: dict[str, object], share: Share
) -> None:
    assert shared(nodes, workers, ComputeOptions(**options)) == share  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("nodes", "workers", "options", "told"),
    [
        (TWO_CPUS, 3, {}, "3 workers of 1 processor each find no place: Ray has 2 processors; ask for fewer"),
        (TWO_CPUS, 2, {"threads": 2}, "2 workers of 2 processors each find no place"),
        (TWO_CPUS, None, {"threads": 4}, "of 4 processors each find no place: Ray has 2 processors"),
        (FLEET, 5, {}, "5 workers of 1 processor and a GPU each find no place: .* 4 GPUs on 3 machines"),
        (TWO_CPUS, 0, {}, "--workers is 0"),
    ],
)
def test_more_than_there_is_is_refused(
    nodes: tuple[Node, ...], workers: int | None, options: dict[str, object], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        shared(nodes, workers, ComputeOptions(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("device", "told"), [("cuda:1", "a GPU of its own: --device cuda"), ("cuda", "Ray knows of no GPU")]
)
def test_a_device_that_a_worker_cannot_have_is_refused(device: str, told: str) -> None:
    with pytest.raises(BackendError, match=told):
        shared(TWO_CPUS, None, ComputeOptions(device))
