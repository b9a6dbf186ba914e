"""What a request asks: the recording in its body, whatever that is, and the words of its query."""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from osscl.audio.reading import Fit
from osscl.audio.windows import LONGEST_HOP_S, SHORTEST_HOP_S
from osscl.config import Channel, Padding
from osscl.errors import ConfigError, MissingExtraError
from osscl.serving.problems import JSON, RequestError
from osscl.serving.wording import wrong_json
from osscl.support.paths import brief
from osscl.support.two_spellings import in_query

RAW = "application/octet-stream"
Explaining = Literal["never", "flagged", "always"]
_INT16 = range(-(1 << 15), 1 << 15)
_RATES_HZ = range(1, 768_001)
_FORMATS: dict[str, tuple[int, np.dtype[Any]]] = {
    "int16": (1, np.dtype("<i2")),
    "float32": (3, np.dtype("<f4")),
}  # WAV's number of each


class Query(BaseModel):
    """Words behind the question mark of an address; any other is refused."""

    model_config = ConfigDict(extra="forbid")

    machine: Annotated[
        str, Field(description="Machine ID that the recording claims to be.", examples=["blower/id_00"])
    ]
    name: Annotated[
        str,
        Field(
            description="Name of the file: it stands in the answer as `path`, and may tell when it was "
            "recorded.",
            max_length=1024,
        ),
    ] = "recording"
    resample: Annotated[bool, Field(description="Convert another sample rate than the model's.")] = False
    channel: Annotated[
        str | None,
        Field(
            description="Channel to take of several, counted from 0, or their mean.",
            pattern=r"^(\d{1,4}|mean)$",
        ),
    ] = None
    pad: Annotated[Padding | None, Field(description="How a short recording is filled up.")] = None
    dtype: Annotated[
        Literal["int16", "float32"] | None,
        Field(description="Of raw samples, little-endian, one channel; float32 at full scale ±1."),
    ] = None
    sample_rate_hz: Annotated[
        int | None, Field(description="Of raw samples.", ge=_RATES_HZ[0], le=_RATES_HZ[-1])
    ] = None

    def fit(self) -> Fit:
        """How the recording is made to fit.

        Raises
        ------
        RequestError
            It cannot be had (422), or not by this installation (501).
        """
        channel: Channel | None = (
            int(self.channel) if self.channel is not None and self.channel != "mean" else self.channel  # type: ignore[assignment]
        )
        try:
            return Fit(self.resample, channel, self.pad)
        except MissingExtraError as error:  # which whoever asks cannot mend
            raise RequestError(501, "not_installed", f"on the server, {error}") from error
        except ConfigError as error:
            raise RequestError(422, "wrong_request", in_query(str(error))) from error


class ScoreQuery(Query):
    """The same, whether a flagged recording is explained, and whether it is cut into windows."""

    explain: Annotated[
        bool, Field(description="Say of a flagged recording what is heard beyond the normal ones.")
    ] = False
    hop_s: Annotated[
        float | None,
        Field(
            description="Score all of the recording in windows that begin every so many seconds; without it, "
            "its beginning.",
            ge=SHORTEST_HOP_S,
            le=LONGEST_HOP_S,
            allow_inf_nan=False,
            examples=[10],
        ),
    ] = None


class SamplesBody(msgspec.Struct, forbid_unknown_fields=True):
    """Samples as JSON.

    Attributes
    ----------
    samples : list of float
        One channel: whole numbers of 16 bits, or floats at full scale ±1.
    dtype : str
        Which of them: "int16" or "float32".
    sample_rate_hz : int
        Sample rate.
    """

    samples: list[float]
    dtype: Literal["int16", "float32"]
    sample_rate_hz: Annotated[int, msgspec.Meta(ge=_RATES_HZ[0], le=_RATES_HZ[-1])]


@dataclass(frozen=True, slots=True)
class Question:
    """A recording that came, and what is asked about it.

    Attributes
    ----------
    request_id : str
        Of the request.
    content : bytes
        A file as libsndfile reads it.
    name : str
        What it is called.
    machine : str
        Machine ID that it claims to be.
    fit : Fit
        How it is made to fit.
    explaining : str
        Whether it is explained.
    hop_s : float or None
        Seconds from the beginning of one window to that of the next; None for its beginning alone.
    """

    request_id: str
    content: bytes
    name: str
    machine: str
    fit: Fit
    explaining: Explaining = "never"
    hop_s: float | None = None


def check_once(words: Iterable[tuple[str, str]]) -> None:
    """Refuse a query that says something twice.

    Parameters
    ----------
    words : iterable of (str, str)
        Its words and what they are set to.

    Raises
    ------
    RequestError
        One of them comes more than once (400).
    """
    seen: dict[str, str] = {}
    for word, value in words:
        if word in seen:
            raise RequestError(
                400,
                "wrong_request",
                f"the query says {word} more than once, {brief(seen[word])} and {brief(value)}; say it once",
            )
        seen[word] = value


def check_type(headers: Mapping[str, str], query: Query) -> str:
    """Tell what a body is, before it is read.

    Parameters
    ----------
    headers : mapping of str to str
        Of the request.
    query : Query
        Its words.

    Returns
    -------
    str
        "file", "samples" (JSON) or "raw".

    Raises
    ------
    RequestError
        It is nothing that is taken (415), or raw samples of which too little is known (400).
    """
    if headers.get("content-encoding", "identity") != "identity":
        raise RequestError(
            415,
            "wrong_type",
            f"the body is encoded as {headers['content-encoding']}; send it as it is, or a FLAC file",
        )
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    is_raw = query.dtype is not None or query.sample_rate_hz is not None
    if media_type == RAW:
        if query.dtype is None or query.sample_rate_hz is None:
            raise RequestError(
                400,
                "wrong_request",
                f"{RAW} holds raw samples: say dtype=int16 or float32, and sample_rate_hz; a file goes as "
                "audio/wav or audio/flac",
            )
        return "raw"
    if is_raw:
        raise RequestError(
            400, "wrong_request", f"dtype and sample_rate_hz speak of raw samples, which go as {RAW}"
        )
    if media_type == JSON:
        return "samples"
    if media_type.startswith("audio/"):
        return "file"
    raise RequestError(
        415,
        "wrong_type",
        f"the content type is {media_type or 'not given'}; expected audio/wav or audio/flac (a file), "
        f"{JSON} or {RAW} (samples), as by curl -H 'Content-Type: audio/wav' --data-binary @FILE",
    )


def as_file(kind: str, body: bytes, query: Query) -> bytes:
    """Make a file of a body, so that samples are read by the rules of files.

    Parameters
    ----------
    kind : str
        What `check_type` says.
    body : bytes
        What came.
    query : Query
        The words of the request.

    Returns
    -------
    bytes
        A file, or what claims to be one.

    Raises
    ------
    RequestError
        Samples that are none (400 or 422).
    """
    if kind == "file":
        return body
    if kind == "raw":
        assert query.dtype is not None
        assert query.sample_rate_hz is not None
        return _wav_of(body, query.dtype, query.sample_rate_hz)
    try:
        sent = msgspec.json.decode(body, type=SamplesBody)
    except msgspec.ValidationError as error:
        raise RequestError(422, "wrong_request", wrong_json(str(error))) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RequestError(400, "wrong_request", f"the body is no JSON: {error}") from error
    return _wav_of(_packed(sent), sent.dtype, sent.sample_rate_hz)


def _packed(sent: SamplesBody) -> bytes:
    """Samples of a list as bytes, none of them changed."""
    samples = np.array(sent.samples, np.float64)
    if sent.dtype == "int16":
        wrong = (samples != np.round(samples)) | (samples < _INT16[0]) | (samples > _INT16[-1])
        if wrong.any():
            at = int(wrong.argmax())
            raise RequestError(
                422,
                "wrong_request",
                f"sample {at} is {samples[at]:g}; expected whole numbers from {_INT16[0]} to "
                f"{_INT16[-1]}, or dtype float32 and full scale ±1",
            )
    with np.errstate(over="ignore"):  # what overflows becomes infinite, which the reader tells
        packed: bytes = samples.astype(_FORMATS[sent.dtype][1]).tobytes()
    return packed


def _wav_of(samples: bytes, dtype: str, sample_rate_hz: int) -> bytes:
    """A WAV file of one channel."""
    number, kind = _FORMATS[dtype]
    size = kind.itemsize
    if len(samples) % size:
        raise RequestError(
            422, "wrong_request", f"the body has {len(samples)} bytes, no whole number of {dtype} samples"
        )
    format_ = struct.pack(
        "<4sIHHIIHH", b"fmt ", 16, number, 1, sample_rate_hz, sample_rate_hz * size, size, 8 * size
    )
    data = struct.pack("<4sI", b"data", len(samples))
    riff = struct.pack("<4sI4s", b"RIFF", 4 + len(format_) + len(data) + len(samples), b"WAVE")
    return b"".join((riff, format_, data, samples))
