"""Classes of a training: machines, sections, or a machine's conditions."""

from pathlib import Path

import pytest

from osscl.errors import TrainingDataError
from osscl.machines.attribute_tables import AttributeTables
from osscl.machines.label_table import LabelTable
from osscl.machines.survey import Survey
from osscl.training import read_training_data
from osscl.training.classes import class_of
from osscl.training.found import NotTaken, find_training_files
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
    for clip in data.clips:
        if clip.class_name not in lonely:
            Path(clip.path).unlink()
    with pytest.raises(TrainingDataError, match="each of 2 classes has one clip only"):
        read_training_data([tmp_path], classes="attributes")


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


def found_in(folder: Path, attributes: AttributeTables) -> tuple[set[str], list[str]]:
    """Classes of what is found, and why files cannot be used; nothing is read."""
    found = list(find_training_files([folder], NotTaken(), Survey(), attributes=attributes))
    problems = [str(each.candidate.problem) for each in found if each.candidate.problem is not None]
    return {class_of(each.told, "attributes") for each in found if each.candidate.problem is None}, problems


def test_tables_of_attributes_are_held_against_names(tmp_path: Path) -> None:
    make_layout("dcase2022", tmp_path, evaluation=False, sounds=False)
    bearing = tmp_path / "dev_data" / "bearing"
    table = bearing / "attributes_00.csv"
    name = "section_00_source_train_normal_000"
    (bearing / "train" / f"{name}0_vel_6.wav").rename(bearing / "train" / f"{name}0_noAttribute.wav")
    rewrite(table, f"{name}0_vel_6.wav,vel,6", f"{name}0_noAttribute.wav,vel,8")  # the table tells more
    rewrite(table, f"bearing/train/{name}1_vel_10.wav,vel,10\n", "")
    attributes = AttributeTables()
    classes, problems = found_in(tmp_path, attributes)
    assert "bearing/section_00/vel_8" in classes
    assert (attributes.without_row, problems) == (1, [])
    rewrite(table, f"{name}2_vel_6.wav,vel,6", f"{name}2_vel_6.wav,vel,7")
    (problem,) = found_in(tmp_path, AttributeTables())[1]
    assert problem == f"its name says vel_6, and {table} says vel_7; correct one of both"
    rewrite(table, "file_name", "name")
    problems = found_in(tmp_path, AttributeTables())[1]
    assert len(problems) == 6
    assert "does not begin with the column file_name" in problems[0]


def test_a_table_of_labels_names_what_is_trained_on(tmp_path: Path) -> None:
    make_layout("table", tmp_path, sounds=False)
    header, *rows = (tmp_path / "labels.csv").read_text().splitlines()

    def taken(*lines: str) -> tuple[int, int, int, int]:
        """Clips taken; anomalous, without label, without row."""
        (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
        labels, not_taken = LabelTable.read(tmp_path / "labels.csv"), NotTaken()
        found = list(find_training_files([tmp_path / "clips"], not_taken, Survey(), labels))
        bad = [each for each in found if each.candidate.problem is not None]
        assert all("the table of labels has no row for it" in str(each.candidate.problem) for each in bad)
        return len(found) - len(bad), len(not_taken.anomalous), len(not_taken.unlabelled), len(bad)

    assert taken(header, *rows) == (16, 4, 0, 0)
    assert taken(header, rows[0].replace(",normal,", ",,"), *rows[1:]) == (15, 4, 1, 0)
    assert taken(header, *rows[1:]) == (15, 4, 0, 1)
    without_labels = [",".join(row.split(",")[:2]) for row in (header, *rows)]
    assert taken(*without_labels) == (20, 0, 0, 0)  # who gives no label means normals


def test_normal_clips_of_sets_without_folders_for_training_are_split_as_published(tmp_path: Path) -> None:
    made = make_layout("idmt", tmp_path)
    with pytest.raises(TrainingDataError, match="4 clips of electric_engine/id_00 alone"):
        read_training_data([tmp_path])
    for each in made:
        if each.is_anomaly is False:
            (tmp_path / each.path).unlink()
    with pytest.raises(TrainingDataError, match="there is no normal recording to train on: 8 are anomalous"):
        read_training_data([tmp_path])
