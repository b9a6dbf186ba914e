"""Classes of a training: machines, sections, or a machine's conditions."""

from pathlib import Path

import pytest

from osscl.errors import TrainingDataError
from osscl.machines.survey import Survey
from osscl.training import read_training_data
from osscl.training.hold_out import split_hold_out
from support.made_up_layouts import make_layout
from support.once import made_once


def data_of(name: str) -> Path:
    return made_once(f"layout_{name}", lambda at: make_layout(name, at, evaluation=False))


def test_conditions_are_classes_that_know_their_machines() -> None:
    said: list[Survey] = []
    data = read_training_data([data_of("dcase2022")], classes="attributes", on_survey=said.append)
    assert data.classes == (
        "bearing/section_00/vel_10",
        "bearing/section_00/vel_6",
        "bearing/section_01/vel_10",
        "bearing/section_01/vel_6",
        "ToyCar/section_00/car_A1_spd_28V_mic_1",
        "ToyCar/section_00/car_A1_spd_31V_mic_1",
    )
    assert (
        data.class_machines
        == ("bearing/section_00",) * 2 + ("bearing/section_01",) * 2 + ("ToyCar/section_00",) * 2
    )
    assert [data.classes[data.label(clip)] for clip in data.clips] == [clip.class_name for clip in data.clips]
    assert len(data.clips) == 18
    assert [survey.n_told for survey in said] == [42]  # test clips are counted, and not taken
    machines = read_training_data([data_of("dcase2022")])
    assert machines.classes == ("bearing/section_00", "bearing/section_01", "ToyCar/section_00")
    assert machines.class_machines is None
    assert read_training_data([data_of("dcase2022")], classes="section").classes == machines.classes
    assert data.fingerprint != machines.fingerprint


def test_a_class_of_one_clip_is_trained_on_and_not_held_out(tmp_path: Path) -> None:
    for made in make_layout("dcase2022", tmp_path, evaluation=False):
        rare = "vel_10" in made.path or "31V" in made.path
        if rare and "train_normal_0001" not in made.path:
            (tmp_path / made.path).unlink()  # one of the source domain stays, and one of the target's
        elif rare and "_target_" in made.path:
            (tmp_path / made.path).unlink()
    data = read_training_data([tmp_path], classes="attributes")
    split = split_hold_out(data, 0.05, 1)
    lonely = {"bearing/section_00/vel_10", "ToyCar/section_00/car_A1_spd_31V_mic_1"}
    assert lonely <= {clip.class_name for clip in split.training}
    assert not lonely & {clip.class_name for clip in split.hold_out}
    assert {clip.class_name for clip in split.training} == set(data.classes)
    assert not set(split.training) & set(split.hold_out)


def test_sections_are_refused_where_machines_have_ids() -> None:
    with pytest.raises(
        TrainingDataError, match=r"classes \(--classes\) is section, and \w+/id_0\d has no sec"
    ):
        read_training_data([data_of("dcase2020")], classes="section")


def test_one_type_alone_is_taken_if_it_has_two_classes() -> None:
    data = read_training_data([data_of("dcase2022")])
    assert data.types == ("bearing", "ToyCar")
    bearing = data.of_type("bearing")
    assert bearing.classes == ("bearing/section_00", "bearing/section_01")
    assert len(bearing.clips) == 12
    with pytest.raises(TrainingDataError, match="6 clips of ToyCar/section_00 alone"):
        data.of_type("ToyCar")


def rewrite(table: Path, old: str, new: str) -> None:
    text = table.read_text()
    assert old in text
    table.write_text(text.replace(old, new, 1))


def test_tables_of_attributes_are_held_against_names(tmp_path: Path) -> None:
    make_layout("dcase2022", tmp_path, evaluation=False)
    bearing = tmp_path / "dev_data" / "bearing"
    table = bearing / "attributes_00.csv"
    assert read_training_data([tmp_path], classes="attributes").n_without_row == 0
    name = "section_00_source_train_normal_0000"
    (bearing / "train" / f"{name}_vel_6.wav").rename(bearing / "train" / f"{name}_noAttribute.wav")
    rewrite(table, f"{name}_vel_6.wav,vel,6", f"{name}_noAttribute.wav,vel,8")  # the table tells more
    found = read_training_data([tmp_path], classes="attributes")
    assert "bearing/section_00/vel_8" in found.classes
    rewrite(table, "train/section_00_source_train_normal_0001_vel_10.wav,vel,10\n", "")
    assert read_training_data([tmp_path], classes="attributes").n_without_row == 1
    rewrite(
        table,
        "section_00_source_train_normal_0002_vel_6.wav,vel,6",
        "section_00_source_train_normal_0002_vel_6.wav,vel,7",
    )
    with pytest.raises(TrainingDataError, match=r"its name says vel_6, and .*attributes_00.csv says vel_7"):
        read_training_data([tmp_path], classes="attributes")
    assert read_training_data([tmp_path]).class_machines is None  # nobody asked the table
    rewrite(table, "file_name", "name")
    with pytest.raises(TrainingDataError, match="does not begin with the column file_name"):
        read_training_data([tmp_path], classes="attributes")


def test_a_table_of_labels_names_what_is_trained_on(tmp_path: Path) -> None:
    folder = data_of("table")
    data = read_training_data([folder / "clips"], labels=folder / "labels.csv")
    assert data.classes == ("lathe/south", "press/north")
    assert (len(data.clips), data.n_anomalous, data.n_unlabelled) == (16, 4, 0)
    table = tmp_path / "labels.csv"
    rows = [f"{folder}/{line}" for line in (folder / "labels.csv").read_text().splitlines()[1:]]
    rows[0] = rows[0].replace(",normal,", ",,")
    table.write_text("\n".join(["path,machine,label,domain,recording", *rows]) + "\n")
    assert read_training_data([folder / "clips"], labels=table).n_unlabelled == 1
    table.write_text("\n".join(["path,machine", *(",".join(row.split(",")[:2]) for row in rows)]) + "\n")
    assert (
        len(read_training_data([folder / "clips"], labels=table).clips) == 20
    )  # who gives no label means normals
    table.write_text("\n".join(["path,machine", *(",".join(row.split(",")[:2]) for row in rows[1:])]) + "\n")
    with pytest.raises(TrainingDataError, match="the table of labels has no row for it"):
        read_training_data([folder / "clips"], labels=table)


def test_normal_clips_of_sets_without_folders_for_training_are_split_as_published(tmp_path: Path) -> None:
    made = make_layout("idmt", tmp_path)
    with pytest.raises(TrainingDataError, match="4 clips of electric_engine/id_00 alone"):
        read_training_data([tmp_path])
    for each in made:
        if each.is_anomaly is False:
            (tmp_path / each.path).unlink()
    with pytest.raises(TrainingDataError, match="there is no normal recording to train on: 8 are anomalous"):
        read_training_data([tmp_path])
