"""Where Ray runs: a cluster by its address, or processes of this machine that end with the run."""

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from osscl.distributed.native_lines import without_native_lines
from osscl.distributed.ray_package import import_ray
from osscl.errors import ConfigError, DistributedError
from osscl.support.paths import brief
from osscl.support.threads import usable_cpus

ADDRESS_VARIABLE = "RAY_ADDRESS"
_ANSWERS_WITHIN_S = 10
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_SETTINGS = 4
_EMPTY_SETTINGS = bytes([0, 0, 0, _SETTINGS, 0, 0, 0, 0, 0])
_OBJECT_STORE_BYTES = 256 << 20  # batches are names and lines
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Node:
    """What one machine of a cluster has for workers."""

    cpus: int
    gpus: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """A Ray that answers.

    Attributes
    ----------
    ray : module
        The package.
    where : str
        Its address; "this machine" where it was started for this run.
    nodes : tuple of Node
        Its machines.
    """

    ray: Any
    where: str
    nodes: tuple[Node, ...]


def chosen_address(address: str | None) -> str | None:
    """Tell which Ray is asked for.

    Parameters
    ----------
    address : str or None
        HOST:PORT, or "auto" for the one that runs on this machine.

    Returns
    -------
    str or None
        That, or what the variable ``RAY_ADDRESS`` says, which Ray sets for its jobs; None for a Ray of our
        own.

    Raises
    ------
    ConfigError
        It is neither.
    """
    told = "--address" if address is not None else ADDRESS_VARIABLE
    chosen = address if address is not None else os.environ.get(ADDRESS_VARIABLE) or None
    if chosen in (None, "auto"):
        return chosen
    if chosen == "local":
        return None
    host, colon, port = chosen.rpartition(":")
    if not (colon and host and "/" not in chosen and port.isascii() and port.isdecimal()):
        raise ConfigError(
            f"{told} is '{chosen}'; expected HOST:PORT of a Ray cluster's head, such as 10.0.0.1:6379, or "
            "auto; run the command on a machine of the cluster (ray job submit)"
        )
    if not 0 < int(port) < 65536:
        raise ConfigError(f"{told} is '{chosen}'; expected a port from 1 to 65535")
    return chosen


@contextmanager
def connected(address: str | None) -> Iterator[Cluster]:
    """Connect to a cluster, or start processes here; at the end they are let go, and none of ours is left.

    Parameters
    ----------
    address : str or None
        As `chosen_address` gives it.

    Yields
    ------
    Cluster
        What answers.

    Raises
    ------
    DistributedError
        Nothing answers there, or it is no Ray that this one can talk to.
    MissingExtraError
        Ray is not installed.
    """
    if address not in (None, "auto"):
        _check_answers(address)
    ray = import_ray(is_own=address is None)
    with without_native_lines(), _begun(ray, address):
        where = "this machine" if address is None else ray.get_runtime_context().gcs_address
        yield Cluster(ray, where, tuple(_nodes(ray)))


@contextmanager
def _begun(ray: Any, address: str | None) -> Iterator[None]:
    try:
        _begin(ray, address)
        yield
    finally:
        with _own_signals():
            ray.shutdown()


def _begin(ray: Any, address: str | None) -> None:
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    where: dict[str, Any] = {"address": address}
    if address is None:
        where = {
            "address": "local",
            "num_cpus": usable_cpus(),
            "include_dashboard": False,
            "object_store_memory": _OBJECT_STORE_BYTES,
            "_system_config": {"worker_niceness": 0},  # 15 by default: others on the machine would go first
        }
    was_asked_to_end = False
    with _own_signals():
        try:
            ray.init(**where, **quiet)
        except Exception as error:  # Ray raises no class of its own where a part of it starts too slowly
            raise DistributedError(_no_ray(address, error)) from error
        except SystemExit:  # Ray's own answer to SIGTERM
            was_asked_to_end = True
    if was_asked_to_end:
        signal.raise_signal(signal.SIGTERM)  # to whom it was meant for


def _nodes(ray: Any) -> Iterator[Node]:
    for node in ray.nodes():
        if node["Alive"]:
            resources = node["Resources"]
            yield Node(int(resources.get("CPU", 0)), int(resources.get("GPU", 0)))


def _check_answers(address: str) -> None:
    """Ask whether something speaks there as Ray does, since Ray itself would ask for minutes."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), _ANSWERS_WITHIN_S) as connection:
            speaks = "RAY_USE_TLS" in os.environ or _speaks_http_2(connection)
    except OSError as error:
        late = f"no answer in {_ANSWERS_WITHIN_S} s"
        reason = late if isinstance(error, TimeoutError) else error.strerror or str(error)
    else:
        if speaks:
            return
        reason = "what listens there is no Ray"
    raise DistributedError(
        f"no Ray answers at {address} ({reason}): start one there (ray start, as the head, on port "
        f"{port}), or leave --address away to use this machine"
    )


def _speaks_http_2(connection: socket.socket) -> bool:
    """Whether the other side begins as gRPC does, which all of Ray speaks: RFC 9113, 3.4."""
    connection.sendall(_PREFACE + _EMPTY_SETTINGS)
    head = b""
    while len(head) < len(_EMPTY_SETTINGS):
        came = connection.recv(len(_EMPTY_SETTINGS) - len(head))
        if not came:
            return False
        head += came
    return head[3] == _SETTINGS


def _no_ray(address: str | None, error: Exception) -> str:
    reason = (
        brief(str(error).strip().partition("\n")[0].partition(". ")[0].rstrip(".")) or type(error).__name__
    )
    if address is None:
        return (
            f"Ray cannot be started on this machine: {reason}; try again when less runs here, or score "
            "without --runner"
        )
    return (
        f"the Ray at {address} does not take this process in: {reason}; is its version the same, and does "
        "it run whole (ray status)?"
    )


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep the handlers of signals that Ray would set its own for."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            with suppress(TypeError):  # one that was not set from Python
                signal.signal(number, handler)
