"""What comes of one mutant: it is loaded and scored through osscl, and held against the runtime alone."""

import os
import resource
import tempfile
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import numpy.typing as npt

import osscl
from mutating.bases import Base, base
from mutating.mutants import mutant
from osscl.backends import Outputs
from osscl.backends.feeds import Feeds, host_feeds
from osscl.backends.outputs import check_outputs
from osscl.errors import BackendError, ModelFileError
from osscl.model_file.golden import golden_clips
from osscl.scoring.rule import anomaly_score

Run = Callable[[Feeds], Outputs]

CLIPS = golden_clips(2)
MAX_ADDRESS_SPACE = 12 * 2**30
RIGHT, WRONG, NEEDLESS = "right score", "wrong score", "refused what runs"
REFUSED = ("ModelFileError", "BackendError")


def serve(tasks: Connection, scratch: str) -> None:
    """Take (base, kind, seed, backend) until none comes; send back a word for each, and more words."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_ADDRESS_SPACE, MAX_ADDRESS_SPACE))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what runtimes print of errors
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        path = Path(folder) / "mutant.onnx"
        while (task := tasks.recv()) is not None:
            name, kind, seed, backend = task
            chosen = base(name)
            chosen.write(path, mutant(chosen, kind, seed))
            tasks.send(outcome(chosen, path, backend))


def outcome(chosen: Base, path: Path, backend: str) -> tuple[str, str]:
    """One word for what came of it, and more words."""
    try:
        with osscl.load(path, "cpu", backend, threads=1) as detector:
            got = detector.score(CLIPS, detector.machines[0]).score
    except ModelFileError as error:
        return "ModelFileError", str(error)
    except BackendError as error:
        alone = _reference(chosen, path, backend)
        if isinstance(alone, str):
            return "BackendError", str(error)
        return NEEDLESS, f"{error}; the runtime alone gives {alone.tolist()}"
    except Exception as error:  # noqa: BLE001 - this is what is looked for
        return type(error).__name__, str(error)
    expected = _reference(chosen, path, backend)
    if isinstance(expected, str):
        return WRONG, f"{got.tolist()}, where the runtime alone says {expected}"
    is_right = np.allclose(got, expected, rtol=1e-4, atol=5e-4, equal_nan=True)
    return (RIGHT if is_right else WRONG), f"{got.tolist()}, the runtime alone gives {expected.tolist()}"


def _reference(chosen: Base, path: Path, backend: str) -> npt.NDArray[np.float32] | str:
    """Scores that the runtime gives for the same bytes, or why it gives none."""
    model = chosen.manifest.network.model
    try:
        run = RUNTIMES[backend](path.read_bytes())
        given = [run(host_feeds(chosen.manifest, clip[np.newaxis], 1)) for clip in CLIPS]
        for outputs in given:
            check_outputs(outputs, chosen.manifest, 1, path)
    except Exception as error:  # noqa: BLE001 - whatever it is, it gives no score
        return f"{type(error).__name__}: {error}"
    cosine = np.concatenate([outputs.cosine for outputs in given])
    labels = np.zeros(len(CLIPS), np.int64)
    return anomaly_score(cosine, labels, margin=model.margin, scale=model.scale).astype(np.float32)


def _onnxruntime(model: bytes) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda feeds: Outputs(*session.run(["embedding", "cosine"], feeds))


def _openvino(model: bytes) -> Run:
    import openvino

    settings = {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": 1}
    core = openvino.Core()
    request = core.compile_model(core.read_model(model), "CPU", settings).create_infer_request()

    def run(feeds: Feeds) -> Outputs:
        request.infer(feeds)
        return Outputs(*(np.array(request.get_tensor(name).data) for name in ("embedding", "cosine")))

    return run


RUNTIMES = {"onnxruntime": _onnxruntime, "openvino": _openvino}
