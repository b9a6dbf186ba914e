"""What a model gives for batches of clips, and what the CPU gives for them."""

from contextlib import closing

import numpy as np
import numpy.typing as npt

from osscl.audio.samples import Samples
from osscl.backends import ComputeOptions, Outputs, open_backend
from osscl.model_file.bundle import Bundle


def joined(outputs: list[Outputs]) -> npt.NDArray[np.float32]:
    """[clips, 128 + K]"""
    return np.concatenate([np.hstack([output.embedding, output.cosine]) for output in outputs])


def outputs_on_the_cpu(bundle: Bundle, clips: Samples) -> npt.NDArray[np.float32]:
    """[clips, 128 + K], computed one by one by ONNX Runtime."""
    with closing(open_backend(bundle, ComputeOptions("cpu", "onnxruntime", threads=1))) as backend:
        return joined([backend.collect(backend.submit(clips[i : i + 1])) for i in range(len(clips))])
