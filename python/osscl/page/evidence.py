"""What is shown of a clip: its sound, its picture beside that of a normal clip, and what was heard in it."""

import os
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

from osscl.audio.mel_bands import mel_of_hz
from osscl.audio.reading import Fit, read_clip
from osscl.audio.samples import Samples, to_waveform
from osscl.config import CLIP, FRONTEND
from osscl.errors import AudioError
from osscl.explanation.explained import Explanation
from osscl.frontend import log_mel
from osscl.page.axis import Tick
from osscl.page.charts import Frame, line
from osscl.page.pictures import flac, spectrogram_png
from osscl.support.links import missing
from osscl.support.paths import printable

EXCERPT_S = 4.0
WAVE_FRAME = Frame(46, 2, 313, 34)
SPECTRUM_FRAME = Frame(46, 42, 313, 128)
N_WAVE = 313
LENGTH_S = CLIP.n_samples / FRONTEND.sample_rate_hz
_RANGE_DB = 60.0
_TICKS_HZ = (500, 1000, 2000, 4000, 8000)

Spectrum = npt.NDArray[np.float32]  # [128, 313] dB


class Heard(NamedTuple):
    """A recording that was read.

    Attributes
    ----------
    path : Path
        Where it lies.
    samples : Samples
        The clip that was scored, [160000].
    spectrum : ndarray of float32, [128, 313]
        Its log-mel, dB.
    start_s : float or None
        Where in the recording it begins, where it is a window of it.
    """

    path: Path
    samples: Samples
    spectrum: Spectrum
    start_s: float | None


class Box(NamedTuple):
    """Where something is heard, in pixels: in the spectrogram, or beside it where it is heard throughout."""

    x: float
    y: float
    width: float
    height: float
    text: str
    is_beside: bool


class Evidence(NamedTuple):
    """Picture and sound of a clip.

    Attributes
    ----------
    picture, normal_picture : str or None
        data: URIs of log-mels with the same shades; the second of a normal clip, None where there is none.
    wave, normal_wave : str or None
        SVG paths of both waveforms, at the same scale.
    excerpt : str
        data: URI of the seconds around the largest deviation.
    excerpt_start_s : float
        Where in the clip they begin.
    excerpt_x, excerpt_width : float
        The same in pixels of the waveform.
    href : str
        Link to the whole recording.
    boxes : list of Box
        Where something is heard.
    low_db, high_db : float
        What the darkest and the brightest shade stand for.
    """

    picture: str
    normal_picture: str | None
    wave: str
    normal_wave: str | None
    excerpt: str
    excerpt_start_s: float
    excerpt_x: float
    excerpt_width: float
    href: str
    boxes: list[Box]
    low_db: float
    high_db: float


def hear(path: Path, fit: Fit, start_s: float | None = None) -> Heard | str:
    """Read a recording as it was scored.

    Parameters
    ----------
    path : Path
        Where it should lie.
    fit : Fit
        How it was made to fit.
    start_s : float, optional
        Where the window begins that was scored.

    Returns
    -------
    Heard or str
        Or why it cannot be shown, in a clause.
    """
    problem = missing(path)
    if problem is not None:
        return problem
    try:
        clip = read_clip(path, fit, start_s=start_s)
    except (AudioError, OSError) as error:
        return f"{printable(path)} cannot be read now: {error}"
    return Heard(path, clip.samples, log_mel(clip.samples), start_s)


def evidence_of(
    clip: Heard, normal: Heard | None, explanation: Explanation | None, page_folder: Path
) -> Evidence:
    """Draw a clip.

    Parameters
    ----------
    clip : Heard
        What was flagged.
    normal : Heard or None
        A normal clip of the same machine.
    explanation : Explanation or None
        Why it was.
    page_folder : Path
        Folder of the page, which links count from.

    Returns
    -------
    Evidence
        Pictures and sound.
    """
    heard = [clip] if normal is None else [clip, normal]
    high = float(max(np.quantile(each.spectrum, 0.999) for each in heard))
    low = max(float(min(np.quantile(each.spectrum, 0.02) for each in heard)), high - _RANGE_DB)
    peak = max(float(np.abs(to_waveform(each.samples)).max()) for each in heard) or 1.0
    start_s = _excerpt_start(_deviation_over_time(clip, normal, explanation))
    rate_hz = FRONTEND.sample_rate_hz
    begin = round(start_s * rate_hz)
    excerpt = clip.samples[begin : begin + round(EXCERPT_S * rate_hz)]
    return Evidence(
        picture=spectrogram_png(clip.spectrum, low, high),
        normal_picture=None if normal is None else spectrogram_png(normal.spectrum, low, high),
        wave=_wave(clip.samples, peak),
        normal_wave=None if normal is None else _wave(normal.samples, peak),
        excerpt=flac(excerpt, rate_hz),
        excerpt_start_s=start_s,
        excerpt_x=float(WAVE_FRAME.x(start_s / LENGTH_S)),
        excerpt_width=WAVE_FRAME.width * EXCERPT_S / LENGTH_S,
        href=_href(clip.path, page_folder, clip.start_s),
        boxes=[] if explanation is None else _boxes(explanation),
        low_db=low,
        high_db=high,
    )


def frequency_ticks() -> list[Tick]:
    """Round frequencies and where they stand in a log-mel, from 0 at the bottom to 1 at the top."""
    return [Tick(_mel_place(hz), f"{hz:g} Hz" if hz < 1000 else f"{hz // 1000} kHz") for hz in _TICKS_HZ]


def _mel_place(hz: float) -> float:
    return float(mel_of_hz(hz) / mel_of_hz(FRONTEND.f_max_hz))


def _deviation_over_time(
    clip: Heard, normal: Heard | None, explanation: Explanation | None
) -> npt.NDArray[np.float64]:
    """How far each moment is from normal, [T] over the length of the clip."""
    if explanation is not None and explanation.deviation is not None:
        above = explanation.deviation
    else:
        usual = clip.spectrum if normal is None else normal.spectrum
        above = clip.spectrum - np.median(usual, axis=1, keepdims=True)
    squares: npt.NDArray[np.float64] = np.square(np.maximum(above, 0).astype(np.float64))
    return np.asarray(squares.sum(axis=0))


def _excerpt_start(deviation: npt.NDArray[np.float64]) -> float:
    """Seconds at which the excerpt with the largest deviation begins."""
    n = len(deviation)
    length = max(1, round(n * EXCERPT_S / LENGTH_S))
    sums = np.cumsum(np.append(0.0, deviation))
    windows = sums[length:] - sums[:-length]
    at = int(windows.argmax())
    # a single moment stands in the middle of all windows that hold it
    best = np.flatnonzero(windows >= windows[at] * (1 - 1e-9))
    return min(float(best[len(best) // 2]) / n * LENGTH_S, LENGTH_S - EXCERPT_S)


def _wave(samples: Samples, peak: float) -> str:
    """Outline of the waveform; `peak` stands at the edge."""
    waveform = to_waveform(samples)
    columns = waveform[: len(waveform) // N_WAVE * N_WAVE].reshape(N_WAVE, -1)
    high, low = columns.max(axis=1), columns.min(axis=1)
    x = WAVE_FRAME.x((np.arange(N_WAVE) + 0.5) / N_WAVE)
    top, bottom = WAVE_FRAME.y(0.5 + 0.5 * high / peak), WAVE_FRAME.y(0.5 + 0.5 * low / peak)
    return line(np.concatenate([x, x[::-1]]), np.concatenate([top, bottom[::-1]])) + "Z"


def _boxes(explanation: Explanation) -> list[Box]:
    """What is heard at some time stands in a box; what is heard throughout, in a bar beside the picture."""
    boxes, n_beside = [], 0
    for finding in explanation.findings:
        y = SPECTRUM_FRAME.y([_mel_place(finding.high_hz), _mel_place(finding.low_hz)])
        top, height = float(y[0]), max(2.0, float(y[1] - y[0]))
        if finding.start_s is None:
            boxes.append(Box(SPECTRUM_FRAME.right + 4 + 6 * n_beside, top, 3, height, finding.text, True))
            n_beside += 1
        else:
            end_s = min(finding.start_s + max(finding.duration_s or 0.0, 0.1), LENGTH_S)
            x = SPECTRUM_FRAME.x(np.array([finding.start_s, end_s]) / LENGTH_S)
            boxes.append(Box(float(x[0]), top, float(x[1] - x[0]), height, finding.text, False))
    return boxes


def _href(path: Path, page_folder: Path, start_s: float | None) -> str:
    """A link from the page to a recording, which no name can make anything else of."""
    relative = os.path.relpath(path.absolute(), page_folder.absolute())
    moment = "" if start_s is None else f"#t={start_s:g},{start_s + LENGTH_S:g}"  # where a player begins
    return "./" + quote(os.fsencode(relative)) + moment
