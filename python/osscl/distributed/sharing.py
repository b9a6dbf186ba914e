"""How the processors and GPUs of a cluster are shared out among workers."""

from collections.abc import Sequence
from dataclasses import dataclass

from osscl.backends import ComputeOptions
from osscl.distributed.ray_cluster import Node
from osscl.errors import BackendError, ConfigError
from osscl.support.counts import checked_count
from osscl.support.plurals import counted, plural

MAX_WORKERS = 100_000
BATCH_OF_CPU, BATCH_OF_GPU = 32, 256


@dataclass(frozen=True, slots=True)
class Share:
    """What workers get.

    Attributes
    ----------
    workers : int
        Processes that score.
    threads : int
        Processors of each.
    gpus : int
        GPUs of each, 0 or 1.
    """

    workers: int
    threads: int
    gpus: int

    @property
    def batch(self) -> int:
        """Recordings that a worker gets at once."""
        return BATCH_OF_GPU if self.gpus else BATCH_OF_CPU


def shared(nodes: Sequence[Node], workers: int | None, compute: ComputeOptions) -> Share:
    """Share out what the machines have: no more threads than processors, one worker a GPU.

    Parameters
    ----------
    nodes : sequence of Node
        The machines.
    workers : int or None
        How many processes shall score; None for as many as there are GPUs, or else processors.
    compute : ComputeOptions
        On what they compute, and with how many threads each.

    Returns
    -------
    Share
        What each gets.

    Raises
    ------
    ConfigError
        The machines have less than is asked for.
    BackendError
        A device is named that a worker has no say in.
    """
    if workers is not None:
        workers = checked_count("--workers", workers, MAX_WORKERS)
    if compute.device not in ("auto", "cpu", "cuda"):
        raise BackendError(
            f"--device is '{compute.device}', and each worker of Ray gets a GPU of its own: --device cuda"
        )
    n_gpus = sum(node.gpus for node in nodes)
    if compute.device == "cuda" and not n_gpus:
        raise BackendError("--device is 'cuda', and Ray knows of no GPU; take --device cpu")
    gpus = int(compute.device == "cuda" or (compute.device == "auto" and n_gpus > 0))
    wanted = workers or (n_gpus if gpus else _slots(nodes, compute.threads or 1, 0))
    threads = compute.threads or _most_threads(nodes, wanted, gpus)
    if not wanted or _slots(nodes, threads, gpus) < wanted:
        raise ConfigError(_too_many(nodes, wanted, threads, gpus))
    return Share(wanted, threads, gpus)


def _slots(nodes: Sequence[Node], threads: int, gpus: int) -> int:
    """How many workers of so many threads find a place."""
    return sum(min(node.cpus // threads, node.gpus if gpus else node.cpus) for node in nodes)


def _most_threads(nodes: Sequence[Node], workers: int, gpus: int) -> int:
    """With how many threads each so many workers find a place; 1 where they find none."""
    most = max((node.cpus for node in nodes), default=1)
    return next((n for n in range(most, 1, -1) if _slots(nodes, n, gpus) >= workers), 1)


def _too_many(nodes: Sequence[Node], workers: int, threads: int, gpus: int) -> str:
    cpus, n_gpus = sum(node.cpus for node in nodes), sum(node.gpus for node in nodes)
    each = f"{threads} {plural(threads, 'processor')}{' and a GPU' if gpus else ''}"
    has = f"{cpus} {plural(cpus, 'processor')}{f' and {n_gpus} GPUs' if gpus else ''}"
    on = f" on {counted(len(nodes), 'machine')}" if len(nodes) > 1 else ""
    return (
        f"{workers} {plural(workers, 'worker')} of {each} each find no place: Ray has {has}{on}; ask for "
        "fewer by --workers or --threads"
    )
