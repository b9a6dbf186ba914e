"""Sets of two sites: names as in DCASE 2023, counts, attributes, and what is other at the second site."""

import csv
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from osscl import synth
from osscl.errors import ConfigError
from osscl.machines.domains import domain_in
from osscl.machines.layout import MachineFromLayout
from osscl.synth.names import in_layout_2023
from osscl.synth.site import nominal_speed_rpm, second_site

PLAN = synth.DatasetPlan(machines=2, train=5, normal=5, anomalous=4, seed=5, second_site=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small set of two sites."""
    folder = tmp_path_factory.mktemp("sites")
    for _ in synth.write_dataset(folder, PLAN):
        pass
    return folder


def names_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.wav"))


def test_files_stand_as_dcase_2023_names_them(folder: Path) -> None:
    names = names_in(folder)
    assert len(names) == 14
    assert "blower/train/section_00_source_train_normal_0001_speed_1800.wav" in names
    assert "blower/train/section_00_target_train_normal_0000_speed_1554.wav" in names
    assert "waterpump/test/section_00_target_test_anomaly_0000_speed_2363.wav" in names
    machine_of = MachineFromLayout(folder)
    domains: Counter[tuple[str, str | None]] = Counter()
    for name in names:
        assert machine_of(folder / name) == f"{name.split('/')[0]}/section_00"
        domains[name.split("/")[1], domain_in(name)] += 1
    assert domains == {
        ("train", "source"): 3,
        ("train", "target"): 2,
        ("test", "source"): 5,
        ("test", "target"): 4,
    }


def test_attributes_stand_beside_the_clips_of_each_machine(folder: Path) -> None:
    told: dict[str, tuple[str, str]] = {}
    for path in sorted(folder.glob("*/attributes_00.csv")):
        with path.open(newline="") as file:
            rows = list(csv.reader(file))
        assert rows[0] == ["file_name", "d1p", "d1v"]
        told |= {name: (parameter, value) for name, parameter, value in rows[1:]}
    assert sorted(told) == names_in(folder)
    for name, (parameter, value) in told.items():
        assert name.endswith(f"_{parameter}_{value}.wav")
    assert told["blower/train/section_00_target_train_normal_0000_speed_1554.wav"] == ("speed", "1554")


def test_the_record_tells_domain_and_attributes(folder: Path) -> None:
    record = json.loads((folder / "synth.json").read_text())
    assert record["second_site"]
    assert record["target"] == 2
    assert record["machines"] == ["blower/section_00", "waterpump/section_00"]
    for row in record["clips"]:
        assert row["domain"] == domain_in(row["path"])
        assert row["machine"] == f"{row['path'].split('/')[0]}/section_00"
        assert row["path"].endswith(f"_speed_{row['attributes']['speed']}.wav")


def test_a_set_of_one_site_says_nothing_of_sites(tmp_path: Path) -> None:
    for _ in synth.write_dataset(tmp_path, synth.DatasetPlan(machines=1, normal=1)):
        pass
    record = json.loads((tmp_path / "synth.json").read_text())
    assert "second_site" not in record
    assert {"domain", "attributes"}.isdisjoint(record["clips"][0])
    assert not list(tmp_path.rglob("attributes*"))


def test_a_hundredth_is_of_the_target_and_one_a_machine_at_least() -> None:
    as_published = synth.DatasetPlan(machines=2, train=2000, second_site=True)
    assert Counter(clip.key.site for clip in as_published.clips()) == {"source": 1980, "target": 20}
    few = synth.DatasetPlan(machines=12, train=120, second_site=True)
    assert Counter(clip.key.site for clip in few.clips()) == {"source": 108, "target": 12}
    chosen = synth.DatasetPlan(machines=12, train=120, target=36, second_site=True)
    per_machine = Counter(clip.key.machine for clip in chosen.clips() if clip.key.site == "target")
    assert set(per_machine.values()) == {3}
    none = synth.DatasetPlan(machines=1, train=9, target=0, second_site=True)
    assert {clip.key.site for clip in none.clips()} == {"source"}


def test_both_domains_have_the_same_faults() -> None:
    plan = synth.DatasetPlan(machines=4, normal=8, anomalous=160, seed=1, second_site=True)
    kinds = {
        site: Counter(
            (clip.key.machine, clip.fault, clip.severity) for clip in plan.clips() if clip.key.site == site
        )
        for site in ("source", "target")
    }
    assert kinds["source"] == kinds["target"]


def test_clips_are_the_same_for_ever_and_differ_between_sites() -> None:
    first, again = (synth.make_clip(synth.ClipKey("blower/id_00", 1, site="target")) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, synth.make_clip(synth.ClipKey("blower/id_00", 1, site="source")))
    np.testing.assert_array_equal(
        synth.make_clip(synth.ClipKey("blower/id_00", 1, site="source")),
        synth.make_clip(synth.ClipKey("blower/id_00", 1)),
    )


def test_a_machine_runs_otherwise_at_its_second_site() -> None:
    for machine in synth.machines(12):
        there = second_site(machine.name)
        assert 0.06 <= abs(there.speed - 1.0) <= 0.14
        assert 2.0 <= abs(there.load_db) <= 5.0
        assert there.speed * machine.speed_hz == pytest.approx(
            nominal_speed_rpm(machine, "target") / 60, abs=0.01
        )
        in_db = 20 * np.log10(there.response[1:])
        assert in_db.max() - in_db.min() > 10.0
        assert np.sqrt(np.mean(there.hum**2)) == pytest.approx(1.0)
    first, other = (second_site(machine.name).response for machine in synth.machines(2))
    assert not np.array_equal(first, other)


def test_names_count_beyond_four_digits() -> None:
    named = in_layout_2023(synth.ClipKey("gearbox/id_07", 1, "train", index=12345, site="target"))
    assert named.path.startswith("gearbox/train/section_07_target_train_normal_12345_speed_")


def test_wrong_numbers_of_target_clips_are_refused() -> None:
    with pytest.raises(ConfigError, match="target is given for a set of one site; set `second_site`"):
        synth.DatasetPlan(train=10, target=3)
    with pytest.raises(ConfigError, match="target is 11; expected a number from 0 to 10"):
        synth.DatasetPlan(train=10, target=11, second_site=True)
    with pytest.raises(ConfigError, match="target is -1"):
        synth.DatasetPlan(train=10, target=-1, second_site=True)
    with pytest.raises(ConfigError, match="site is 'third'; expected one of: source, target"):
        synth.ClipKey("blower/id_00", site="third")  # type: ignore[arg-type]
