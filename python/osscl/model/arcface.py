"""ArcFace: cosine to each class, and logits with an angular margin on the labelled one."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, normalize

from osscl.config import EMBEDDING_SIZE


class ArcFace(nn.Module):
    """Weight vector of each class, compared with embeddings by their cosine.

    Parameters
    ----------
    n_classes : int
        Number of machine IDs K.
    sub_centres : int
        Weight vectors C of each; the nearest counts.

    References
    ----------
    Deng et al., "ArcFace: additive angular margin loss for deep face recognition", CVPR 2019,
    arXiv 1801.07698, section 3.1; Deng et al., "Sub-center ArcFace: boosting face recognition by large-scale
    noisy web faces", ECCV 2020, section 3.2.
    """

    def __init__(self, n_classes: int, sub_centres: int = 1) -> None:
        super().__init__()
        self.sub_centres = sub_centres
        self.weight = nn.Parameter(torch.empty(n_classes * sub_centres, EMBEDDING_SIZE))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, embedding: Tensor) -> Tensor:
        """Embedding [B, 128] of norm 1 -> cosine [B, K]."""
        cosine = linear(embedding, normalize(self.weight))  # [B, K C]
        if self.sub_centres == 1:
            return cosine
        of_class = cosine.reshape(-1, len(self.weight) // self.sub_centres, self.sub_centres)  # [B, K, C]
        return of_class.amax(2)


def arcface_logits(cosine: Tensor, labels: Tensor, margin: float, scale: float) -> Tensor:
    """Logits with the margin on the labelled class.

    Parameters
    ----------
    cosine : Tensor, [B, K]
        Cosine of embedding and class weight, -1 to 1.
    labels : Tensor of int64, [B]
        Index of the class that each clip has, or claims to have.
    margin : float
        Angle m that is added to the labelled class's, radians.
    scale : float
        Factor s of all logits.

    Returns
    -------
    Tensor, [B, K]
        Logits; value and gradient are finite for each cosine in [-1, 1].

    References
    ----------
    Deng et al., arXiv 1801.07698, equation 3; beyond the angle pi - m, where cos(t + m) would rise
    again, the linear continuation of the authors' code.
    """
    index = labels.unsqueeze(1)  # [B, 1]
    target = cosine.gather(1, index)  # [B, 1]
    # The root's gradient is infinite at 0: a cosine that rounds to 1 must not reach it.
    sine = (1.0 - target.square()).clamp(min=1e-12).sqrt()  # [B, 1]
    turned = target * math.cos(margin) - sine * math.sin(margin)  # [B, 1], cos(t + m)
    shifted = target - margin * math.sin(math.pi - margin)  # [B, 1]
    with_margin = torch.where(target > math.cos(math.pi - margin), turned, shifted)  # [B, 1]
    return scale * cosine.scatter(1, index, with_margin)  # [B, K]
