"""Alarms of one machine: the rate at which single clips are flagged is the one that they were decided at."""

import math

import numpy as np
import pytest

from osscl.decisions import threshold
from osscl.monitoring.alarming import alarm_facts
from osscl.monitoring.options import WatchOptions
from osscl.monitoring.streams import Stream
from osscl.scoring.judge import NormalScores, separating
from osscl.scoring.record import Record


@pytest.mark.parametrize("n", [16, 40])
def test_the_digits_of_a_table_keep_the_rate_of_its_threshold(n: int) -> None:
    """They may lie below the highest normal score, which is a float64, and then seem to flag it as well."""
    rng = np.random.default_rng(n)
    rate = max(0.05, 1 / (n + 1))
    whole = math.floor(rate * (n + 1) + 1e-9) / (n + 1)
    for _ in range(50):
        normal = NormalScores(rng.normal(size=n), [str(number) for number in range(n)])
        least = separating(threshold(normal.scores, rate))
        stream = Stream("fan/id_00")
        stream.add(0, Record(path="a.wav", machine="fan/id_00", score=0.0, threshold=least, is_anomaly=False))
        assert alarm_facts(stream, normal, WatchOptions(), None).false_alarm_rate == pytest.approx(whole)
