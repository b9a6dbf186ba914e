"""Decisions over time: whether a machine still sounds like its calibration, and when to raise an alarm."""

from osscl.monitoring.alarming import AlarmFacts
from osscl.monitoring.options import AlarmBudget, WatchOptions, parse_duration
from osscl.monitoring.watched import Alarm, Drift, Watched
from osscl.monitoring.watching import Watching, watch

__all__ = [
    "Alarm",
    "AlarmBudget",
    "AlarmFacts",
    "Drift",
    "WatchOptions",
    "Watched",
    "Watching",
    "parse_duration",
    "watch",
]
