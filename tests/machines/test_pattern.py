"""Patterns that find machines in paths: which kind they are, what they count from, and what is refused."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from osscl.errors import ConfigError, MachineError
from osscl.machines.labels import MachineNames, machine_source
from osscl.machines.pattern import MachineFromPattern

DATED = "{machine}_{time}.wav"
NFC, NFD = "pres\u00e9", "prese\u0301"


@pytest.mark.parametrize(
    ("pattern", "path", "machine"),
    [
        (DATED, "in/Press-3_2026-01-05T04-00.wav", "Press-3"),
        ("{type}/{id}/{time}.wav", "in/press/id_03/20260105_040000.wav", "press/id_03"),
        ("{id}-{type}.wav", "in/id_03-press.wav", "press/id_03"),
        (r"(?P<machine>press_\d+)_.*\.wav", "in/press_3_x.wav", "press_3"),
        (r"(?P<type>[a-z]+)(?P<id>\d+)/.*", "in/press3/day/x.wav", "press/3"),
        (r"(?P<machine>[^/]+/[^/]+)/.*", "in/press/id_03/x.wav", "press/id_03"),
        (r"(?i)PRESS(?P<machine>\d)\.wav", "in/press3.wav", "3"),
    ],
)
def test_the_machine_below_the_folder_that_was_named(pattern: str, path: str, machine: str) -> None:
    assert MachineFromPattern(pattern, ["in"])(path) == machine


@pytest.mark.parametrize(
    ("roots", "path", "machine"),
    [
        (["."], "./a/x.wav", "a"),
        (["in/"], "in/a/x.wav", "a"),
        (["/"], "/a/x.wav", "a"),
        (["in", "in2"], "in2/a/x.wav", "a"),
        (["s3://bucket/in"], "s3://bucket/in/a/x.wav", "a"),
        (["in/b", "in"], "in/a/x.wav", "a"),
        (["/nowhere/up/../in"], "/nowhere/up/../in/a/x.wav", "a"),
    ],
)
def test_what_paths_count_from(roots: Sequence[str], path: str, machine: str) -> None:
    assert MachineFromPattern("{machine}/x.wav", roots)(path) == machine


def test_of_a_file_that_was_named_itself_the_name_counts() -> None:
    machine_of = MachineFromPattern(DATED, ["in/a/Press-3_2026-01-05T04-00.wav"])
    assert machine_of("in/a/Press-3_2026-01-05T04-00.wav") == "Press-3"


def test_a_folder_may_be_named_in_another_way_than_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert MachineFromPattern("{machine}/x.wav", ["in"])(tmp_path / "in" / "a" / "x.wav") == "a"


@pytest.mark.parametrize(("in_pattern", "on_disk"), [(NFC, NFD), (NFD, NFC)])
def test_accents_meet_however_a_system_spells_them(in_pattern: str, on_disk: str) -> None:
    machine_of = MachineFromPattern(f"{in_pattern}_{{machine}}.wav", ["in"], [on_disk, in_pattern])
    assert machine_of(f"in/{on_disk}_{NFC}.wav") in (NFC, NFD)
    assert (
        MachineFromPattern(r"(?P<machine>.*)\.wav", ["in"], [NFD])(f"in/{NFC}.wav") == NFD
    )  # as it is known


@pytest.mark.parametrize(
    ("pattern", "path", "reason"),
    [
        (
            DATED,
            "in/day/Press-3_2026-01-05T04-00.wav",
            "its path below the folder that was named does not fit the pattern {machine}_{time}.wav: it lies "
            "in 1 folder below the one that was named, and the pattern has none",
        ),
        (
            "{machine}.wav",
            "in/x.flac",
            "its path below the folder that was named does not fit the pattern {machine}.wav: its name: it "
            "does not end in .wav",
        ),
        (
            "{machine}_{rest}.wav",
            "in/press_3_x.wav",
            "its path fits the pattern {machine}_{rest}.wav in more than one way, as the machine press and "
            "as press_3; write more of the name into the pattern, or use a regular expression",
        ),
        (
            r"(?P<machine>.*)_\d+\.wav",
            "in/_0.wav",
            r"the pattern (?P<machine>.*)_\d+\.wav leaves the name of its machine, or a part of it, empty",
        ),
        (
            r"(?P<machine>a)?.*",
            "in/x.wav",
            "the pattern (?P<machine>a)?.* leaves the name of its machine, or a part of it, empty",
        ),
        (
            r"(?P<machine>.+/).*",
            "in/a/x.wav",
            "the pattern (?P<machine>.+/).* leaves the name of its machine, or a part of it, empty",
        ),
        (
            r"(?P<machine>\d)",
            "in/1.wav",
            r"its path below the folder that was named does not fit the pattern ",
        ),
        ("{machine}.wav", "in/x.wav", "machine x is not known to the model, nor its type; it knows press"),
        (
            "{type}_{id}.wav",
            "in/press_5.wav",
            "machine press/5 is not known to the model, which knows press/id_03",
        ),
    ],
)
def test_a_file_whose_machine_is_not_told_is_refused_in_a_sentence(
    pattern: str, path: str, reason: str
) -> None:
    machine_of = MachineFromPattern(pattern, ["in"], ["press/id_03"])
    with pytest.raises(MachineError) as caught:
        machine_of(path)
    assert str(caught.value).startswith(reason)


@pytest.mark.parametrize(
    ("pattern", "telling"),
    [
        (
            "press.wav",
            "expected either a template with {machine}, such as '{machine}_{time}', or a regular",
        ),
        ("", "expected either a template"),
        ("(?P<name>.*)", "expected either a template"),
        ("{machine}(?P<machine>.)", "and not both in one"),
        ("(?P<machine>.", "which is no regular expression: missing ), unterminated subpattern at position 0"),
        (
            "(?P<machine>.)(?P<machine>.)",
            "which is no regular expression: redefinition of group name 'machine'",
        ),
        ("(?P<type>.).wav", "which holds type; a pattern holds machine alone, or type and id"),
        ("{machine}_{id}.wav", "which holds machine and id; a pattern holds machine alone"),
        ("{machine}{n}.wav", "nothing stands between {machine} and {n}"),
    ],
)
def test_what_is_no_pattern_is_refused_before_any_work(pattern: str, telling: str) -> None:
    with pytest.raises(ConfigError) as caught:
        MachineFromPattern(pattern, ["in"])
    assert str(caught.value).startswith(f"machine_pattern (--machine-pattern) is {pattern!r}")
    assert telling in str(caught.value)


def test_one_way_to_name_machines_alone(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--machine and --machine-pattern"):
        machine_source(["a"], machine="a", machine_pattern=DATED)
    with pytest.raises(ConfigError, match="--labels and --machine-pattern"):
        machine_source(["a"], labels=tmp_path / "none.csv", machine_pattern=DATED)


def test_folders_are_kept_where_a_pattern_counts_from_them_alone() -> None:
    assert MachineNames("a").below("in") == MachineNames("a")
    named = MachineNames(machine_pattern="{machine}/x.wav").below(Path("in"), "other")
    assert named.roots == ("in", "other")
    assert machine_source(["a"], *named)("other/a/x.wav") == "a"
