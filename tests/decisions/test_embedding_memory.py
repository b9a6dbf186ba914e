"""A memory of embeddings: its arithmetic from the definition, how it is stored, and what it refuses."""

import numpy as np
import numpy.typing as npt
import pytest

from osscl.decisions import (
    EmbeddingBackground,
    EmbeddingMemory,
    Memory,
    StoredArrays,
    pooled_embedding_background,
)
from osscl.errors import DecisionError
from osscl.model_file.restored import restored_embedding_background, stored_embedding_background
from support.made_features import made_background, plain_distance

Array = npt.NDArray[np.float64]


def made_embeddings(seed: int, n: int, machine: int = 0, spread: float = 0.03) -> Array:
    """Vectors of norm 1 around a machine's own direction, further apart in a few directions."""
    rng = np.random.default_rng([seed, machine])
    centre = np.random.default_rng([7, machine]).normal(size=128)
    mixing = np.random.default_rng(8).normal(size=(128, 6))
    rows = centre / np.linalg.norm(centre) + spread * (
        rng.normal(size=(n, 128)) / 4 + rng.normal(size=(n, 6)) @ mixing.T / 5
    )
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


@pytest.fixture(scope="module")
def background() -> EmbeddingBackground:
    machines = {f"fan/id_{i}": made_embeddings(1, 12, machine=10 + i) for i in range(5)}
    return pooled_embedding_background(machines, "made")


@pytest.mark.parametrize("recordings", [None, [f"r{i // 3}" for i in range(14)]], ids=["clips", "recordings"])
@pytest.mark.parametrize("with_background", [True, False])
def test_scores_are_those_of_the_definition(
    background: EmbeddingBackground, recordings: list[str] | None, with_background: bool
) -> None:
    given = background if with_background else None
    prior = background.embedding if with_background else None
    memory = EmbeddingMemory.fit(3.0 * made_embeddings(1, 14), recordings, given)
    clips, rows = made_embeddings(2, 3), memory.rows
    np.testing.assert_allclose(rows, made_embeddings(1, 14), rtol=0, atol=1e-4)  # of norm 1, then rounded
    groups = np.array(recordings or range(14))
    left = np.array(
        [
            plain_distance(rows[groups != g], prior, row, full=True)
            for g, row in zip(groups, rows, strict=True)
        ]
    )
    spread = np.sqrt(np.var(left, ddof=1) + (0.05 * max(left.mean(), 0.1 * np.sqrt(128))) ** 2)
    scores = [(plain_distance(rows, prior, row, full=True) - left.mean()) / spread for row in clips]
    np.testing.assert_allclose(memory.leave_one_out, (left - left.mean()) / spread, rtol=0, atol=1e-7)
    np.testing.assert_allclose(memory.scores_of(clips), scores, rtol=0, atol=1e-7)


def test_a_background_pools_the_covariance_within_machines(background: EmbeddingBackground) -> None:
    from sklearn.covariance import ledoit_wolf

    centred = []
    for machine in range(5):
        rows = made_embeddings(1, 12, machine=10 + machine)
        centred.append((rows - rows.mean(0)) * np.sqrt(12 / 11))
    expected, _ = ledoit_wolf(np.concatenate(centred), assume_centered=True)
    np.testing.assert_allclose(background.embedding, expected, rtol=1e-6, atol=1e-12)
    stored = stored_embedding_background(background, "0" * 64)
    assert len(stored.embedding) == 4 * 128 * 129 // 2
    again = restored_embedding_background(stored)
    assert again.embedding.tobytes() == background.embedding.tobytes()


def test_what_is_rounded_off_is_no_difference_and_what_varies_little_counts() -> None:
    """Without a background: 1e-3, as for features, would be more than all that normal clips differ by."""
    little = EmbeddingMemory.fit(made_embeddings(1, 30, spread=0.003))
    far = made_embeddings(2, 5, machine=1, spread=0.003) * 0.02 + made_embeddings(1, 5, spread=0.003)
    assert little.scores_of(far).min() > 5 > little.leave_one_out.max()
    same = EmbeddingMemory.fit(np.tile(made_embeddings(1, 1), (6, 1)) + 1e-7 * made_embeddings(3, 6))
    assert np.isfinite(same.leave_one_out).all()
    # 2e-5, whitened by sqrt(1e-8), in spreads of 0.05 times 0.1 sqrt(128)
    other_backend = made_embeddings(1, 1) + 2e-5 / np.sqrt(128)
    assert abs(same.scores_of(other_backend)[0]) < 0.2 / (0.005 * np.sqrt(128))


@pytest.mark.parametrize("with_background", [True, False])
def test_a_stored_memory_scores_to_the_last_bit(
    background: EmbeddingBackground, with_background: bool
) -> None:
    given = background if with_background else None
    memory = EmbeddingMemory.fit(made_embeddings(1, 600), [f"r{i // 4}" for i in range(600)], given)
    assert (len(memory.recordings), memory.is_guaranteed) == (256, True)
    again = EmbeddingMemory.from_stored(
        StoredArrays(*map(bytes, memory.stored)),
        memory.recordings,
        given,
        memory.held_out_scores,
        memory.held_out_recordings,
    )
    clips = made_embeddings(2, 10).astype(np.float32)
    assert again.leave_one_out.tobytes() == memory.leave_one_out.tobytes()
    assert again.scores_of(clips).tobytes() == memory.scores_of(clips).tobytes()
    assert [len(part) for part in memory.stored] == [4 * 128, 2 * 128 * 256]


def test_what_are_no_embeddings_is_refused(background: EmbeddingBackground) -> None:
    rows = made_embeddings(1, 6)
    nan, zero = rows.copy(), rows.copy()
    nan[2, 5], zero[3] = np.nan, 0.0
    for given, complaint in (
        (
            rows[:, :127],
            r"^embeddings are float64 \[6, 127\]; expected numbers \[clips, 128\].*embed",
        ),
        (nan, "^row 2 of embeddings holds a number that is not finite"),
        (zero, "^row 3 of embeddings is zero throughout"),
    ):
        with pytest.raises(DecisionError, match=complaint):
            EmbeddingMemory.fit(given)
    with pytest.raises(DecisionError, match=r"the background is of level, .* and the clips are embeddings"):
        EmbeddingMemory.fit(rows, None, made_background())
    with pytest.raises(DecisionError, match="the background is of embedding and the clips are features"):
        Memory.fit(np.zeros((4, 360)), None, background)
    machines = {f"fan/id_{i}": made_embeddings(i, 4 if i < 3 else 3) for i in range(6)}
    with pytest.raises(DecisionError, match=r"^3 of 6 machines have 4 or more clips; a background needs 4"):
        pooled_embedding_background(machines, "made")
    with pytest.raises(DecisionError, match=r"^the background's embedding is .*pooled_embedding_background"):
        EmbeddingBackground(-np.eye(128), n_machines=4, n_clips=16, source="made")
