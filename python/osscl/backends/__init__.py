"""What computes a model: one module a backend, opened by name."""

from osscl.backends.base import Backend, Outputs, Ticket
from osscl.backends.choice import open_backend
from osscl.backends.options import BACKENDS, DEFAULT_OPTIONS, ComputeOptions, OnBuild, Streams

__all__ = [
    "BACKENDS",
    "DEFAULT_OPTIONS",
    "Backend",
    "ComputeOptions",
    "OnBuild",
    "Outputs",
    "Streams",
    "Ticket",
    "open_backend",
]
