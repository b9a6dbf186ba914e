"""Inputs of a graph, made on the host from samples."""

import numpy as np
import numpy.typing as npt

from osscl import frontend
from osscl.audio.samples import Samples, to_waveform
from osscl.model_file.manifest import Manifest

Feeds = dict[str, npt.NDArray[np.float32]]


def host_feeds(manifest: Manifest, samples: Samples, threads: int) -> Feeds:
    """Make the inputs that a model takes.

    Parameters
    ----------
    manifest : Manifest
        Inputs and front end of the model.
    samples : ndarray of int16 or float32, [B, n_samples]
        Full scale ±1.
    threads : int
        Threads at most.

    Returns
    -------
    dict
        Waveform [B, n_samples], log-mel [B, 128, 313], or both, by name.
    """
    return {spec.name: _feed(spec.name, manifest, samples, threads) for spec in manifest.inputs}


def _feed(name: str, manifest: Manifest, samples: Samples, threads: int) -> npt.NDArray[np.float32]:
    if name == "log_mel":
        return frontend.log_mel(samples, manifest.front_end.settings, threads=threads)  # [B, 128, 313]
    return to_waveform(samples)  # [B, n_samples]
