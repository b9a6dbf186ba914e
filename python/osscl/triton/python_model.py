"""Model of Triton's Python backend: samples and a machine ID in; score, p-value and decision out.

`osscl triton` copies this file into a repository of models as it is. It needs osscl in the Python that
Triton's Python backend runs.
"""

from collections.abc import Sequence
from typing import Any

import triton_python_backend_utils as backend

from osscl.errors import BackendError, OssclError
from osscl.scoring.scores import Scores
from osscl.triton.answering import Request, answer_all, outputs
from osscl.triton.configs import MACHINE, WAVEFORM, WAVEFORM_INT16
from osscl.triton.opening import open_detector


class TritonPythonModel:
    """What Triton's Python backend calls."""

    def initialize(self, args: dict[str, str]) -> None:
        """Open the model file beside this one; `args` is what Triton tells of the model."""
        try:
            self._detector = open_detector(args)
        except OssclError as error:
            raise backend.TritonModelException(str(error)) from None

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Answer requests that Triton put together, each by itself."""
        answers = answer_all(self._detector, [_read(request) for request in requests])
        return [_response(answer) for answer in answers]

    def finalize(self) -> None:
        """Give back threads and memory."""
        self._detector.close()


def _read(request: Any) -> Request:
    tensors = (
        backend.get_input_tensor_by_name(request, name) for name in (WAVEFORM, WAVEFORM_INT16, MACHINE)
    )
    return Request(*(None if tensor is None else tensor.as_numpy() for tensor in tensors))


def _response(answer: Scores | OssclError) -> Any:
    if isinstance(answer, Scores):
        return backend.InferenceResponse(
            [backend.Tensor(name, values) for name, values in outputs(answer).items()]
        )
    kind = (
        backend.TritonError.INTERNAL if isinstance(answer, BackendError) else backend.TritonError.INVALID_ARG
    )
    return backend.InferenceResponse(error=backend.TritonError(str(answer), kind))
