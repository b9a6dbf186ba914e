"""Opening a model file."""

import os

from osscl.backends import ComputeOptions, OnBuild
from osscl.detector.detector import Detector
from osscl.model_file.decisions import Rule
from osscl.scoring.judge_making import AUTO, DomainChoice
from osscl.support.log import quiet_logger

_log = quiet_logger(__name__)


def load(
    model: str | os.PathLike[str],
    device: str = "auto",
    backend: str | None = None,
    *,
    threads: int | None = None,
    streams: int | None = None,
    batch_size: int | None = None,
    engine_cache: str | os.PathLike[str] | None = None,
    on_build: OnBuild | None = None,
    rule: Rule | None = None,
    false_alarm_rate: float | None = None,
    domain: DomainChoice = AUTO,
) -> Detector:
    """Open an exported model.

    Of machines of which nothing will be decided, such as at a rate that their normal recordings cannot speak
    of, the logger ``osscl`` warns once, with the reason; so do their records.

    Parameters
    ----------
    model : path-like
        File that ``osscl enroll`` or ``osscl-export`` wrote; or the word "demo", for the demonstration model.
    device : str
        "cpu"; "cuda" (the first GPU), "cuda:1", "cuda:0,1" or "cuda:all"; "auto" takes a GPU that can be used
        where what computes the model there is installed, else the CPU. It is for the network: what memories
        say the processor computes. Where all machines of the file are judged by memories, no GPU is opened,
        which `Detector.facts` tells, and the logger ``osscl`` where one was asked for.
    backend : str, optional
        "onnxruntime", "openvino" (CPU) or "tensorrt" (GPU); by default the first one installed that computes
        the model's precision on the device.
    threads : int, optional
        Processors to use, at least 1; 1 starts no thread. By default all that the process may use.
    streams : int, optional
        Batches computed side by side, sharing the threads evenly. By default as many as threads, which gives
        the most clips a second; 1 gives the shortest time for a single clip.
    batch_size : int, optional
        Clips computed at once, at least 1; by default what the backend prefers. On a GPU it is halved, with a
        warning, until it fits into the card's memory.
    engine_cache : path-like, optional
        Folder where TensorRT's engines are kept; by default the user's own.
    on_build : callable, optional
        Takes what is being done, how much of it is done and how much there is, while an engine is built.
    rule : {"network", "memory", "both", "embedding"}, optional
        Which score decides of all machines; by default the one that the model file names for each, or else
        the network's.
    false_alarm_rate : float, optional
        Share of normal clips that may be called anomalous, in (0, 1). By default 0.05, or the smallest rate
        that a machine's normal recordings can speak of. At a smaller one nothing is decided.
    domain : {"auto", "unknown", "source", "target"}
        Domain of all clips, for machines whose memories are by domain (`osscl.enroll`). "auto" takes it from
        the names of files, as DCASE writes them; arrays, and files whose names do not tell, are of an unknown
        one, and are scored by the memory of either that they are nearest to.

    Returns
    -------
    Detector
        A context manager; several threads may use it.

    Raises
    ------
    ModelFileError
        The file is damaged, foreign, or needs another version of osscl.
    BackendError
        The device or backend cannot be used; DeviceError where it is a GPU.
    MissingExtraError
        The package that the backend needs is not installed.
    ConfigError
        `threads` is no whole number from 1 to 4096, `batch_size` none from 1 to 65535, `streams` does not
        divide `threads`, or `engine_cache` is no path; or the file holds nothing that `rule` or `domain`
        could go by.
    DecisionError
        `false_alarm_rate` lies outside (0, 1).
    """
    options = ComputeOptions(device, backend, threads, streams, batch_size, engine_cache, on_build)
    detector = Detector(model, options, rule=rule, false_alarm_rate=false_alarm_rate, domain=domain)
    for warning in detector.judges.warnings():
        _log.warning(warning)
    return detector
