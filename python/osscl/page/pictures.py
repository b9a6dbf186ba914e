"""Pictures and sounds as texts that stand in the page itself (data: URIs)."""

import base64
import io
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from osscl.audio.samples import Samples
from osscl.support.failed_import import needing

N_SHADES = 64
"""Shades of a spectrogram: more cannot be told apart, and take twice the space."""
# Ten colours of Cividis, which looks alike to all kinds of colour vision, straight lines in between. Nuñez,
# Anderton, Renslow: "Optimizing colormaps with consideration for color vision deficiency", PLOS ONE 13 (2018)
_COLOURS = "00224e 123570 3b496c 575d6d 707173 8a8678 a59c74 c3b369 e1cc55 fee838"


def spectrogram_png(log_mel: npt.NDArray[np.float32], low_db: float, high_db: float) -> str:
    """Colour a log-mel.

    Parameters
    ----------
    log_mel : ndarray of float32, [bands, frames]
        Decibels, low bands first.
    low_db, high_db : float
        Where the darkest and the brightest shade stand.

    Returns
    -------
    str
        data: URI of a PNG, low bands at the bottom.
    """
    shades = np.clip((log_mel - low_db) / max(high_db - low_db, 1e-6) * N_SHADES, 0, N_SHADES - 1)
    image = load_pillow().fromarray(np.ascontiguousarray(shades.astype(np.uint8)[::-1]), "L")
    image.putpalette(_palette())
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return _data_uri("image/png", file.getvalue())


def flac(samples: Samples, sample_rate_hz: int) -> str:
    """Compress sound without loss, to 16 bits.

    Parameters
    ----------
    samples : ndarray of int16 or float32, [n]
        One channel.
    sample_rate_hz : int
        Their rate.

    Returns
    -------
    str
        data: URI of a FLAC.
    """
    file = io.BytesIO()
    soundfile.write(file, samples, sample_rate_hz, subtype="PCM_16", format="FLAC")
    return _data_uri("audio/flac", file.getvalue())


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


@cache
def _palette() -> bytes:
    anchors = np.array([list(bytes.fromhex(colour)) for colour in _COLOURS.split()], np.float64)  # [10, 3]
    at, known = np.linspace(0, 1, N_SHADES), np.linspace(0, 1, len(anchors))
    shades = np.stack([np.interp(at, known, channel) for channel in anchors.T], axis=1)
    return bytes(shades.round().astype(np.uint8).ravel())


def load_pillow() -> Any:
    """Load what writes pictures; raises MissingExtraError where it is not installed."""
    with needing("the page", "report", package="pillow"):
        from PIL import Image
    return Image
