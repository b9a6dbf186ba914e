"""What OpenVINO keeps for a whole process, and what that means for a forked child."""

import ctypes
import functools
import os
import threading
from typing import Any
from weakref import WeakSet

from osscl.backends.options import Streams
from osscl.errors import BackendError

# Held while a model is compiled, and while the process is forked: no child begins in the middle of it.
_opening = threading.RLock()
_alive: dict[Streams, WeakSet[Any]] = {}  # compiled models, by the threads that they have
_most: dict[Streams, int] = {}  # how many of them there were, or may have been, at once
_of_parent: WeakSet[Any] = WeakSet()  # what a forked child must not give back
_inherits_idle_threads = False


def compile_for_cpu(openvino: Any, model: bytes, streams: Streams, precision: str) -> Any:
    """Compile a graph for the CPU.

    Raises
    ------
    BackendError
        The process was forked when OpenVINO had threads of a closed model at hand.
    RuntimeError
        OpenVINO cannot load the graph.
    """
    settings = {
        "INFERENCE_PRECISION_HINT": precision,
        "NUM_STREAMS": streams.count,
        "INFERENCE_NUM_THREADS": streams.n_threads,
    }
    with _opening:
        if _inherits_idle_threads:
            raise BackendError(
                "a model was closed before this process was forked, and OpenVINO would wait here for its "
                "threads for ever; start processes by 'spawn' (multiprocessing.get_context(\"spawn\")), or "
                'take backend="onnxruntime"'
            )
        core = _core(openvino, os.getpid())
        graph = core.read_model(model)
        alive = _alive.setdefault(streams, WeakSet())
        _most[streams] = max(_most.get(streams, 0), len(alive) + 1)  # threads start even where this fails
        compiled = core.compile_model(graph, "CPU", settings)
        alive.add(compiled)
        _of_parent.add(compiled)
    return compiled


def keep_in_forked_children(thing: Any) -> None:
    """Never give back what holds something of OpenVINO's in a child that is forked meanwhile."""
    _of_parent.add(thing)


@functools.cache
def _core(openvino: Any, process: int) -> Any:
    """The one core of a process, which is never given back.

    Its CPU plugin puts a stack for signals of its own in place of the process's and, when it goes, puts
    back the one it found: with two that do not go in reverse order, the next signal, Ctrl-C too, would run
    on freed memory. A forked child needs another, because it has none of its parent's threads.
    """
    core = openvino.Core()
    _keep(core)
    return core


def _keep(thing: object) -> None:
    """Never give back an object, not even when the interpreter ends."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


def _after_fork() -> None:
    """Never give back, in a forked child, what its parent opened; and know what threads lie idle.

    OpenVINO would wait for threads that only the parent has, or abort. The child opens models of its own. But
    OpenVINO keeps the threads of a model that is gone for the next one that asks for as many, and would wait
    for them in a child, where they do not exist: there are such where fewer models are open than once were.
    """
    global _inherits_idle_threads
    for streams, alive in _alive.items():
        if len(alive) < _most[streams]:
            _inherits_idle_threads = True
    for thing in _of_parent:
        _keep(thing)
    _opening.release()


os.register_at_fork(before=_opening.acquire, after_in_parent=_opening.release, after_in_child=_after_fork)
