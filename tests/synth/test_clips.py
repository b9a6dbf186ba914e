"""Clips follow from their keys, machines differ, and every fault of every machine can be heard."""

import json

import numpy as np
import pytest

import osscl
from osscl import synth
from osscl.errors import ConfigError, MachineError
from osscl.synth import hard
from osscl.synth.machine_types import TYPES
from osscl.synth.severity import all_faults, parse_severities

KEY = synth.ClipKey("gearbox/id_01", seed=3, index=2)
PAIRS = [(f"{kind.name}/id_00", fault) for kind in TYPES for fault in kind.faults]


def test_the_key_decides_every_byte() -> None:
    clip = synth.make_clip(KEY)
    assert clip.shape == (160_000,)
    assert clip.dtype == np.float32
    np.testing.assert_array_equal(synth.make_clip(KEY), clip)
    others = [
        synth.ClipKey("gearbox/id_02", seed=3, index=2),
        synth.ClipKey("blower/id_01", seed=3, index=2),
        synth.ClipKey("gearbox/id_01", seed=4, index=2),
        synth.ClipKey("gearbox/id_01", seed=3, index=3),
        synth.ClipKey("gearbox/id_01", seed=3, index=2, split="train"),
        synth.ClipKey("gearbox/id_01", seed=3, index=2, label="anomaly"),
    ]
    for other in others:
        assert np.abs(np.corrcoef(synth.make_clip(other), clip)[0, 1]) < 0.2


@pytest.mark.parametrize(("machine", "fault"), PAIRS)
def test_every_fault_of_every_type_can_be_seen(machine: str, fault: str) -> None:
    for index in range(2):
        key = synth.ClipKey(machine, seed=11, index=index)
        healthy = osscl.log_mel(synth.make_clip(key)).mean(-1)
        changes_db = []
        for severity in synth.SEVERITIES:
            clip = synth.make_clip(key, synth.fault(fault, severity))
            assert np.isfinite(clip).all()
            assert np.abs(clip).max() < 1.0
            change_db = osscl.log_mel(clip).mean(-1) - healthy
            # whatever the gain: against what happens to most bands, the eight that change most
            spread_db = np.sort(np.abs(change_db - np.median(change_db)))[-8:].mean()
            changes_db.append(spread_db)
        assert changes_db[0] > 2.0
        assert changes_db[2] > changes_db[0]


def test_machines_are_named_spread_and_differ() -> None:
    names = [machine.name for machine in synth.machines(12)]
    assert names[:5] == [
        "blower/id_00",
        "waterpump/id_00",
        "gearbox/id_00",
        "compressor/id_00",
        "blower/id_01",
    ]
    assert len(set(names)) == 12
    assert [machine.name for machine in synth.machines(3)] == names[:3]
    for kind in TYPES:
        speeds = [synth.machine(f"{kind.name}/id_{number:02d}").speed_hz for number in range(3)]
        assert np.diff(sorted(speeds)).min() > 0.15 * (kind.speed_hz[1] - kind.speed_hz[0])
        assert kind.speed_hz[0] <= min(speeds) <= max(speeds) <= kind.speed_hz[1]


def test_no_type_is_one_that_a_published_model_knows() -> None:
    from osscl.machines.dcase import type_of

    published = {"fan", "pump", "slider", "ToyCar", "ToyConveyor", "valve"}
    assert published.isdisjoint(type_of(machine.name) for machine in synth.machines(12))


def test_normal_clips_of_one_machine_vary_as_real_ones_do() -> None:
    clips = [synth.make_clip(synth.ClipKey("waterpump/id_01", index=index)) for index in range(12)]
    levels_db = [10.0 * np.log10(np.mean(clip.astype(np.float64) ** 2)) for clip in clips]
    assert np.std(levels_db) > 2.0
    shapes_db = np.stack([osscl.log_mel(clip).mean(-1) for clip in clips])
    shapes_db -= shapes_db.mean(1, keepdims=True)
    assert shapes_db.std(0).mean() > 1.5


def test_severities_file_is_complete_and_grows() -> None:
    assert set(all_faults()) == set(synth.FAULTS)
    lasting = {fault for kind in TYPES for fault in kind.faults}
    assert lasting.isdisjoint(hard.FURTHER_FAULTS)
    assert lasting | set(hard.FURTHER_FAULTS) == set(synth.FAULTS)
    for name, by_severity in all_faults().items():
        figure = {"changed_speed": "speed", "missing_beat": "beats", "reversed_cycle": "beats"}.get(name)
        sizes = [getattr(by_severity[severity], figure or "level_db") for severity in synth.SEVERITIES]
        if figure == "speed":
            sizes = [-change for change in sizes]
        assert sizes == sorted(sizes)
        assert len(set(sizes)) == 3


def test_a_wrong_severities_file_is_refused() -> None:
    from importlib.resources import files

    right = json.loads(files("osscl.synth").joinpath("severities.json").read_text())
    assert parse_severities(json.dumps(right).encode()) == all_faults()
    wrong = [
        b"{",
        json.dumps(right | {"rust": right["leak"]}).encode(),
        json.dumps({name: right[name] for name in right if name != "leak"}).encode(),
        json.dumps(right | {"leak": right["leak"] | {"slight": {"level_db": 1.0}}}).encode(),
        json.dumps(right | {"leak": right["leak"] | {"fatal": right["leak"]["slight"]}}).encode(),
        json.dumps(right | {"leak": right["leak"] | {"slight": right["leak"]["slight"] | {"x": 1}}}).encode(),
    ]
    for text in wrong:
        with pytest.raises(ConfigError):
            parse_severities(text)


def test_wrong_keys_and_names_are_refused() -> None:
    with pytest.raises(MachineError, match="blower, waterpump, gearbox, compressor"):
        synth.ClipKey("fan/id_00")
    with pytest.raises(MachineError):
        synth.ClipKey("blower/id_0")
    with pytest.raises(ConfigError, match="seed is -1"):
        synth.ClipKey("blower/id_00", seed=-1)
    with pytest.raises(ConfigError, match="split is 'dev'"):
        synth.ClipKey("blower/id_00", split="dev")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="machines is 0"):
        synth.machines(0)
    with pytest.raises(ConfigError, match="fault is 'rust'"):
        synth.fault("rust", "slight")
    with pytest.raises(ConfigError, match="severity is 'fatal'"):
        synth.fault("leak", "fatal")
