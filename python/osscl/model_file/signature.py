"""Names, types and shapes of what goes into an exported graph and comes out of it."""

from typing import Literal, TypeAlias

from osscl.config import CLIP, EMBEDDING_SIZE, FRONTEND, ClipConfig, FrontendConfig, ModelConfig, Settings

FrontEndPlace: TypeAlias = Literal["native", "graph"]


class TensorSpec(Settings, frozen=True, kw_only=True):
    """One input or output of the graph.

    Attributes
    ----------
    name : str
        Its name in the graph.
    dtype : {"float32"}
        Type of its elements.
    shape : tuple of "batch" or int
        Its shape; the word stands for any number of clips.
    meaning : str
        What it holds, with unit and range.
    """

    name: str
    dtype: Literal["float32"] = "float32"
    shape: tuple[Literal["batch"] | int, ...]
    meaning: str

    def __str__(self) -> str:
        return f"{self.name} {self.dtype} [{', '.join(map(str, self.shape))}]"


def graph_inputs(
    model: ModelConfig | None,
    where: FrontEndPlace,
    settings: FrontendConfig = FRONTEND,
    clip: ClipConfig = CLIP,
) -> tuple[TensorSpec, ...]:
    """List the inputs that a graph of this model has.

    Parameters
    ----------
    model : ModelConfig or None
        Shape of the network; None for a file of memories alone.
    where : {"native", "graph"}
        Where the log-mel is computed.
    settings : FrontendConfig
        Settings of the front end.
    clip : ClipConfig
        What one clip is.

    Returns
    -------
    tuple of TensorSpec
        ``waveform``, ``log_mel`` or both, in the order of the graph.
    """
    waveform = TensorSpec(
        name="waveform",
        shape=("batch", clip.n_samples),
        meaning=f"mono samples at {settings.sample_rate_hz} Hz, full scale 1 (an int16 divided by 32768)",
    )
    log_mel = TensorSpec(
        name="log_mel",
        shape=("batch", settings.n_mels, settings.n_frames(clip.n_samples)),
        meaning="log-mel spectrogram of the waveform as front_end says, dB",
    )
    if model is None or where == "graph":
        return (waveform,)
    return (waveform, log_mel) if model.inputs == "three_maps" else (log_mel,)


def graph_outputs(
    model: ModelConfig | None, settings: FrontendConfig = FRONTEND, clip: ClipConfig = CLIP
) -> tuple[TensorSpec, ...]:
    """List the outputs that a graph of this model has.

    Parameters
    ----------
    model : ModelConfig or None
        Shape of the network; None for a file of memories alone.
    settings : FrontendConfig
        Settings of the front end.
    clip : ClipConfig
        What one clip is.

    Returns
    -------
    tuple of TensorSpec
        ``embedding`` and ``cosine``; without a network ``same_waveform``, since a graph has an output.
    """
    if model is None:
        same = TensorSpec(
            name="same_waveform",
            shape=("batch", clip.n_samples),
            meaning=f"the waveform itself, at {settings.sample_rate_hz} Hz: there is no network",
        )
        return (same,)
    embedding = TensorSpec(
        name="embedding",
        shape=("batch", EMBEDDING_SIZE),
        meaning="embedding of the clip, of Euclidean norm 1",
    )
    cosine = TensorSpec(
        name="cosine",
        shape=("batch", len(model.classes)),
        meaning="cosine between the embedding and each class weight, without margin, in [-1, 1]",
    )
    return embedding, cosine
