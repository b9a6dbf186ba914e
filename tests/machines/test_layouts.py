"""Published layouts: what place and name of a recording tell, and what is said of a folder as a whole."""

from pathlib import Path

import pytest

from osscl.errors import MachineError
from osscl.machines.layouts import LAYOUTS, told_in
from osscl.machines.survey import Survey
from osscl.machines.telling import Telling
from osscl.machines.told import NOTHING
from support import made_up_layouts
from support.made_up_layouts import make_layout

IN_NO_LAYOUT = {"normals", "table"}
PUBLISHED = sorted(made_up_layouts.LAYOUTS.keys() - IN_NO_LAYOUT)


def survey_of(folder: Path) -> Survey:
    survey, telling = Survey(), Telling()
    for path in sorted(folder.rglob("*.wav")):
        survey.add(path, telling.fittings(path))
    return survey


def said_of(folder: Path) -> list[str]:
    return list(survey_of(folder).sentences())


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_recording_tells_what_its_set_says_of_it(name: str, tmp_path: Path) -> None:
    telling = Telling()
    made = make_layout(name, tmp_path, sounds=False)
    assert len({each.machine.partition("/")[0] for each in made}) >= (1 if name == "idmt" else 2)
    for each in made:
        told = telling.of(tmp_path / each.path)
        assert (told.machine, told.purpose, told.is_anomaly, told.domain, told.recording) == (
            each.machine, each.purpose, each.is_anomaly, each.domain, each.recording
        ), each.path  # fmt: skip
        if name.startswith(("dcase202", "mimii_d")):
            spelled = each.attributes.get("attributes") or "_".join(
                part for pair in each.attributes.items() for part in pair
            )
            assert told.attributes == spelled, each.path


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: f"{layout.key}, {layout.example}")
def test_the_example_of_each_row_fits_it(layout: object) -> None:
    told = told_in(f"/data/{layout.example}")  # type: ignore[attr-defined]
    assert told is not None
    assert told.machine


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("dcase2020", "DCASE 2020: 2 types, 4 machines, 14 training clips, 12 test clips (4 without label)"),
        (
            "dcase2021",
            "DCASE 2021: 2 types, 5 machines, 2 domains, 26 training clips, 32 test clips (8 without label)",
        ),
        ("dcase2023", "DCASE 2023: 4 types, 2 domains, 18 training clips, 20 test clips (4 without label)"),
        (
            "dcase2025",
            "DCASE 2025: 4 types, 2 domains, 18 training clips, 20 test clips (4 without label), 4 "
            "supplemental clips",
        ),
        ("mimii", "MIMII: 2 types, 6 training clips, 8 test clips"),
        ("mimii_due", "DCASE 2021 or MIMII DUE: 2 types, 2 domains, 12 training clips, 16 test clips"),
        ("toyadmos2", "ToyADMOS 2: 2 types, 4 test clips, 12 clips for training or testing"),
        (
            "idmt",
            "IDMT-ISA electric engine: 1 type, 4 training clips, 12 test clips, 8 anomalous clips beside "
            "those for training",
        ),
        ("normals", "8 recordings in no published layout"),
    ],
)
def test_what_was_found_is_said_in_a_line(name: str, said: str, tmp_path: Path) -> None:
    make_layout(name, tmp_path, sounds=False)
    assert said_of(tmp_path) == [said]


def test_years_that_cannot_be_told_apart_are_named_together(tmp_path: Path) -> None:
    make_layout("dcase2023", tmp_path, evaluation=False, sounds=False)
    assert said_of(tmp_path)[0].startswith("DCASE 2023 or DCASE 2024: 2 types")
    (tmp_path / "dev_data" / "bearing").rename(tmp_path / "dev_data" / "press")  # a type of nobody's
    (own,) = said_of(tmp_path)
    assert own.startswith("machines of your own, laid out as DCASE 2022 to 2025: ")


def test_of_many_sets_that_it_may_be_the_layout_is_said_once(tmp_path: Path) -> None:
    for name in ("section_00_source_train_normal_0000", "section_01_source_train_normal_0000"):
        (tmp_path / "gearbox" / "train").mkdir(parents=True, exist_ok=True)
        (tmp_path / "gearbox" / "train" / f"{name}.wav").touch()
    assert said_of(tmp_path) == [  # of 2021, of MIMII DUE, of 2022, or of MIMII DG
        "DCASE 2021 or DCASE 2022 to 2025: 1 type, 2 machines, 1 domain, 2 training clips"
    ]
    (tmp_path / "gearbox" / "supplemental").mkdir()
    (tmp_path / "gearbox" / "supplemental" / "section_00_noise_supplemental_normal_0000.wav").touch()
    (tmp_path / "gearbox" / "source_test").mkdir()
    (tmp_path / "gearbox" / "source_test" / "section_00_source_test_normal_0000.wav").touch()
    assert (survey_of(tmp_path).mixed or "").count("2025") == 1


def test_two_sets_side_by_side_are_said_each(tmp_path: Path) -> None:
    make_layout("dcase2020", tmp_path / "a", sounds=False)
    make_layout("dcase2023", tmp_path / "b", sounds=False)
    survey = survey_of(tmp_path)
    assert survey.mixed is None
    assert [line.partition(":")[0] for line in survey.sentences()] == ["DCASE 2020", "DCASE 2023"]


@pytest.mark.parametrize(
    ("beside", "titles"),
    [
        ("fan/test/section_00_source_test_normal_0000.wav", ("DCASE 2021", "DCASE 2022 to 2025")),
        ("fan/train/normal_id_00_00000000.wav", ("DCASE 2021", "DCASE 2020")),
    ],
)
def test_two_layouts_in_the_folders_of_one_type_are_mixed(
    beside: str, titles: tuple[str, str], tmp_path: Path
) -> None:
    for path in ("fan/source_test/section_00_source_test_normal_0000.wav", beside):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    mixed = survey_of(tmp_path).mixed
    assert mixed is not None
    assert all(title in mixed for title in titles)
    assert "name a folder that holds one alone" in mixed


def test_whole_and_cut_recordings_of_one_engine_are_mixed(tmp_path: Path) -> None:
    make_layout("idmt", tmp_path, sounds=False)
    assert survey_of(tmp_path).mixed is None
    (tmp_path / "train" / "engine1_good").mkdir(parents=True)
    (tmp_path / "train" / "engine1_good" / "pure.wav").touch()
    assert "whole recordings" in (survey_of(tmp_path).mixed or "")


def test_folder_and_name_must_not_name_two_domains() -> None:
    with pytest.raises(MachineError, match=r"its folder says .* source domain, and its name of the target"):
        told_in("fan/source_test/section_00_target_test_normal_0000.wav")
    told = told_in("fan/test/section_00_source_test_normal_0000_target_1.wav")  # an attribute of that name
    assert told is not None
    assert (told.domain, told.attributes) == ("source", "target_1")


def test_what_is_laid_out_otherwise_tells_nothing() -> None:
    telling = Telling()
    for path in (
        "/data/press/monday.wav",
        "/data/fan/test/monday/normal_id_00_1.wav",
        "/data/fan/train/section_00.wav",
        "/data/fan/id_00/normal/monday.wav",
        "/data/train/engine1_good.wav",
    ):
        assert telling.of(path) == NOTHING, path


def test_mimii_is_split_as_its_baseline_splits_it(tmp_path: Path) -> None:
    for folder, n in (("normal", 4), ("abnormal", 3)):
        (tmp_path / "fan" / "id_00" / folder).mkdir(parents=True)
        for i in range(n):
            (tmp_path / "fan" / "id_00" / folder / f"{i:08d}.wav").touch()
    (tmp_path / "fan" / "id_00" / "abnormal" / "._00000000.wav").touch()  # macOS writes it
    telling = Telling()
    normal = sorted((tmp_path / "fan" / "id_00" / "normal").iterdir())
    assert [telling.of(path).purpose for path in normal] == ["test", "test", "test", "train"]


def test_levels_of_noise_are_one_machine_and_are_said(tmp_path: Path) -> None:
    for level in ("-6", "0", "6"):
        path = tmp_path / f"{level}_dB_fan" / "fan" / "id_00" / "normal" / "00000000.wav"
        path.parent.mkdir(parents=True)
        path.touch()
    assert said_of(tmp_path) == ["MIMII: 1 type, 3 levels of noise, 3 training clips"]


def test_links_are_followed_where_names_tell_nothing(tmp_path: Path) -> None:
    make_layout("dcase2023", tmp_path / "store", evaluation=False, sounds=False)
    (tmp_path / "links").mkdir()
    target = next((tmp_path / "store").rglob("section_00_target_train_*.wav"))
    (tmp_path / "links" / "a.wav").symlink_to(target)
    told = Telling().of(tmp_path / "links" / "a.wav")
    assert (told.domain, told.purpose) == ("target", "train")


def test_names_that_are_no_text_are_spelled_so_that_they_can_be_kept() -> None:
    told = told_in("b\udce9ton/train/section_00_source_train_normal_0000_sp\udcffd_1.wav")
    assert told is not None
    assert (told.machine, told.attributes) == (r"b\xe9ton/section_00", r"sp\xffd_1")
