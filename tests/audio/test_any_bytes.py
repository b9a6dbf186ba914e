"""Whatever the bytes are: a clip, or one of our errors."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from osscl.audio.reading import Fit, read_clip
from osscl.errors import (
    AudioError,
)
from support.audio_files import (
    N_SAMPLES,
    encoded,
    noise,
)

ANYHOW = Fit(resample=True, channel="mean", pad="repeat")


def mutated(content: bytes) -> st.SearchStrategy[bytes]:
    """The content with some bytes changed, most of them in its header, and perhaps cut short."""
    changes = st.lists(
        st.tuples(st.integers(0, 100) | st.integers(0, len(content) - 1), st.integers(0, 255)), max_size=6
    )

    def change(edits: list[tuple[int, int]], end: int | None) -> bytes:
        changed = bytearray(content)
        for at, value in edits:
            changed[at] = value
        return bytes(changed[:end])

    return st.builds(change, changes, st.none() | st.integers(0, len(content)))


SEEDS = [
    encoded(noise(2000)),
    encoded(noise(2000, n_channels=2), kind="WAVEX", subtype="FLOAT"),
    encoded(noise(2000), kind="RF64"),
    encoded(noise(2000), kind="FLAC"),
]


@given(
    st.one_of([mutated(seed) for seed in SEEDS]) | st.binary(max_size=200), st.sampled_from([Fit(), ANYHOW])
)
def test_any_bytes_give_a_clip_or_one_of_our_errors(content: bytes, fit: Fit) -> None:
    try:
        clip = read_clip(content, fit)
    except AudioError as error:
        assert str(error)  # noqa: PT017 - no error is as good an answer
    else:
        assert clip.samples.shape == (N_SAMPLES,)
        assert np.isfinite(clip.samples).all()
