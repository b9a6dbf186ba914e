"""Machines over a table of scores: drift, alarms, what cannot be watched and why."""

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from osscl.decisions.alarms import AlarmRule
from osscl.errors import ConfigError, DecisionError, EvaluationError
from osscl.features import memory_features
from osscl.model_file.bundle import Bundle, read_bundle
from osscl.monitoring import AlarmBudget, WatchOptions, watch
from osscl.scoring.judges import Judges
from osscl.scoring.record import Record
from osscl.support.durations import parse_duration
from support.remembering import calibration, normal_clips, stored_memory, write_clips, write_model
from support.score_streams import MACHINE, N_CALIBRATION, normal_scores, records, write_calibrated

N = 300
CHANGE = 200


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return read_bundle(write_calibrated(tmp_path_factory.mktemp("model") / "model.onnx"))


@pytest.fixture(scope="module")
def changed() -> list[Record]:
    scores = normal_scores(1, N)
    scores[CHANGE:] += 2
    return records(scores)


def test_a_machine_that_does_not_change_raises_nothing(bundle: Bundle) -> None:
    [found] = watch(records(normal_scores(2, N)), bundle).machines
    assert (found.machine, found.n_clips, found.n_calibration, found.distance) == (MACHINE, N, 200, 1)
    assert (found.drift, found.alarms, found.note) == (None, (), None)
    assert found.used.tolist() == list(range(N))
    assert found.log10_martingale.max() < 1 < found.log10_limit == 3


def test_a_change_is_told_with_its_time_and_what_to_do(bundle: Bundle, changed: list[Record]) -> None:
    [found] = watch(changed, bundle).machines
    assert found.drift is not None
    assert CHANGE <= found.drift.alarmed_at < CHANGE + 25
    assert abs(found.drift.began_at - CHANGE) <= 5
    assert found.drift.began == changed[found.drift.began_at].recorded_at
    time = (found.drift.began or "").replace("T", " ")[:16]
    assert found.drift.sentence == (
        f"clips of fan/id_00 are no longer like its calibration, since about {time}: scores are higher; "
        "look at the machine, and where it is well, tell the model of its new sound by osscl calibrate"
    )
    assert found.drift.block_z == {}


def test_clip_numbers_stand_where_no_time_is_known(bundle: Bundle) -> None:
    scores = np.concatenate([normal_scores(1, 100), normal_scores(3, 100) - 1.2])
    [found] = watch(records(scores, every_s=None), bundle).machines
    assert found.drift is not None
    assert found.drift.began is None
    assert f"since about clip {found.drift.began_at + 1} of 200: scores are lower" in found.drift.sentence
    assert found.times == (None,) * 200


def test_the_order_of_time_counts_not_that_of_the_table(bundle: Bundle, changed: list[Record]) -> None:
    shuffled = [changed[i] for i in np.random.default_rng(4).permutation(N)]
    [expected], watching = watch(changed, bundle).machines, watch(shuffled, bundle)
    [found] = watching.machines
    assert found.drift == expected.drift
    assert found.alarms == expected.alarms
    assert [shuffled[line] for line in found.lines] == changed
    assert any("times go back" in note for note in watching.notes)


def test_what_is_alike_is_thinned_and_that_is_said(bundle: Bundle) -> None:
    held = np.repeat(normal_scores(5, 100), 8)  # as a machine whose state changes slowly
    watching = watch(records(held), bundle)
    [found] = watching.machines
    assert 8 <= found.distance <= 20
    assert found.drift is None
    assert any("neighbouring clips are alike: one of" in note for note in watching.notes)
    [every] = watch(records(held), bundle, WatchOptions(distance=1)).machines
    assert every.log10_martingale.max() > 3


def test_lines_without_a_score_are_passed_over(bundle: Bundle, changed: list[Record]) -> None:
    broken = Record(path="broken.wav", machine=MACHINE, status="corrupt")
    watching = watch([broken, *changed, broken], bundle)
    [found] = watching.machines
    assert watching.n_lines == N + 2
    assert found.lines == tuple(range(1, N + 1))


def test_one_clip_is_watched(bundle: Bundle) -> None:
    [found] = watch(records([2.0]), bundle).machines
    assert (found.n_clips, found.drift, found.note) == (1, None, None)


def test_alarms_are_raised_from_the_decisions_of_the_table(bundle: Bundle) -> None:
    lines = records(np.full(40, 1.0))
    flagged = {10, 11, 12, 30}
    lines = [replace(line, is_anomaly=number in flagged) for number, line in enumerate(lines)]
    options = WatchOptions(alarm=AlarmRule(2, 3))
    watching = watch(lines, bundle, options)
    [alarm] = watching.machines[0].alarms
    assert (alarm.raised_at, alarm.released_at) == (11, 14)
    assert (alarm.raised, alarm.released) == (lines[11].recorded_at, lines[14].recorded_at)
    facts = watching.alarm_facts[MACHINE]
    assert (facts.n, facts.m, facts.every_s, facts.n_recordings) == (2, 3, 10, N_CALIBRATION)
    assert facts.false_alarm_rate == pytest.approx(10 / 201)  # 5 % of 201 are 10 whole ones
    [held] = watch(lines, bundle, WatchOptions(alarm=AlarmRule(2, 3, hold=25))).machines[0].alarms
    assert held.released_at == 36


def test_undecided_clips_count_in_no_window(bundle: Bundle) -> None:
    lines = [replace(line, is_anomaly=number in (3, 5)) for number, line in enumerate(records(np.ones(8)))]
    lines[4] = replace(lines[4], is_anomaly=None, threshold=None)
    [alarm] = watch(lines, bundle, WatchOptions(alarm=AlarmRule(2, 2))).machines[0].alarms
    assert (alarm.raised_at, alarm.released_at) == (5, 6)


def test_n_of_m_is_chosen_for_the_false_alarms_asked_for(bundle: Bundle, changed: list[Record]) -> None:
    facts = watch(changed, bundle, WatchOptions(false_alarms=AlarmBudget.parse("1/week"))).alarm_facts[
        MACHINE
    ]
    assert facts.asked is not None
    assert facts.asked == pytest.approx(1 / 60_480)
    assert facts.raised <= facts.asked < facts.raised * 60
    assert facts.raised_a_week is not None
    assert facts.raised_a_week <= 1


def test_why_no_alarms_can_be_raised_is_said(bundle: Bundle, changed: list[Record]) -> None:
    asked = WatchOptions(false_alarms=AlarmBudget(1, "week"))
    without_times = watch(records(normal_scores(1, 50), every_s=None), bundle, asked)
    assert without_times.notes == (
        "fan/id_00: no alarms: 1/week means nothing where times are not known; say how often a clip comes, "
        "such as osscl monitor --every 10s",
    )
    assert not without_times.alarm_facts
    never = watch(changed, bundle, WatchOptions(false_alarms=AlarmBudget(1e-60, "year")))
    assert "cannot be had by up to 60 clips" in never.notes[0]
    assert "/year can; or decide the table at a lower rate, 0.004976 or more" in never.notes[0]
    undecided = watch(records(normal_scores(1, 50), rate=None), bundle)
    assert undecided.notes == (
        "fan/id_00: no alarms: the table holds no decisions of it; osscl decide makes them",
    )
    assert undecided.machines[0].note is None  # drift needs none


def test_machines_that_cannot_be_watched_say_why(bundle: Bundle) -> None:
    strange = records([1.0, 2.0], "valve/id_09")
    unnamed = [replace(strange[0], machine=None)]
    machines = watch([*strange, *unnamed, *records(normal_scores(1, 5))], bundle).machines
    assert [each.machine for each in machines] == ["valve/id_09", "", MACHINE]
    assert machines[0].note == "the model file does not know it"
    assert machines[1].note == "the table does not say of which machine these clips are"
    assert machines[2].note is None
    assert (machines[0].used.size, machines[0].drift, machines[0].n_clips) == (0, None, 2)
    two = [records([1.0])[0], replace(records([1.0])[0], rule="memory")]
    assert (
        watch(two, bundle).machines[0].note
        == "it was scored by the rules memory and network: score it by one"
    )


def test_a_machine_without_a_calibration_is_not_watched(tmp_path: Path) -> None:
    plain = read_bundle(write_model(tmp_path / "plain.onnx"))
    [found] = watch(records([1.0, 2.0]), plain).machines
    assert found.note == (
        "it is not calibrated: osscl calibrate on normal recordings that were not trained on"
    )
    few = read_bundle(write_calibrated(tmp_path / "few.onnx", 2))
    [found] = watch(records([1.0, 2.0]), few).machines
    assert found.note == "its calibration is of 2 recordings: 3 are the least, and 20 or more tell something"


def test_a_calibration_that_may_be_trained_on_is_said(tmp_path: Path) -> None:
    trained = replace(calibration(MACHINE, "network", normal_scores(0, 50)), is_guaranteed=False)
    path = write_model(tmp_path / "trained.onnx", [], [trained], {MACHINE: "network"})
    notes = watch(records(normal_scores(1, 30), rate=None), read_bundle(path)).notes
    assert notes[0].startswith(
        "fan/id_00: drift may be false: normal clips that it was calibrated on were trained on"
    )


def test_scores_of_another_model_are_refused(bundle: Bundle, changed: list[Record]) -> None:
    own = Judges(bundle.manifest, "network").fingerprint(MACHINE)
    assert watch(changed, bundle, scored={"scored_by": {MACHINE: own}}).machines[0].note is None
    with pytest.raises(DecisionError, match="fan/id_00: it was scored by another network or memory"):
        watch(changed, bundle, scored={"scored_by": {MACHINE: "0" * 16}})
    both = [*changed, *records([1.0], "pump/id_02")]
    found = watch(both, bundle, scored={"scored_by": {MACHINE: "0" * 16}}).machines
    assert "another network" in (found[0].note or "")  # one of several machines keeps its reason


def test_a_table_that_tells_nothing_is_refused(bundle: Bundle, changed: list[Record]) -> None:
    with pytest.raises(EvaluationError, match="the table holds no score: 1 line,"):
        watch([Record(path="a.wav", machine=MACHINE, status="corrupt")], bundle)
    with pytest.raises(EvaluationError, match="flagged clips alone"):
        watch(changed, bundle, scored={"options": {"only": "anomalies"}})
    with pytest.raises(EvaluationError, match="flagged clips alone"):  # of a table that was decided anew
        watch(changed, bundle, scored={"options": {}, "scored": {"options": {"only": "anomalies"}}})


@pytest.fixture(scope="module")
def remembered(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A memory of the same machine."""
    path = tmp_path_factory.mktemp("memory") / "m.onnx"
    return read_bundle(write_model(path, [stored_memory(MACHINE, normal_clips(1, 16))], network=False))


def test_the_block_and_the_bands_are_told_where_they_are_known(remembered: Bundle, tmp_path: Path) -> None:
    judge = Judges(remembered.manifest).of(MACHINE)
    assert judge.memory is not None
    louder = normal_clips(2, 10).astype(np.float64)
    t = np.arange(louder.shape[1]) / 16_000
    louder = (louder + 4000 * np.sin(2 * np.pi * 900 * t)).astype(np.int16)
    clips = np.concatenate([normal_clips(3, 6), louder])
    write_clips(tmp_path / "sound" / MACHINE, "", clips)
    scores = judge.memory.score(memory_features(clips))
    lines = [
        Record(
            path=f"{MACHINE}/{i:08}.wav",
            machine=MACHINE,
            score=float(np.float32(scores.score[i])),
            rule="memory",
            z_level=float(scores.z_level[i]),
            z_modulation=float(scores.z_modulation[i]),
            z_flutter=float(scores.z_flutter[i]),
            z_event=float(scores.z_event[i]),
        )
        for i in range(16)
    ]
    drift = (
        watch(lines, remembered, WatchOptions(audio_root=tmp_path / "sound", drift_rate=0.05))
        .machines[0]
        .drift
    )
    assert drift is not None
    assert max(drift.block_z, key=lambda name: abs(drift.block_z[name])) == "level"
    assert drift.block_z["level"] == pytest.approx(scores.z_level[drift.began_at :].mean())
    assert len(drift.bands) == 1
    assert drift.bands[0].startswith("+")
    low, high = drift.bands[0].partition(" at ")[2].removesuffix(" Hz").removesuffix(" kHz").split(" to ")
    scale = 1000 if drift.bands[0].endswith("kHz") else 1
    assert float(low) * scale < 900 < float(high) * scale
    assert "above all its level (z +" in drift.sentence
    assert drift.sentence.endswith("by osscl enroll --add")
    elsewhere = watch(lines, remembered, WatchOptions(audio_root=tmp_path, drift_rate=0.05)).machines[0].drift
    assert elsewhere is not None
    assert elsewhere.bands == ()


def test_clips_that_were_filled_up_are_left_out(remembered: Bundle) -> None:
    lines = [replace(line, rule="memory", duration_s=10.0) for line in records(np.zeros(20))]
    lines[3] = replace(lines[3], duration_s=4.0)
    watching = watch(lines, remembered)
    assert watching.machines[0].n_clips == 19
    assert 3 not in watching.machines[0].lines
    assert watching.notes[0] == (
        "fan/id_00: 1 of 20 clips is left out: filled up, or not, unlike those of its calibration"
    )
    [short] = watch([lines[3]], remembered).machines
    assert short.note == "no clip of it is as its calibration was"


@pytest.mark.parametrize("text", ["1", "week", "0/week", "1/fortnight", "-1/day", "1e3/day"])
def test_what_is_no_rate_of_false_alarms_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="expected a number and a time, one of: second, minute, hour"):
        AlarmBudget.parse(text)


def test_budgets_and_times_are_read() -> None:
    assert AlarmBudget.parse(" 0.5 / Month ") == AlarmBudget(0.5, "month")
    assert str(AlarmBudget.parse("1/week")) == "1/week"
    assert [parse_duration(text) for text in ("10s", "1.5 min", "2h", "1d", "10", "0.5")] == [
        10,
        90,
        7200,
        86400,
        10,
        0.5,
    ]
    for text in ("", "s", "-10", "nan", "1e3", "0", "0s", "1 fortnight"):
        with pytest.raises(ConfigError, match="expected a number and s, min, h or d"):
            parse_duration(text)
    with pytest.raises(ConfigError, match="distance is 0"):
        WatchOptions(distance=0)
    with pytest.raises(ConfigError, match="every 0 s"):
        WatchOptions(every_s=0)
    with pytest.raises(ConfigError, match="drift_rate is 1"):
        WatchOptions(drift_rate=1)
