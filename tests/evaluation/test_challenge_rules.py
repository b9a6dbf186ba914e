"""Which year names tell, and years that do not fit them."""

import pytest

from osscl.errors import EvaluationError
from osscl.evaluation.challenge_rules import RULES, YEARS, rules_of_year, told_rules
from osscl.evaluation.labelled import LabelledScore, domain_of_path, label_by_names, label_in_name
from osscl.scoring.record import Record


def labelled(*paths: str, machine: str = "fan/section_00") -> list[LabelledScore]:
    return label_by_names(Record(path=path, machine=machine, score=1.0) for path in paths).scores


def told(*paths: str, year: int | None = None, machine: str = "fan/section_00") -> str | None:
    found = told_rules(labelled(*paths, machine=machine), paths, year)
    return None if found is None else f"{found.name} by {found.by}"


SINCE_2022 = "fan/test/section_00_source_test_normal_0000_m-n_W.wav"
OF_2021 = "fan/target_test/section_00_target_test_anomaly_0001.wav"
OF_2020 = "fan/test/normal_id_00_00000000.wav"
WITHOUT_DOMAIN = "printer/test/section_00_test_anomaly_0300_asd3dp_s0020_clip0000026.wav"


def test_every_year_has_one_row() -> None:
    assert [sum(rules.first <= year <= rules.last for rules in RULES) for year in YEARS] == [1] * 6
    names = [rules_of_year(year).name for year in YEARS]
    assert names == ["DCASE 2020", "DCASE 2021", *["DCASE 2022 to 2025"] * 4]


def test_names_tell_the_year_where_they_can() -> None:
    assert told(OF_2020, machine="fan/id_00") == "DCASE 2020 by names"
    assert told(OF_2021) == "DCASE 2021 by names"
    assert told(OF_2021.replace("/", "\\")) == "DCASE 2021 by names"
    assert told(SINCE_2022) == "DCASE 2022 to 2025 by names"
    assert told(WITHOUT_DOMAIN) is None
    assert told("press/test/normal_1.wav", machine="press") is None
    assert told(SINCE_2022, year=2024) == "DCASE 2024 by --challenge"
    in_no_folder = SINCE_2022.rpartition("/")[2]  # as a submission has it
    assert told(in_no_folder, year=2021) == "DCASE 2021 by --challenge"


@pytest.mark.parametrize(
    ("path", "machine", "year", "message"),
    [
        (SINCE_2022, "fan/section_00", 2020, r"has machines like fan/id_00, .* 1 machine \(fan/section_00\)"),
        (OF_2020, "fan/id_00", 2023, r"has machines like fan/section_00, .* 1 machine \(fan/id_00\) named"),
        (OF_2020, "fan", 2020, r"1 machine \(fan\) named otherwise: choose their year, or leave it out"),
        (OF_2021, "fan/section_00", 2022, r"is 2022, and fan/target_test/.* lies as 2021 has it, .* 2021"),
        (
            SINCE_2022,
            "fan/section_00",
            2021,
            r"is 2021, and fan/test/.* lies as DCASE 2022 to 2025 have it, .* --challenge 2022 or a later",
        ),
        (WITHOUT_DOMAIN, "printer/section_00", 2025, r"nothing tells it of 1 clip .* --domains DOMAINS"),
        (
            "fan/test/normal_id_00_source_1.wav",
            "fan/id_00",
            2020,
            "is 2020, which knows no domains, and names",
        ),
    ],
)
def test_a_year_that_does_not_fit_is_refused(path: str, machine: str, year: int, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        told(path, year=year, machine=machine)


def test_names_from_2021_on_tell_labels_and_domains() -> None:
    names = {
        "section_00_source_test_normal_0000.wav": (False, "source"),
        "section_05_target_test_anomaly_0099_noise_normal_1.wav": (True, "target"),
        "section_00_source_train_normal_0001_strength_1_ambient.wav": (False, "source"),
        "section_00_test_anomaly_0300_asd3dp_s0020_clip0000026.wav": (True, None),
        "section_00_normal_0.wav": (False, None),
        "section_00_0001.wav": (None, None),
        "section_00_source_test_abnormal_0000.wav": (None, "source"),
        "section_00_noise_normal_1.wav": (None, None),
        "normal_id_00_00000000.wav": (False, None),
    }
    for name, (label, domain) in names.items():
        assert (label_in_name(f"fan/test/{name}"), domain_of_path(f"fan/test/{name}")) == (label, domain), (
            name
        )
    assert domain_of_path("source/fan/test/section_00_0001.wav") is None
    assert domain_of_path("fan/source_test/section_00_0001.wav") == "source"
    assert domain_of_path(r"C:\fan\target_test\section_00_0001.wav") == "target"
    with pytest.raises(EvaluationError, match="its name says target and its folder source; let them agree"):
        domain_of_path("fan/source_test/section_00_target_test_normal_0001.wav")
