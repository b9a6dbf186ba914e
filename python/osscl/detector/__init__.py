"""A model, opened: what scores waveforms and files, and explains their scores."""

from osscl.detector.detector import Detector
from osscl.detector.loading import load

__all__ = ["Detector", "load"]
