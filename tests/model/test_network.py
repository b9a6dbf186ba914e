"""The PyTorch network against the published implementation's figures, and against the definition."""

import numpy as np
import pytest
import torch
from scipy.stats import rankdata
from torch.nn.functional import adaptive_max_pool1d, cross_entropy

from osscl.audio.reading import read_audio
from osscl.config import ModelConfig
from osscl.export.checkpoint import load_checkpoint
from osscl.machines.dcase import PUBLISHED_CLASSES
from osscl.model import OSSCL, arcface_logits
from osscl.model.tfgram import AdaptiveMaxPool
from osscl.scoring.rule import arcface_logits as numpy_logits
from support.reference import Reference
from support.reference_log_mel import reference_log_mel


@pytest.fixture(scope="module")
def model(reference: Reference) -> OSSCL:
    model: OSSCL = load_checkpoint(reference.checkpoint).model
    return model


@pytest.fixture(scope="module")
def waveforms(reference: Reference) -> torch.Tensor:
    return torch.from_numpy(np.stack([read_audio(path) for path in reference.clips]))  # [clips, 160000]


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("name", ["tgram", "tfgram"])
def test_maps_equal_the_reference(
    model: OSSCL, waveforms: torch.Tensor, reference: Reference, name: str, which: int
) -> None:
    clip = reference.with_maps[which]
    with torch.inference_mode():
        got = getattr(model.maps, name)(waveforms[clip : clip + 1])[0].numpy()
    expected = reference.outputs[f"{name}_{clip}"]
    assert got.shape == (128, 313)
    assert np.abs(got - expected).max() <= 1e-5 * np.abs(expected).max()


def test_embedding_cosine_and_score_equal_the_reference(
    model: OSSCL, waveforms: torch.Tensor, reference: Reference
) -> None:
    outputs = reference.outputs
    exact_log_mel = torch.from_numpy(reference_log_mel(waveforms.numpy())[0].astype(np.float32))
    with torch.inference_mode():
        embedding, cosine = model(waveforms, exact_log_mel)
        labels = torch.from_numpy(outputs["label"]).long()
        logits = arcface_logits(cosine, labels, model.config.margin, model.config.scale)
        score = cross_entropy(logits, labels, reduction="none").numpy()
    assert np.abs(embedding.numpy() - outputs["embedding"]).max() <= 5e-6
    assert np.abs(cosine.numpy() - outputs["cosine"]).max() <= 5e-6
    assert np.abs(logits.numpy() - outputs["logits"]).max() <= 30 * 5e-6
    assert np.abs(score - outputs["score"]).max() <= 1e-4
    assert np.array_equal(rankdata(score), rankdata(outputs["score"]))


@pytest.mark.parametrize(("n_in", "n_out"), [(8000, 626), (626, 313), (100, 7), (13, 13), (14, 13)])
def test_adaptive_pooling_is_bit_equal_to_pytorchs(n_in: int, n_out: int) -> None:
    x = torch.randn(3, 5, n_in, generator=torch.Generator().manual_seed(1))
    x[:, 0] = torch.round(x[:, 0])  # ties
    assert torch.equal(AdaptiveMaxPool(n_in, n_out).eval()(x), adaptive_max_pool1d(x, n_out))


@pytest.mark.parametrize("head", ["basic", "leaky_relu", "none"])
@pytest.mark.parametrize("inputs", ["three_maps", "log_mel"])
def test_every_variant_gives_unit_embeddings_and_cosines(head: str, inputs: str) -> None:
    config = ModelConfig(classes=PUBLISHED_CLASSES[:5], head=head, inputs=inputs)  # type: ignore[arg-type]
    model = OSSCL(config).eval()
    feeds = {"waveform": torch.randn(2, 160_000), "log_mel": torch.randn(2, 128, 313)}
    with torch.inference_mode():
        embedding, cosine = model(*(feeds[name] for name in model.input_names))
    assert embedding.shape == (2, 128)
    assert cosine.shape == (2, 5)
    assert torch.allclose(embedding.norm(dim=1), torch.ones(2), atol=1e-5)
    assert cosine.abs().max() <= 1.0 + 1e-5


def test_margin_branches_equal_the_definition_and_numpys() -> None:
    margin, scale = 0.4, 30.0
    cosine = torch.linspace(-1.0, 1.0, 201, dtype=torch.float64).unsqueeze(1).repeat(1, 3)
    labels = torch.full((201,), 1)
    logits = arcface_logits(cosine, labels, margin, scale)
    near = cosine[:, 1] > np.cos(np.pi - margin)
    assert near.any()
    assert (~near).any()
    turned = torch.cos(torch.acos(cosine[:, 1]) + margin)
    shifted = cosine[:, 1] - margin * np.sin(np.pi - margin)
    assert torch.allclose(logits[:, 1], scale * torch.where(near, turned, shifted), atol=2e-5)
    assert torch.equal(logits[:, [0, 2]], scale * cosine[:, [0, 2]])
    same = numpy_logits(cosine.numpy(), labels.numpy(), margin=margin, scale=scale)
    np.testing.assert_allclose(logits.numpy(), same, rtol=0, atol=1e-12)


def test_margin_has_a_finite_gradient_at_both_ends() -> None:
    cosine = torch.tensor([[1.0, 1.0], [-1.0, -1.0]], requires_grad=True)
    loss = cross_entropy(arcface_logits(cosine, torch.tensor([0, 0]), 0.4, 30.0), torch.tensor([0, 0]))
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.isfinite()
    assert cosine.grad is not None
    assert cosine.grad.isfinite().all()
