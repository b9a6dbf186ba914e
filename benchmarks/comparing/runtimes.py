"""What runs the network, from inputs in memory: PyTorch, ONNX Runtime, OpenVINO."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from comparing.published_way import published_network
from osscl.backends import native_tfgram as tfgram

Feeds = dict[str, np.ndarray]
Run = Callable[[Feeds], tuple[np.ndarray, np.ndarray]]
"""Inputs of one clip to its embedding [1, 128] and cosine [1, K]."""


def open_eager(checkpoint: Path) -> Run:
    """PyTorch without compilation, in as many threads as are set for the process."""
    model = published_network(checkpoint)

    def run(feeds: Feeds) -> tuple[np.ndarray, np.ndarray]:
        with torch.inference_mode():
            embedding, cosine = model(*(torch.from_numpy(feeds[name]) for name in model.input_names))
            return embedding.numpy(), cosine.numpy()

    return run


def open_onnxruntime(model: Path, threads: int, streams: int, native_tfgram: bool = False) -> list[Run]:
    """ONNX Runtime as osscl sets it up: one session whose threads one call uses, or none for many calls."""
    import onnxruntime

    content = model.read_bytes()
    cut = tfgram.cut_out(content) if native_tfgram else None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads // streams
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        content if cut is None else cut.rest, options, providers=["CPUExecutionProvider"]
    )
    names = [each.name for each in session.get_inputs()]

    def run(feeds: Feeds) -> tuple[np.ndarray, np.ndarray]:
        if cut is not None:
            feeds = feeds | {tfgram.INPUT_NAME: cut.tfgram(feeds["waveform"], threads // streams)}
        embedding, cosine = session.run(["embedding", "cosine"], {name: feeds[name] for name in names})
        return embedding, cosine

    return [run] * streams


def open_openvino(model: Path, precision: str, threads: int, streams: int) -> list[Run]:
    """OpenVINO as osscl sets it up: one compiled model, a request a stream."""
    import openvino

    settings = {
        "INFERENCE_PRECISION_HINT": precision,
        "NUM_STREAMS": streams,
        "INFERENCE_NUM_THREADS": threads,
    }
    compiled = openvino.Core().compile_model(str(model), "CPU", settings)
    names = [each.get_any_name() for each in compiled.inputs]

    def runner() -> Run:
        request = compiled.create_infer_request()

        def run(feeds: Feeds) -> tuple[np.ndarray, np.ndarray]:
            request.infer({name: feeds[name] for name in names}, share_inputs=True)
            embedding, cosine = (np.array(request.get_tensor(name).data) for name in ("embedding", "cosine"))
            return embedding, cosine

        return run

    return [runner() for _ in range(streams)]
