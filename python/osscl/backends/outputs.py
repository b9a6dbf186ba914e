"""What a runtime gives, held against what the manifest says that the graph gives."""

import numpy as np

from osscl.backends.base import Outputs
from osscl.errors import BackendError
from osscl.model_file.manifest import Manifest
from osscl.storage.urls import Place
from osscl.support.plurals import counted


def check_outputs(outputs: Outputs, manifest: Manifest, n_clips: int, path: Place) -> None:
    """Refuse outputs of another type or shape: what a graph states of itself, no runtime holds it to.

    Parameters
    ----------
    outputs : Outputs
        As the runtime gave them.
    manifest : Manifest
        What the model file says.
    n_clips : int
        Clips in the batch.
    path : Path or Url
        The model file.

    Raises
    ------
    BackendError
        One of them is not what the manifest says.
    """
    for spec in manifest.outputs:
        array = getattr(outputs, spec.name)
        expected = [size if isinstance(size, int) else n_clips for size in spec.shape]
        if not isinstance(array, np.ndarray) or array.dtype != spec.dtype or list(array.shape) != expected:
            got = (
                f"{array.dtype} {list(array.shape)}"
                if isinstance(array, np.ndarray)
                else type(array).__name__
            )
            raise BackendError(
                f"{path}: for {counted(n_clips, 'clip')} the graph gave {spec.name} as {got}, expected "
                f"{spec.dtype} {expected} as the manifest says; export the model again with osscl-export"
            )
