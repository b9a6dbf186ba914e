"""Decisions at a stated false-alarm rate: a machine's memory, p-values and thresholds, each usable alone.

Nothing here reads sound: features and scores are arrays, whoever made them.

>>> from osscl.decisions import p_values, threshold
>>> normal = [0.1, 0.4, 0.2, 0.3]  # scores of normal recordings
>>> p_values(normal, [0.25, 0.5]).tolist()
[0.6, 0.2]
>>> threshold(normal, 0.25)
0.4000000000000001
"""

from osscl.decisions.alarm_rates import (
    FalseAlarms,
    false_alarms,
    fewest_false_alarms,
    smallest_window,
)
from osscl.decisions.alarms import AlarmRule, AlarmState, Raised, alarms_of
from osscl.decisions.background import (
    Background,
    EmbeddingBackground,
    pooled_background,
    pooled_embedding_background,
)
from osscl.decisions.conformal import (
    Decisions,
    decide,
    p_values,
    recordings_needed,
    smallest_rate,
    threshold,
    too_few_recordings,
)
from osscl.decisions.embedding_memory import EmbeddingMemory
from osscl.decisions.fusion import RobustScale, both, left_out_z, log_score
from osscl.decisions.ledoit_wolf import ledoit_wolf
from osscl.decisions.martingale import began_at, log_martingale, online_p_values
from osscl.decisions.memory import Memory, MemoryScores
from osscl.decisions.selection import Selection
from osscl.decisions.stored import StoredArrays
from osscl.decisions.thinning import calibration_distance, independent_clips, stream_distance
from osscl.decisions.uncertainty import RateInterval, rate_interval

__all__ = [
    "AlarmRule",
    "AlarmState",
    "Background",
    "Decisions",
    "EmbeddingBackground",
    "EmbeddingMemory",
    "FalseAlarms",
    "Memory",
    "MemoryScores",
    "Raised",
    "RateInterval",
    "RobustScale",
    "Selection",
    "StoredArrays",
    "alarms_of",
    "began_at",
    "both",
    "calibration_distance",
    "decide",
    "false_alarms",
    "fewest_false_alarms",
    "independent_clips",
    "ledoit_wolf",
    "left_out_z",
    "log_martingale",
    "log_score",
    "online_p_values",
    "p_values",
    "pooled_background",
    "pooled_embedding_background",
    "rate_interval",
    "recordings_needed",
    "smallest_rate",
    "smallest_window",
    "stream_distance",
    "threshold",
    "too_few_recordings",
]
