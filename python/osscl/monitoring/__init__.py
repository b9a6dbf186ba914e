"""Decisions over time: whether a machine still sounds like its calibration, and when to raise an alarm."""

from osscl.monitoring.alarm_facts import AlarmFacts
from osscl.monitoring.options import AlarmBudget, WatchOptions
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
    "watch",
]
