"""Requests that came together, answered by one call of the detector; a bad one alone hears of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from osscl.audio.samples import Samples
from osscl.detector import Detector
from osscl.errors import InputError, OssclError
from osscl.scoring.scores import Scores
from osscl.triton.configs import MACHINE, SCORER_OUTPUTS, WAVEFORM, WAVEFORM_INT16

ANOMALY, NORMAL, UNKNOWN = "anomaly", "normal", "unknown"
"""What a clip can be."""


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """Inputs of one request; those that did not come are None.

    Attributes
    ----------
    waveform : ndarray of float32, [B, n] or None
        Samples at full scale ±1.
    waveform_int16 : ndarray of int16, [B, n] or None
        Samples as they come from a converter.
    machine : ndarray of bytes, [B, 1] or None
        Machine ID of each clip, UTF-8.
    """

    waveform: npt.NDArray[np.float32] | None
    waveform_int16: npt.NDArray[np.int16] | None
    machine: npt.NDArray[np.object_] | None


def answer_all(detector: Detector, requests: Sequence[Request]) -> list[Scores | OssclError]:
    """Score the clips of several requests.

    Parameters
    ----------
    detector : Detector
        The model.
    requests : sequence of Request
        In any number.

    Returns
    -------
    list of Scores or OssclError
        What `Detector.score` gives or raises for each request, to the last bit.
    """
    answers: list[Scores | OssclError | None] = [None] * len(requests)
    together: dict[np.dtype[Any], list[_Sound]] = {}  # a batch that mixed types would lose int16's fast path
    for place, request in enumerate(requests):
        try:
            sound = _Sound(place, *detector.check(_samples(request), _machines(request)))
        except OssclError as error:
            answers[place] = error
        else:
            together.setdefault(sound.clips.dtype, []).append(sound)
    for sounds in together.values():
        for sound, answer in zip(sounds, _scored(detector, sounds), strict=True):
            answers[sound.place] = answer
    return [answer for answer in answers if answer is not None]


def outputs(scores: Scores) -> dict[str, npt.NDArray[Any]]:
    """Spell scores as the outputs of the model in Triton.

    Parameters
    ----------
    scores : Scores
        Of B clips.

    Returns
    -------
    dict of str to ndarray, [B, 1]
        Numbers that nothing is known of are NaN; what nothing is decided of is "unknown".
    """
    decisions = [
        UNKNOWN if masked else ANOMALY if found else NORMAL
        for found, masked in zip(scores.is_anomaly.data, np.ma.getmaskarray(scores.is_anomaly), strict=True)
    ]
    columns: dict[str, Any] = {
        "score": scores.score,
        "p_value": scores.p_value,
        "threshold": scores.threshold,
        "decision": np.array(decisions, object),
        "rule": np.array(scores.rule, object),
        "quality": np.array([reason or "" for reason in scores.quality], object),
    }
    return {name: columns[name].reshape(-1, 1) for name in SCORER_OUTPUTS}


@dataclass(frozen=True, slots=True, eq=False)
class _Sound:
    """Clips [B, n_samples] of a request that can be scored, with their machines."""

    place: int
    clips: Samples
    machines: tuple[str, ...]


def _scored(detector: Detector, sounds: Sequence[_Sound]) -> list[Scores | OssclError]:
    """Score all in one call; what fails then is the device, and fails for all."""
    machines = [name for sound in sounds for name in sound.machines]
    try:
        scores = detector.score(np.concatenate([sound.clips for sound in sounds]), machines)
    except OssclError as error:
        return [error] * len(sounds)
    ends = np.cumsum([len(sound.machines) for sound in sounds]).tolist()
    return [scores.part(end - len(sound.machines), end) for sound, end in zip(sounds, ends, strict=True)]


def _samples(request: Request) -> npt.NDArray[Any]:
    given = [each for each in (request.waveform, request.waveform_int16) if each is not None]
    if len(given) != 1:
        raise InputError(
            f"the request holds {'both inputs' if given else 'neither of the inputs'} {WAVEFORM} (FP32) and "
            f"{WAVEFORM_INT16} (INT16); expected one of them"
        )
    return given[0]


def _machines(request: Request) -> list[str]:
    if request.machine is None:
        raise InputError(f"the request holds no {MACHINE}; expected a machine ID for each clip")
    try:
        return [str(name, "utf-8") for name in request.machine.ravel()]
    except UnicodeDecodeError as error:
        raise InputError(f"{MACHINE} is not UTF-8: {error.reason} at byte {error.start}") from None
