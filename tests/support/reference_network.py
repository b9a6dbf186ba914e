"""OS-SCL in PyTorch's functions, from its definition and the published state dict: what ours is held to."""

import math

import torch
from torch import Tensor
from torch.nn import functional as f

MARGIN, SCALE = 0.4, 30.0
_STRIDES = (2, 1, 2, 1, 2, 1)  # of the six bottlenecks

State = dict[str, Tensor]


def reference_outputs(state: State, waveform: Tensor, log_mel: Tensor, labels: Tensor) -> State:
    """Everything that the network gives for clips.

    Parameters
    ----------
    state : dict of str to Tensor
        Weights, by their published names: three maps and the basic head.
    waveform, log_mel : Tensor, [B, 160000] and [B, 128, 313]
        Inputs.
    labels : Tensor of int64, [B]
        Class that each clip claims to be of.

    Returns
    -------
    dict of str to Tensor
        tgram, tfgram, embedding, cosine, logits, score; float32, the last two float64.
    """
    network = ReferenceNetwork(state)
    with torch.inference_mode():
        maps = {"tgram": network.tgram(waveform[:, None]), "tfgram": network.tfgram(waveform[:, None])}
        embedding, cosine = network.embed(log_mel, **maps)
        logits = with_margin(cosine.double(), labels)
        score = logits.logsumexp(dim=1) - logits.gather(1, labels[:, None])[:, 0]
    return maps | {"embedding": embedding, "cosine": cosine, "logits": logits, "score": score}


def with_margin(cosine: Tensor, labels: Tensor) -> Tensor:
    """Cosines [B, K] as logits, those of the labels with the margin."""
    target = cosine.gather(1, labels[:, None])
    turned = torch.cos(torch.acos(target) + MARGIN)
    continued = target - MARGIN * math.sin(math.pi - MARGIN)
    return SCALE * cosine.scatter(
        1, labels[:, None], torch.where(target > math.cos(math.pi - MARGIN), turned, continued)
    )


class ReferenceNetwork:
    """The network.

    Parameters
    ----------
    state : dict of str to Tensor
        Weights and statistics, by their published names.
    is_training : bool
        Whether batch norms use the batch's statistics, and take them over into the state.
    """

    def __init__(self, state: State, is_training: bool = False) -> None:
        self._state = state
        self._is_training = is_training

    def embed(self, log_mel: Tensor, tgram: Tensor, tfgram: Tensor) -> tuple[Tensor, Tensor]:
        """Maps, each [B, 128, 313] -> embedding [B, 128] and cosine [B, K]."""
        state = self._state
        x = self._encoder(torch.stack((log_mel, tgram, tfgram), dim=1))
        for linear, norm in ((0, 2), (3, 5)):
            x = f.linear(x, state[f"head.head.{linear}.weight"], state[f"head.head.{linear}.bias"])
            x = self._batch_norm(f"head.head.{norm}", x.relu())
        embedding = x / x.norm(dim=1, keepdim=True)
        classes = state["arcface.weight"]
        return embedding, embedding @ (classes / classes.norm(dim=1, keepdim=True)).T

    def tgram(self, x: Tensor) -> Tensor:
        """Waveform [B, 1, 160000] -> map [B, 128, 313]."""
        state = self._state
        x = f.conv1d(x, state["tgramnet.conv_extrctor.weight"], stride=512, padding=512)
        for i in range(3):
            name = f"tgramnet.conv_encoder.{i}"
            x = f.layer_norm(x, (313,), state[f"{name}.0.weight"], state[f"{name}.0.bias"])
            x = f.conv1d(f.leaky_relu(x, 0.2), state[f"{name}.2.weight"], padding=1)
        return x

    def tfgram(self, x: Tensor) -> Tensor:
        """Waveform [B, 1, 160000] -> map [B, 128, 313]."""
        state = self._state
        x = f.conv1d(x, state["TFgramNet.pre_conv0.weight"], stride=5, padding=5)
        x = self._batch_norm("TFgramNet.pre_bn0", x).relu()
        for block, length in ((1, 8000), (2, 626), (3, 313)):
            name = f"TFgramNet.pre_block{block}"
            x = f.conv1d(x, state[f"{name}.conv1.weight"], padding=1)
            x = self._batch_norm(f"{name}.bn1", x).relu()
            x = f.conv1d(x, state[f"{name}.conv2.weight"], padding=2, dilation=2)
            x = self._batch_norm(f"{name}.bn2", x).relu()
            x = f.adaptive_max_pool1d(x, length)
        return x

    def _encoder(self, x: Tensor) -> Tensor:
        x = self._conv("conv1.conv", "conv1.bn", "conv1.prelu", x, stride=2, padding=1)
        x = self._conv("dw_conv1.conv", "dw_conv1.bn", "dw_conv1.prelu", x, padding=1, groups=64)
        for i, stride in enumerate(_STRIDES):
            layers = [f"blocks.{i}.conv.{layer}" for layer in range(8)]
            y = self._conv(layers[0], layers[1], layers[2], x)
            y = self._conv(layers[3], layers[4], layers[5], y, stride=stride, padding=1, groups=y.shape[1])
            y = self._conv(layers[6], layers[7], None, y)
            x = x + y if x.shape == y.shape else y
        x = self._conv("conv2.conv", "conv2.bn", "conv2.prelu", x)
        x = self._conv("linear7.conv", "linear7.bn", None, x, groups=512)
        return self._conv("linear1.conv", "linear1.bn", None, x).flatten(1)

    def _conv(
        self,
        conv: str,
        norm: str,
        prelu: str | None,
        x: Tensor,
        *,
        stride: int = 1,
        padding: int = 0,
        groups: int = 1,
    ) -> Tensor:
        """Convolution, batch norm and, where named, PReLU."""
        weight = self._state[f"mobilefacenet.{conv}.weight"]
        x = f.conv2d(x, weight, stride=stride, padding=padding, groups=groups)
        x = self._batch_norm(f"mobilefacenet.{norm}", x)
        return x if prelu is None else f.prelu(x, self._state[f"mobilefacenet.{prelu}.weight"])

    def _batch_norm(self, name: str, x: Tensor) -> Tensor:
        mean, variance, weight, bias = (
            self._state[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return f.batch_norm(x, mean, variance, weight, bias, self._is_training, momentum=0.1)
