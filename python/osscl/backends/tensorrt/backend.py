"""TensorRT on a GPU: an engine built for the card, looked up in the cache."""

from pathlib import Path

from osscl.backends.gpu.card import Card
from osscl.backends.gpu.engine import Engine
from osscl.backends.tensorrt.cache import EngineCache, default_folder
from osscl.backends.tensorrt.opening import open_tensorrt_engine
from osscl.backends.tensorrt.options import BuildOptions
from osscl.cuda.device import Stream
from osscl.support.log import quiet_logger

_log = quiet_logger("osscl.tensorrt")


def _show_nobody(phase: str, done: int, total: int) -> None:
    """How far a build is, where nobody asked."""


class TensorRtBackend(Card):
    """Runs a model with TensorRT, in the precision that its graph states."""

    precisions = frozenset({"fp32", "fp16", "bf16", "int8"})

    def open_engine(self, stream: Stream, max_batch: int) -> Engine:
        folder = self.options.engine_cache
        return open_tensorrt_engine(
            self.bundle,
            self.device,
            stream.handle,
            BuildOptions(max_batch=max_batch, opt_batch=max_batch),
            EngineCache(default_folder() if folder is None else Path(folder)),
            self.options.on_build or _show_nobody,
            _log.warning,
        )
