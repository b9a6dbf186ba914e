"""The OS-SCL network in PyTorch."""

from osscl.model.arcface import ArcFace, arcface_logits
from osscl.model.encoder import MobileFaceNet
from osscl.model.head import PerturbationHead
from osscl.model.network import INPUT_NAMES, OSSCL
from osscl.model.tfgram import TFgram
from osscl.model.tgram import Tgram

__all__ = [
    "INPUT_NAMES",
    "OSSCL",
    "ArcFace",
    "MobileFaceNet",
    "PerturbationHead",
    "TFgram",
    "Tgram",
    "arcface_logits",
]
