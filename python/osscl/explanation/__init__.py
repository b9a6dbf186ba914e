"""Why a clip is flagged: what is heard in it beyond the machine's own normal clips.

`osscl.Detector.explain` makes an `Explanation`.
"""

from osscl.explanation.explained import Explanation, Finding, Occlusion

__all__ = ["Explanation", "Finding", "Occlusion"]
