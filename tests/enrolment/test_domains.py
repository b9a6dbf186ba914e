"""Machines enrolled by domain: a memory of each, and what is refused in one sentence."""

import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

import osscl
from osscl.enrolment import EnrolOptions, enroll
from osscl.errors import ConfigError, DecisionError, MachineError, ModelFileError
from osscl.machines.domains import domain_of
from osscl.model_file.bundle import read_bundle, write_bundle
from osscl.model_file.decisions import StoredDecisions
from support import once
from support.normal_recordings import clip, write_normals

FAN = "fan/section_00"
BY_DOMAIN = EnrolOptions(by_domain=True)
MORE = EnrolOptions(by_domain=True, add=True)


@pytest.fixture(scope="session")
def recordings() -> Path:
    """6 normal recordings of one machine where it stood, 4 where it stands now, which sound otherwise."""

    def make(folder: Path) -> None:
        train = folder / "fan" / "train"
        write_normals(train, 6, name="section_00_source_train_normal")
        write_normals(train, 4, first=20, machine=2, name="section_00_target_train_normal")

    return once.made_once("normals-of-two-domains", make)


def held_in(path: Path) -> StoredDecisions:
    decisions = read_bundle(path).manifest.decisions
    assert decisions is not None
    return decisions


@pytest.fixture
def enrolled(recordings: Path, tmp_path: Path) -> Path:
    enroll(recordings, tmp_path / "m.onnx", options=BY_DOMAIN)
    return tmp_path / "m.onnx"


def test_each_domain_gets_a_memory(recordings: Path, tmp_path: Path) -> None:
    made = enroll(recordings, tmp_path / "m.onnx", options=BY_DOMAIN)
    assert [(each.owner, each.n_clips, each.smallest_rate) for each in made.machines] == [
        (f"{FAN} (source)", 6, 1 / 7),
        (f"{FAN} (target)", 4, 1 / 5),
    ]
    assert [each.domain for each in made.machines] == ["source", "target"]
    held = held_in(tmp_path / "m.onnx")
    assert [memory.owner for memory in held.memories] == [f"{FAN} (source)", f"{FAN} (target)"]
    assert held.rules == {FAN: "memory"}
    assert read_bundle(tmp_path / "m.onnx").manifest.machines == (FAN,)


def test_clips_are_scored_by_the_memory_of_their_domain(enrolled: Path, recordings: Path) -> None:
    train = recordings / "fan" / "train"
    source = train / "section_00_source_train_normal_00000001.wav"
    target = train / "section_00_target_train_normal_00000021.wav"
    with osscl.load(enrolled) as known, osscl.load(enrolled, domain="unknown") as unknown:
        of_known = [record.score for record in known.score_files([source, target])]
        of_unknown = [record.score for record in unknown.score_files([source, target])]
        assert of_unknown == of_known  # each is nearer to its own
        assert unknown.explain(clip(21, machine=2), FAN, path=source).domain == "target"
        assert known.explain(clip(21, machine=2), FAN, path=source).domain == "source"
        assert known.explain(clip(21, machine=2), FAN).domain == "target"
        by_array = known.score(clip(21, machine=2), FAN)
        assert by_array.score[0] == pytest.approx(of_known[1])
    with osscl.load(enrolled, domain="source") as as_source:
        [wrong] = as_source.score_files([target])
    assert wrong.score is not None
    assert of_known[1] is not None
    assert wrong.score > of_known[1] + 10


def test_a_name_and_a_folder_that_contradict_each_other_are_said_on_the_line(
    enrolled: Path, tmp_path: Path
) -> None:
    write_normals(tmp_path / "fan" / "target_test", 1, name="section_00_source_test_normal")
    with osscl.load(enrolled) as detector:
        [record] = detector.score_files(sorted(tmp_path.rglob("*.wav")))
    assert (record.status, record.score) == ("no_score", None)
    assert record.reason is not None
    assert "its name says the domain source and its folder target_test says target" in record.reason


def test_clips_go_to_the_memory_of_their_domain_and_are_forgotten_there(
    enrolled: Path, tmp_path: Path
) -> None:
    new = tmp_path / "new" / "fan" / "train"
    write_normals(new, 2, first=30, machine=2, name="section_00_target_train_normal")
    made = enroll(tmp_path / "new", tmp_path / "m2.onnx", enrolled, MORE)
    assert [(each.owner, each.n_clips, each.n_added) for each in made.machines] == [(f"{FAN} (target)", 6, 2)]
    before, after = held_in(enrolled), held_in(tmp_path / "m2.onnx")
    assert after.memory_of(FAN, "source") == before.memory_of(FAN, "source")
    sha256 = after.memories[1].clips[4].sha256
    made = enroll([], tmp_path / "m3.onnx", tmp_path / "m2.onnx", EnrolOptions(forget=[sha256]))
    assert [(each.owner, each.n_clips, each.n_forgotten) for each in made.machines] == [
        (f"{FAN} (target)", 5, 1)
    ]
    assert held_in(tmp_path / "m3.onnx").memory_of(FAN, "source") == before.memory_of(FAN, "source")


def test_what_is_enrolled_otherwise_replaces_all_memories_of_the_machine(
    enrolled: Path, recordings: Path, tmp_path: Path
) -> None:
    made = enroll(recordings, tmp_path / "pooled.onnx", enrolled)
    assert [(each.owner, each.n_clips, each.n_added) for each in made.machines] == [(FAN, 10, 10)]
    assert [memory.owner for memory in held_in(tmp_path / "pooled.onnx").memories] == [FAN]
    replaced = [warning for warning in made.warnings if "is replaced by another" in warning]
    assert [warning.split(":")[0] for warning in replaced] == [f"{FAN} (source)", f"{FAN} (target)"]
    made = enroll(recordings, tmp_path / "again.onnx", tmp_path / "pooled.onnx", BY_DOMAIN)
    assert [memory.domain for memory in held_in(tmp_path / "again.onnx").memories] == ["source", "target"]
    assert [warning for warning in made.warnings if "is replaced" in warning] == [
        f"{FAN}: its memory of 10 clips is replaced by another; --add would have kept them"
    ]


def test_a_clip_forgotten_by_a_memory_that_goes_leaves_no_memory_of_it(
    enrolled: Path, recordings: Path, tmp_path: Path
) -> None:
    sha256 = held_in(enrolled).memories[0].clips[2].sha256
    how = EnrolOptions(forget=[sha256])
    made = enroll(recordings, tmp_path / "pooled.onnx", enrolled, how)
    assert [each.owner for each in made.machines] == [FAN]
    assert [memory.owner for memory in held_in(tmp_path / "pooled.onnx").memories] == [FAN]


def copied(recordings: Path, folder: Path, pattern: str, most: int, name: str = "") -> Path:
    """Some of the recordings, in a folder of their own, renamed from there on."""
    train = folder / "fan" / "train"
    train.mkdir(parents=True, exist_ok=True)
    for path in sorted((recordings / "fan" / "train").glob(pattern))[:most]:
        shutil.copy(path, train / (path.name.replace(pattern.strip("*"), name) if name else path.name))
    return folder


def test_names_without_domains_are_refused(recordings: Path, tmp_path: Path) -> None:
    folder = copied(recordings, tmp_path / "n", "*_source_*", 4)
    copied(recordings, folder, "*_target_*", 2, "_moved_")
    with pytest.raises(DecisionError, match=rf"^{FAN}: 2 of 6 recordings tell no domain, first .*_moved_"):
        enroll(folder, tmp_path / "m.onnx", options=BY_DOMAIN)


@pytest.mark.parametrize("domain", ["source", "target"])
def test_one_domain_alone_is_refused(recordings: Path, tmp_path: Path, domain: str) -> None:
    folder = copied(recordings, tmp_path / "n", f"*_{domain}_*", 4)
    with pytest.raises(
        DecisionError, match=f"{FAN}: all its recordings are of the domain {domain}; --by-domain"
    ):
        enroll(folder, tmp_path / "m.onnx", options=BY_DOMAIN)


def test_fewer_than_three_clips_of_the_target_are_refused(recordings: Path, tmp_path: Path) -> None:
    folder = copied(recordings, tmp_path / "n", "*_source_*", 4)
    copied(recordings, folder, "*_target_*", 2)
    with pytest.raises(
        DecisionError, match=rf"^{FAN} \(target\): 2 different normal clips are too few: a memory"
    ):
        enroll(folder, tmp_path / "m.onnx", options=BY_DOMAIN)


def test_a_domain_of_which_no_file_can_be_read_is_refused(recordings: Path, tmp_path: Path) -> None:
    folder = copied(recordings, tmp_path / "n", "*_source_*", 4)
    (folder / "fan" / "train" / "section_00_target_train_normal_1.wav").write_text("no sound")
    with pytest.raises(DecisionError, match=rf"^no recording of {FAN} \(target\) can be used"):
        enroll(folder, tmp_path / "m.onnx", options=BY_DOMAIN)


def test_contradicting_names_are_refused(recordings: Path, tmp_path: Path) -> None:
    write_normals(tmp_path / "n" / "fan" / "target_train", 3, name="section_00_source_train_normal")
    with pytest.raises(
        DecisionError, match="its name says the domain source and its folder target_train says"
    ):
        enroll(tmp_path / "n", tmp_path / "m.onnx", options=EnrolOptions(by_domain=True, machine=FAN))


def test_adding_takes_the_same_way_as_enrolling(enrolled: Path, recordings: Path, tmp_path: Path) -> None:
    with pytest.raises(
        DecisionError, match=f"{FAN}: its memories are by domain; give --by-domain with --add"
    ):
        enroll(recordings, tmp_path / "m2.onnx", enrolled, EnrolOptions(add=True))
    enroll(recordings, tmp_path / "pooled.onnx")
    with pytest.raises(
        DecisionError, match=f"{FAN}: it has one memory for all clips, and nothing tells the domains"
    ):
        enroll(recordings, tmp_path / "m2.onnx", tmp_path / "pooled.onnx", MORE)
    with pytest.raises(ConfigError, match=rf"holds no memory of {FAN} \(source\) that"):
        enroll(recordings, tmp_path / "m2.onnx", "demo", MORE)


def test_a_file_with_a_memory_of_one_domain_is_refused(enrolled: Path, tmp_path: Path) -> None:
    bundle = read_bundle(enrolled)
    held = held_in(enrolled)
    for memories, named in (
        (held.memories[:1], "source"),
        ((replace(held.memories[0], domain=None), held.memories[1]), "none and target"),
    ):
        manifest = replace(bundle.manifest, decisions=replace(held, memories=memories))
        with pytest.raises(
            ModelFileError, match=f"holds {FAN} of the domain {named}; expected one memory without"
        ):
            write_bundle(tmp_path / "m2.onnx", bundle.model, manifest)


@pytest.mark.parametrize(
    ("path", "domain"),
    [
        ("fan/train/section_00_source_train_normal_0000_m-n_W.wav", "source"),
        ("fan/source_test/normal_0000.wav", "source"),
        ("fan/target_test/section_00_target_test_anomaly_0000.wav", "target"),
        ("source/fan/train/normal_0000.wav", None),  # only the folder that it lies in tells
        ("resources/targeted.wav", None),
    ],
)
def test_the_domain_is_told_by_the_name_or_else_by_the_folder(path: str, domain: str | None) -> None:
    assert domain_of(path) == domain


def test_two_domains_are_refused() -> None:
    with pytest.raises(
        MachineError, match="its name says the domain target and its folder source says source"
    ):
        domain_of("source/x_target.wav")
