"""What computes a model: one module a backend, opened by name."""

from osscl.backends.base import Backend, Outputs, Ticket
from osscl.backends.choice import BACKENDS, open_backend
from osscl.backends.gpu.card import CardOptions, OnBuild
from osscl.backends.streams import Streams

__all__ = ["BACKENDS", "Backend", "CardOptions", "OnBuild", "Outputs", "Streams", "Ticket", "open_backend"]
