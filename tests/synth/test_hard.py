"""The hard set: what its clips are made of, and what is said of each fault is where it is."""

from collections import Counter
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from osscl import synth
from osscl.errors import ConfigError
from osscl.evaluation.accuracy import GATE_PLAN, HARD_PLAN
from osscl.synth import hard, passing_faults, room
from osscl.synth.clip import machine_sound
from osscl.synth.cycle import Cycle
from osscl.synth.operating_modes import operating_mode
from osscl.synth.operation import draw_operating_point
from osscl.synth.severity import all_faults
from osscl.synth.shaft import shaft_turns
from osscl.synth.spectrum import DURATION_S, FREQUENCY_HZ, N_SAMPLES, SAMPLE_RATE_HZ, rms, to_signal

Float64 = npt.NDArray[np.float64]
KEY = synth.ClipKey("compressor/id_00", seed=5, index=1, mode="low")
CYCLE = Cycle(rate_hz=1.2, depth_db=6.0, rise=0.2)
TIME_S = np.arange(N_SAMPLES) / SAMPLE_RATE_HZ


def rng() -> np.random.Generator:
    return np.random.default_rng(4)


def within(time_s: tuple[float, float]) -> npt.NDArray[np.bool_]:
    return (time_s[0] <= TIME_S) & (time_s[1] > TIME_S)


def test_faults_are_six_decibels_fainter() -> None:
    for name, by_severity in all_faults().items():
        for severity, normal in by_severity.items():
            fainter = synth.fault(name, severity, fainter=True)
            if isinstance(normal, synth.SoundingFault):
                assert isinstance(fainter, synth.SoundingFault)
                assert normal.level_db - fainter.level_db == 6.0
            for depth in normal.depths:
                assert getattr(fainter, depth) == pytest.approx(0.501187 * getattr(normal, depth), rel=1e-5)
    assert {"modulation", "surge"} <= {d for kinds in all_faults().values() for d in kinds["slight"].depths}


def test_clips_lie_in_more_noise() -> None:
    drawn = [room.draw_place(np.random.default_rng(seed), hard.SNR_DB).snr_db for seed in range(200)]
    assert -6.0 <= min(drawn) < -5.5
    assert 5.5 < max(drawn) <= 6.0


def test_each_machine_has_two_modes_of_its_own() -> None:
    for machine in HARD_PLAN.all_machines():
        low, high = (operating_mode(machine, name) for name in synth.MODES)
        assert low.speed <= 0.95 < 1.05 <= high.speed
        assert low.load_db < 0.0 < high.load_db
        assert low.cycle.rate_hz < high.cycle.rate_hz
    modes = {operating_mode(machine, "low") for machine in HARD_PLAN.all_machines()}
    assert len(modes) == 12


def test_a_machine_runs_as_its_mode_says() -> None:
    machine = synth.machine(KEY.machine)
    point = draw_operating_point(machine, rng())
    mode = operating_mode(machine, "high")
    altered = mode.alter(point)
    assert altered.speed_hz == point.speed_hz * mode.speed
    assert altered.impact_db == point.impact_db + mode.load_db
    assert altered.cycle == mode.cycle
    clips = [synth.make_clip(replace(KEY, mode=name)) for name in (None, *synth.MODES)]
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(np.corrcoef(clips[first], clips[second])[0, 1]) < 0.2


def test_the_load_rises_fast_and_falls_slowly_in_every_beat() -> None:
    beats, _ = CYCLE.beats(rng())
    load = CYCLE.load(rng())
    assert load.min() == pytest.approx(10.0 ** (-6.0 / 20.0), abs=1e-3)
    assert load.max() == pytest.approx(1.0, abs=1e-3)
    rising, place = np.diff(load) > 0.0, beats[:-1] % 1.0
    assert rising[(place > 0.01) & (place < 0.19)].all()
    assert not rising[(place > 0.21) & (place < 0.99)].any()


@pytest.mark.parametrize("beats", [1, 3])
def test_missing_and_reversed_beats_are_where_the_evidence_says(beats: int) -> None:
    healthy = CYCLE.load(rng())
    for cycle in (replace(CYCLE, missing=beats), replace(CYCLE, backwards=beats)):
        disturbed = within(cycle.disturbed_s(rng()))
        assert disturbed.sum() / SAMPLE_RATE_HZ == pytest.approx(beats / 1.2, rel=0.1)
        load = cycle.load(rng())
        np.testing.assert_array_equal(load[~disturbed][:-1], healthy[~disturbed][:-1])
        if cycle.missing:
            np.testing.assert_allclose(load[disturbed], healthy.min(), atol=1e-3)
        else:
            assert (np.diff(load[disturbed]) > 0.0).mean() == pytest.approx(0.8, abs=0.03)


def test_an_event_sounds_once_in_its_band() -> None:
    key, machine = replace(KEY, mode=None), synth.machine(KEY.machine)
    point = draw_operating_point(machine, key.stream("operation"))
    for index in range(10):
        key = replace(key, index=index)
        event = synth.fault("event", "severe")
        assert isinstance(event, passing_faults.Event)
        healthy = machine_sound(machine, point, key)
        added = machine_sound(machine, point, key, event) - healthy
        assert 20.0 * np.log10(rms(added)) == pytest.approx(event.level_db, abs=1e-6)
        evidence = synth.evidence_of(key, event)
        assert evidence.rate_hz is None
        assert evidence.band_hz is not None
        assert evidence.time_s is not None
        assert 0.15 <= evidence.time_s[1] - evidence.time_s[0] <= 0.5
        assert 0.5 <= evidence.time_s[0] < evidence.time_s[1] <= DURATION_S - 0.5
        signal = to_signal(added)
        assert np.abs(signal[~within(evidence.time_s)]).max() < 1e-9 * np.abs(signal).max()
        power = np.abs(added) ** 2
        low_hz, high_hz = evidence.band_hz
        middle_hz = FREQUENCY_HZ[np.searchsorted(np.cumsum(power), 0.5 * power.sum())]
        assert low_hz < middle_hz < high_hz
        octave_around = (low_hz / 2.0 <= FREQUENCY_HZ) & (high_hz * 2.0 >= FREQUENCY_HZ)
        assert power[octave_around].sum() > 0.98 * power.sum()


def test_a_changed_speed_is_none_of_the_modes() -> None:
    machine = synth.machine(KEY.machine)
    for name in synth.MODES:
        usual_hz = machine.speed_hz * operating_mode(machine, name).speed
        slow_hz = synth.evidence_of(
            replace(KEY, mode=name), synth.fault("changed_speed", "severe", fainter=True)
        ).rate_hz
        assert slow_hz is not None
        assert 0.94 < slow_hz / usual_hz < 0.98


@pytest.mark.parametrize("name", ["imbalance", "bearing_defect", "looseness", "rubbing"])
def test_the_rate_of_a_lasting_fault_is_in_its_sound(name: str) -> None:
    key, machine = synth.ClipKey("blower/id_00", seed=3), synth.machine("blower/id_00")
    fault = synth.fault(name, "severe")
    assert isinstance(fault, synth.SoundingFault)
    point = fault.alter(draw_operating_point(machine, key.stream("operation")))
    evidence = synth.evidence_of(key, fault)
    assert evidence.rate_hz is not None
    flat = np.ones(len(FREQUENCY_HZ), np.complex128)
    turns = shaft_turns(point.speed_hz, 0.0, rng())
    sound = to_signal(fault.sound(machine, turns, flat, key.stream("fault")))
    if evidence.band_hz is not None:  # noise or ringing: the rate is that of its envelope
        sound = sound**2 - np.mean(sound**2)
    power = np.abs(np.fft.rfft(sound * np.hanning(N_SAMPLES))) ** 2
    at = round(evidence.rate_hz * DURATION_S)
    assert power[at - 2 : at + 3].max() > 30.0 * np.median(power[at - 60 : at + 60])


def test_the_hiss_of_a_leak_lies_in_its_band() -> None:
    key = synth.ClipKey("blower/id_00", seed=3)
    fault = synth.fault("leak", "severe")
    bands = [synth.evidence_of(replace(key, index=index), fault).band_hz for index in range(3)]
    assert len(set(bands)) == 3
    for band_hz in bands:
        assert band_hz is not None
        assert 0.92 * 3200.0 <= band_hz[0] <= 1.08 * 3200.0
        assert band_hz[1] == 7400.0


def test_faults_severities_and_modes_meet_evenly() -> None:
    triples = Counter(
        (clip.key.machine, clip.key.label, clip.fault, clip.severity, clip.key.mode)
        for clip in HARD_PLAN.clips()
        if clip.key.split == "test"
    )
    for machine in HARD_PLAN.all_machines():
        counts = {key[2:]: count for key, count in triples.items() if key[0] == machine.name}
        assert counts.pop((None, None, "low")) == counts.pop((None, None, "high")) == 30
        kinds = {fault for fault, _, _ in counts}
        assert kinds == {*machine.type.faults, *hard.FURTHER_FAULTS}
        assert sum(counts.values()) == 60
        assert len(counts) == 6 * len(kinds)
        assert max(counts.values()) <= 2


def test_a_fault_of_cycles_needs_a_cycle() -> None:
    for name in ("missing_beat", "reversed_cycle"):
        with pytest.raises(ConfigError, match=r"give the clip's key a mode"):
            synth.make_clip(replace(KEY, mode=None), synth.fault(name, "slight"))
        with pytest.raises(ConfigError, match="make the set `hard`"):
            synth.DatasetPlan(anomalous=1, faults=(name,))
    with pytest.raises(ConfigError, match="mode is 'idle'; expected one of: low, high"):
        replace(KEY, mode="idle")  # type: ignore[arg-type]
    assert not GATE_PLAN.hard
