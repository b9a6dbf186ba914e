"""What is said of a machine at a glance, and how far that is to be trusted."""

from collections.abc import Sequence

import numpy as np
import pytest
import scipy.stats

from osscl.page.scored import MachineScores, by_machine
from osscl.page.standing import UNLIKELY, Standing, standing_of
from osscl.scoring.judge import Judge, NormalScores
from osscl.scoring.record import Record


def records(n: int, n_flagged: int, **others: object) -> list[Record]:
    return [
        Record(
            path=f"{i}.wav",
            machine="fan/id_00",
            rule="memory",
            score=float(i < n_flagged),
            threshold=1.0,
            is_anomaly=i < n_flagged,
            **others,  # type: ignore[arg-type]
        )
        for i in range(n)
    ]


def judge(n_recordings: int, rate: float | None = None, caveat: str | None = None) -> Judge:
    normal = NormalScores(np.arange(float(n_recordings)), [str(i) for i in range(n_recordings)])
    return Judge("fan/id_00", "memory", normal=normal, asked_rate=rate, caveat=caveat)


def standing(lines: Sequence[Record], by: Judge | str | None, warned: Sequence[str] = ()) -> Standing:
    [scores] = by_machine(lines).machines
    return standing_of(scores, lines, by, warned)


@pytest.mark.parametrize(("n_recordings", "rate"), [(20, 0.05), (50, 0.05), (199, 0.01), (40, 0.25)])
@pytest.mark.parametrize("n", [1, 10, 300])
def test_attention_begins_where_chance_ends(n_recordings: int, rate: float, n: int) -> None:
    above = int(rate * (n_recordings + 1) + 1e-9)
    chance = scipy.stats.betabinom(n, above, n_recordings + 1 - above)
    for n_flagged in range(1, n + 1):
        is_beyond = chance.sf(n_flagged - 1) < UNLIKELY
        found = standing(records(n, n_flagged), judge(n_recordings, rate))
        assert (found.state == "attention") == is_beyond, n_flagged
        if is_beyond:
            break


def test_one_calibration_makes_more_flags_usual_than_independent_clips_would() -> None:
    # independent clips: 10 of 60 at 5 % happen in 1 of 1,000 cases; with 20 recordings far more often
    assert scipy.stats.binom(60, 0.05).sf(9) < UNLIKELY / 5
    assert standing(records(60, 10), judge(20)).state == "chance"


def test_states_and_summaries() -> None:
    assert standing(records(40, 0), judge(50)).summary == "none of 40 clips flagged"
    assert standing(records(40, 0), judge(50)).state == "quiet"
    assert standing(records(40, 2), judge(50)).summary == "2 of 40 clips flagged; 2 expected by chance"
    assert standing(records(1, 1), judge(50)).summary == "1 of 1 clip flagged; less than 1 expected by chance"
    drifted = standing(records(40, 0), judge(50), ["unlike its calibration since about clip 7"])
    assert (drifted.state, drifted.urgency) == ("attention", 0)
    assert drifted.summary == "none of 40 clips flagged; unlike its calibration since about clip 7"


def test_of_windows_chance_is_not_told() -> None:
    together = standing(records(60, 40, scope="window"), judge(50))
    assert (together.state, together.is_of_windows) == ("chance", True)
    assert standing(records(60, 40), judge(50)).state == "attention"
    assert standing(records(60, 40, scope="window"), judge(50), ["an alarm stands"]).state == "attention"


def test_without_the_model_nothing_is_said_of_chance() -> None:
    found = standing(records(40, 30), None)
    assert (found.state, found.trust, found.n_normal) == ("chance", "limited", 0)
    assert found.summary == "30 of 40 clips flagged"
    assert "the model file is not at hand" in found.doubts[0]


@pytest.mark.parametrize(
    ("lines", "by", "trust", "doubt"),
    [
        (records(40, 1), judge(50), "good", ""),
        (
            records(40, 1),
            judge(9),
            "limited",
            "9 normal recordings are few: the false-alarm rate may really be",
        ),
        (records(40, 1), judge(50, caveat="it may have been trained on"), "limited", "trained on"),
        (records(40, 1, quality="clipped"), judge(50), "limited", "40 clips of doubtful recording quality"),
        (records(40, 1, status="silent"), judge(50), "limited", "40 clips silent: a dead microphone?"),
        (
            [*records(40, 1), Record(path="x.wav", machine="fan/id_00", status="corrupt")],
            judge(50),
            "limited",
            "files without a score",
        ),
        (records(40, 1), "the model file does not know it", "limited", "the model file does not know it"),
    ],
)
def test_trust(lines: list[Record], by: Judge | str, trust: str, doubt: str) -> None:
    found = standing(lines, by)
    assert found.trust == trust
    assert doubt in "; ".join(found.doubts)
    assert bool(found.doubts) == (trust != "good")


def test_nothing_decided() -> None:
    lines = [Record(path="a.wav", machine="fan/id_00", score=1.0)]
    found = standing(lines, judge(3, 0.01))
    assert (found.state, found.trust) == ("unknown", "none")
    assert found.doubts[0].startswith("nothing was decided: 3 normal recordings")


def test_excess_is_in_spreads_of_the_clips_that_were_not_flagged() -> None:
    scores = [0.0, 1.0, 2.0, 3.0, 4.0, 50.0]
    lines = [
        Record(path=f"{i}", machine="m", score=score, threshold=6.0, is_anomaly=score >= 6)
        for i, score in enumerate(scores)
    ]
    [machine] = by_machine(lines).machines
    assert isinstance(machine, MachineScores)
    assert machine.spread == (2.0, 1.0)
    assert machine.excess.tolist() == [-6, -5, -4, -3, -2, 44]
