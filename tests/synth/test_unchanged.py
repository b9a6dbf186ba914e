"""The clips of the sets that models were trained and gated on are the same for ever, to the last sample."""

import hashlib

import pytest

from osscl import synth
from osscl.evaluation.accuracy import GATE_PLAN, HARD_PLAN

TRAINING_PLAN = synth.DatasetPlan(train=960, seed=1)
ROWS = {"gate": "c031e1fb9561c3a5", "training": "6641f88421b6a8b8", "hard": "47b009c27ee9bccc"}
"""Hash of all names, faults and severities of a set."""
SAMPLES = {
    "blower/test/anomaly_id_00_00000000.wav": "70e7b3aa70721f15",  # imbalance
    "compressor/test/anomaly_id_02_00000000.wav": "bdc53da27be611f2",  # bearing defect
    "waterpump/test/anomaly_id_01_00000000.wav": "3953eed3e2d7740d",  # looseness
    "blower/test/anomaly_id_00_00000003.wav": "a2ae411a5c5008e6",  # leak
    "blower/test/anomaly_id_02_00000002.wav": "e21c1bed38935b3c",  # clogging
    "blower/test/anomaly_id_01_00000004.wav": "d1056d6d3964bff2",  # rubbing
    "compressor/test/normal_id_01_00000005.wav": "4b9dabde6f9757fc",
    "gearbox/train/normal_id_02_00000079.wav": "a45f37a8d3e889c9",
}
"""Hash of the samples of clips of every type and with every fault."""
HARD_SAMPLES = {
    "gearbox/train/normal_id_00_00000001.wav": "cbca3233fc18ac26",  # normal, high
    "blower/test/anomaly_id_00_00000001.wav": "b666eab34a6f5305",  # bearing_defect, high
    "blower/test/anomaly_id_00_00000006.wav": "0e8b7659e1322994",  # event, low
    "blower/test/anomaly_id_00_00000007.wav": "8b6e213a9eeadd9c",  # changed_speed, high
    "blower/test/anomaly_id_00_00000008.wav": "49a2da6ffa80a3c5",  # missing_beat, low
    "blower/test/anomaly_id_00_00000009.wav": "b251c243a70c0d47",  # reversed_cycle, high
}
"""The same of clips of the hard set."""


def first_digits(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


@pytest.mark.parametrize(
    ("name", "plan"), [("gate", GATE_PLAN), ("training", TRAINING_PLAN), ("hard", HARD_PLAN)]
)
def test_a_set_holds_the_same_clips_for_ever(name: str, plan: synth.DatasetPlan) -> None:
    clips = list(plan.clips())
    assert len(clips) == plan.n_clips
    modes = [f"{clip.key.mode} " if plan.hard else "" for clip in clips]
    rows = "\n".join(
        f"{clip.path} {mode}{clip.fault} {clip.severity}" for clip, mode in zip(clips, modes, strict=True)
    )
    assert first_digits(rows.encode()) == ROWS[name]


@pytest.mark.parametrize("path", SAMPLES)
def test_a_clip_is_the_same_for_ever(path: str) -> None:
    clips = [*GATE_PLAN.clips(), *TRAINING_PLAN.clips()]
    clip = next(each for each in clips if each.path == path)
    assert first_digits(clip.samples().tobytes()) == SAMPLES[path]


@pytest.mark.parametrize("path", HARD_SAMPLES)
def test_a_clip_of_the_hard_set_is_the_same_for_ever(path: str) -> None:
    clip = next(each for each in HARD_PLAN.clips() if each.path == path)
    assert first_digits(clip.samples().tobytes()) == HARD_SAMPLES[path]
