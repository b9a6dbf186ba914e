"""Inference SDK for anomalous machine sound.

>>> import osscl
>>> with osscl.load("model.onnx") as detector:                      # doctest: +SKIP
...     waveform = osscl.read_audio("fan/test/normal_id_00_00000000.wav")
...     print(detector.score(waveform, "fan/id_00").score)
"""

# `typing` is not loaded for it: the console listens to Ctrl-C only behind this module
TYPE_CHECKING = False
if TYPE_CHECKING:
    from osscl import bench as bench
    from osscl import decisions as decisions
    from osscl import enrolment as enrolment
    from osscl import errors as errors
    from osscl import evaluation as evaluation
    from osscl import explanation as explanation
    from osscl import export as export
    from osscl import features as features
    from osscl import metrics as metrics
    from osscl import monitoring as monitoring
    from osscl import sensitivity as sensitivity
    from osscl import synth as synth
    from osscl import training as training
    from osscl.audio.batch import read_audio_batch
    from osscl.audio.reading import Fit, read_audio
    from osscl.audio.windows import Window, read_windows
    from osscl.backends import ComputeOptions
    from osscl.config import FrontendConfig
    from osscl.detector import Detector, load
    from osscl.detector.nearest import Neighbour
    from osscl.detector.stream import Stream, StreamWindow
    from osscl.detector.windows import WindowScores
    from osscl.enrolment.enrolling import enroll
    from osscl.enrolment.options import EnrolOptions
    from osscl.errors import OssclError
    from osscl.frontend import log_mel
    from osscl.model_file.decisions import Rule
    from osscl.scoring.record import Record
    from osscl.scoring.scores import ClipScore, Scores

__all__ = [
    "ClipScore",
    "ComputeOptions",
    "Detector",
    "EnrolOptions",
    "Fit",
    "FrontendConfig",
    "Neighbour",
    "OssclError",
    "Record",
    "Rule",
    "Scores",
    "Stream",
    "StreamWindow",
    "Window",
    "WindowScores",
    "enroll",
    "load",
    "log_mel",
    "read_audio",
    "read_audio_batch",
    "read_windows",
]
# loaded when first used: importing osscl stays fast
_HOMES = {
    "ClipScore": "osscl.scoring.scores",
    "ComputeOptions": "osscl.backends",
    "Detector": "osscl.detector",
    "EnrolOptions": "osscl.enrolment",
    "Fit": "osscl.audio.reading",
    "FrontendConfig": "osscl.config",
    "Neighbour": "osscl.detector.nearest",
    "OssclError": "osscl.errors",
    "Record": "osscl.scoring.record",
    "Rule": "osscl.model_file.decisions",
    "Scores": "osscl.scoring.scores",
    "Stream": "osscl.detector.stream",
    "StreamWindow": "osscl.detector.stream",
    "Window": "osscl.audio.windows",
    "WindowScores": "osscl.detector.windows",
    "enroll": "osscl.enrolment",
    "load": "osscl.detector",
    "log_mel": "osscl.frontend",
    "read_audio": "osscl.audio.reading",
    "read_audio_batch": "osscl.audio.batch",
    "read_windows": "osscl.audio.windows",
}


_PUBLIC_MODULES = (
    "bench", "decisions", "enrolment", "errors", "evaluation", "explanation", "export", "features", "metrics",
    "monitoring", "sensitivity", "synth", "training",
)  # fmt: skip


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name == "__version__":
        return import_module("importlib.metadata").version("osscl")
    if name in _PUBLIC_MODULES:
        return import_module(f"osscl.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'osscl' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*__all__, *_PUBLIC_MODULES, "__version__"})
