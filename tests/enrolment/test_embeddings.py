"""Memories of embeddings in model files: made beside those of features, changed, refused if of no use."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

import osscl
from osscl.decisions import EmbeddingMemory
from osscl.detector import Detector
from osscl.enrolment import EnrolOptions, cap, enroll
from osscl.errors import ConfigError, DecisionError, MachineError, ModelFileError
from osscl.evaluation.rules import rules_of
from osscl.model_file.bundle import read_bundle, write_bundle
from osscl.model_file.decisions import StoredDecisions, StoredEmbeddings
from osscl.model_file.manifest import Checkpoint, Manifest
from osscl.model_file.manifest_json import decode_manifest, encode_manifest
from osscl.model_file.restored import restored_embeddings
from osscl.scoring.judges import Judges
from osscl.scoring.record import Record
from osscl.support.two_spellings import in_options, in_python
from support import once
from support.model_files import tiny_graph, tiny_manifest
from support.normal_recordings import clip, write_normals
from support.older_manifests import of_schema

KNOWN, STRANGE = "fan/id_00", "press/id_09"
BY_EMBEDDING = EnrolOptions(rule="embedding")
N_CLIPS = 10


@pytest.fixture(scope="session")
def recordings() -> Path:
    """10 normal clips each of a machine that the tiny model knows and of one that it does not."""

    def make(folder: Path) -> None:
        write_normals(folder / "fan" / "train", N_CLIPS)
        write_normals(folder / "press" / "train", N_CLIPS, machine=1, name="normal_id_09")

    return once.made_once("embedded_normals", make)


@pytest.fixture(scope="session")
def others() -> Path:
    """4 clips each of 4 other machines."""

    def make(folder: Path) -> None:
        for number in range(4):
            write_normals(folder / "blower" / "train", 4, machine=9 + number, name=f"normal_id_0{number}")

    return once.made_once("embedded_others", make)


@pytest.fixture
def model(tmp_path: Path) -> Callable[..., Path]:
    """Write the tiny model, trained on certain clips."""

    def write(training_clips: tuple[str, ...] | None = ()) -> Path:
        graph = tiny_graph().SerializeToString()
        decisions = StoredDecisions(training_clips=training_clips)
        write_bundle(tmp_path / "tiny.onnx", graph, replace(tiny_manifest(graph), decisions=decisions))
        return tmp_path / "tiny.onnx"

    return write


@pytest.fixture(scope="session")
def enrolled(recordings: Path, others: Path) -> Path:
    """The tiny model with embeddings of both machines, and a background of them."""

    def make(folder: Path) -> None:
        graph = tiny_graph().SerializeToString()
        write_bundle(folder / "tiny.onnx", graph, tiny_manifest(graph))
        how = EnrolOptions(rule="embedding", background=others)
        enroll(recordings, folder / "enrolled.onnx", folder / "tiny.onnx", how)

    return once.made_once("embedded_model", make) / "enrolled.onnx"


def held_by(path: Path) -> StoredDecisions:
    decisions = read_bundle(path).manifest.decisions
    assert decisions is not None
    return decisions


def embeddings_of(path: Path, machine: str = KNOWN) -> StoredEmbeddings:
    found = held_by(path).embeddings_of(machine)
    assert found is not None
    return found


def sounds(machine: int) -> Any:
    """A normal clip and a strange one."""
    return np.stack([clip(99, machine=machine), clip(99, machine=machine, pitch=1.5)])


# What is made


@pytest.mark.parametrize(("machine", "number"), [(KNOWN, 0), (STRANGE, 1)])
def test_it_is_what_the_network_gives_and_decides(enrolled: Path, machine: str, number: int) -> None:
    stored, background = embeddings_of(enrolled, machine), held_by(enrolled).embedding_background
    assert background is not None
    assert (background.n_machines, background.n_clips) == (4, 16)
    memory = restored_embeddings(stored, background)
    with osscl.load(enrolled, "cpu", false_alarm_rate=0.1) as detector:
        rows = detector.embed(np.stack([clip(i, machine=number) for i in range(N_CLIPS)]))
        assert memory.stored == EmbeddingMemory.fit(rows).stored
        scores = detector.score(sounds(number), machine)
        expected = memory.scores_of(detector.embed(sounds(number)))
    assert scores.score.tolist() == expected.astype(np.float32).tolist()
    assert scores.rule == ["embedding", "embedding"]
    assert np.asarray(scores.is_anomaly).tolist() == [False, True]
    assert np.isnan(scores.z).all()
    assert held_by(enrolled).rules[machine] == "embedding"


def test_files_are_scored_as_arrays_are(enrolled: Path, recordings: Path) -> None:
    paths = sorted((recordings / "fan" / "train").iterdir())[:3]
    with osscl.load(enrolled, "cpu") as detector:
        of_files = [record.score for record in detector.score_files([*paths, recordings / "gone.wav"], KNOWN)]
        of_arrays = detector.score(np.stack([clip(i) for i in range(3)]), KNOWN).score
    assert of_files == [*map(pytest.approx, of_arrays.tolist()), None]


def test_without_a_background_that_is_said(
    model: Callable[..., Path], recordings: Path, tmp_path: Path
) -> None:
    made = enroll(recordings, tmp_path / "e.onnx", model(), BY_EMBEDDING)
    assert made.background is None
    assert [each.kind for each in made.machines] == ["embedding"] * 2
    assert sum("there is no background of embeddings" in warning for warning in made.warnings) == 1
    assert held_by(tmp_path / "e.onnx").embedding_background is None


def test_clips_that_were_trained_on_are_said_and_nothing_is_guaranteed(
    model: Callable[..., Path], recordings: Path, others: Path, tmp_path: Path
) -> None:
    enroll(recordings, tmp_path / "e.onnx", model(), BY_EMBEDDING)
    hashes = tuple(each.sha256 for each in embeddings_of(tmp_path / "e.onnx").clips[:3])
    how = replace_options(BY_EMBEDDING, background=others)
    for trained, warning in ((hashes, "3 of 10 clips were trained on"), (None, "does not say what it was")):
        made = enroll(recordings, tmp_path / "t.onnx", model(trained), how, overwrite=True)
        (said,) = (each for each in made.warnings if "trained on" in each)
        assert warning in said
        assert said.startswith(f"{KNOWN}: "), "of a machine that it does not know it saw none"
        judges = Judges(read_bundle(tmp_path / "t.onnx").manifest)
        assert "were trained on, or may have been" in (judges.of(KNOWN).caveat or "")
        assert judges.of(STRANGE).caveat is None


def replace_options(options: EnrolOptions, **changes: Any) -> EnrolOptions:
    return EnrolOptions(**{"rule": options.rule, **changes})


# Beside a memory of features


def test_both_kinds_stand_side_by_side(enrolled: Path, recordings: Path, tmp_path: Path) -> None:
    path = tmp_path / "both.onnx"
    enroll(recordings / "fan", path, enrolled)
    held = held_by(path)
    assert held.embeddings == held_by(enrolled).embeddings
    assert [memory.machine for memory in held.memories] == [KNOWN]
    assert held.rules == {KNOWN: "embedding", STRANGE: "embedding"}, "the rule that was asked for stays"
    manifest = read_bundle(path).manifest
    assert list(rules_of(manifest)) == ["network", "memory", "embedding"]
    assert {Judges(manifest, rule).fingerprint(KNOWN) for rule in rules_of(manifest)}.__len__() == 3
    with osscl.load(path, "cpu", rule="memory") as detector:
        assert np.isfinite(detector.score(sounds(0), KNOWN).z).all()
    with osscl.load(path, "cpu") as detector:
        explained = detector.explain(clip(99, pitch=1.5), KNOWN)
    assert explained.findings
    assert explained.occlusion is not None


def test_a_clip_is_forgotten_by_both(enrolled: Path, recordings: Path, tmp_path: Path) -> None:
    enroll(recordings, tmp_path / "both.onnx", enrolled)
    sha256 = embeddings_of(tmp_path / "both.onnx").clips[3].sha256
    made = enroll([], tmp_path / "less.onnx", tmp_path / "both.onnx", EnrolOptions(forget=[sha256]))
    found = {(each.machine, each.kind, each.n_clips, each.n_forgotten, each.rule) for each in made.machines}
    assert found == {(KNOWN, kind, N_CLIPS - 1, 1, "embedding") for kind in ("memory", "embedding")}
    held = held_by(tmp_path / "less.onnx")
    assert sha256 not in {each.sha256 for kind in (held.memories, held.embeddings) for each in kind[0].clips}


def test_memories_of_domains_and_of_embeddings_stand_side_by_side(enrolled: Path, tmp_path: Path) -> None:
    train, owner = tmp_path / "moved" / "fan" / "train", "fan/section_00"
    write_normals(train, 4, machine=4, name="section_00_source_train_normal")
    write_normals(train, 4, first=20, machine=2, name="section_00_target_train_normal")
    enroll(tmp_path / "moved", tmp_path / "domains.onnx", enrolled, EnrolOptions(by_domain=True))
    made = enroll(tmp_path / "moved", tmp_path / "both.onnx", tmp_path / "domains.onnx", BY_EMBEDDING)
    assert [(each.owner, each.domain, each.n_clips) for each in made.machines] == [(owner, None, 8)]
    held = held_by(tmp_path / "both.onnx")
    assert held.memories == held_by(tmp_path / "domains.onnx").memories
    assert [memory.domain for memory in held.memories_of(owner)] == ["source", "target"]
    assert held.rules[owner] == "embedding"
    write_normals(tmp_path / "new" / "fan" / "train", 1, first=9, machine=4, name="section_00_new_normal")
    more, source = replace_options(BY_EMBEDDING, add=True), held.memories_of(owner)[0].clips[1].sha256
    made = enroll(tmp_path / "new", tmp_path / "more.onnx", tmp_path / "both.onnx", more)
    assert [(each.owner, each.n_clips) for each in made.machines] == [(owner, 9)], "names need tell no domain"
    made = enroll([], tmp_path / "less.onnx", tmp_path / "more.onnx", EnrolOptions(forget=[source]))
    found = [(each.owner, each.kind, each.n_clips, each.rule) for each in made.machines]
    assert found == [(f"{owner} (source)", "memory", 3, "embedding"), (owner, "embedding", 8, "embedding")]
    judges = Judges(read_bundle(tmp_path / "less.onnx").manifest, "memory")
    assert [judges.of(owner, f"a_{domain}_b.wav").domain for domain in ("source", "target")] == [
        "source",
        "target",
    ]


def test_a_machine_whose_memory_is_only_cut_keeps_its_rule(
    enrolled: Path, recordings: Path, tmp_path: Path
) -> None:
    bundle, path = read_bundle(enrolled), tmp_path / "by_network.onnx"
    held = replace(held_by(enrolled), rules=held_by(enrolled).rules | {KNOWN: "network"})
    write_bundle(path, bundle.model, replace(bundle.manifest, decisions=held))
    sha256 = embeddings_of(path).clips[0].sha256
    enroll(recordings / "press", tmp_path / "new.onnx", path, replace_options(BY_EMBEDDING, forget=[sha256]))
    assert held_by(tmp_path / "new.onnx").rules == {KNOWN: "network", STRANGE: "embedding"}
    assert len(embeddings_of(tmp_path / "new.onnx").clips) == N_CLIPS - 1


def test_clips_are_added(enrolled: Path, tmp_path: Path) -> None:
    write_normals(tmp_path / "new" / "fan" / "train", 2, first=20)
    write_normals(tmp_path / "new" / "fan" / "train", 1, machine=5, first=30)
    how = replace_options(BY_EMBEDDING, add=True)
    made = enroll(tmp_path / "new", tmp_path / "more.onnx", enrolled, how)
    (machine,) = made.machines
    assert (machine.n_clips, machine.n_added) == (N_CLIPS + 3, 3)
    assert "normal_id_00_00000030.wav" in {Path(path).name for path in machine.flagged}
    assert held_by(tmp_path / "more.onnx").embedding_background == held_by(enrolled).embedding_background


def test_what_has_no_room_is_left_out(
    enrolled: Path, recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = replace(held_by(enrolled), embeddings=())
    beside = len(msgspec.json.encode(replace(read_bundle(enrolled).manifest, decisions=without)))
    monkeypatch.setattr(cap, "MAX_MANIFEST_BYTES", beside + 2 * 5 * 450 + 2 * 1800)
    made = enroll(recordings, tmp_path / "less.onnx", enrolled, BY_EMBEDDING)
    assert all(3 <= each.n_clips < N_CLIPS for each in made.machines)
    assert sum("clips are kept, recordings drawn by seed" in warning for warning in made.warnings) == 2


# Refused


def changed(path: Path, **changes: Any) -> Manifest:
    """What a model file would say with other embeddings of the machine that the network knows."""
    held = held_by(path)
    first, *rest = held.embeddings
    decisions = replace(held, embeddings=(replace(first, **changes), *rest))
    return replace(read_bundle(path).manifest, decisions=decisions)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"precision": "fp16"}, "made in fp16 and the model is fp32: enroll it again"),
        ({"checkpoint_sha256": "f" * 64}, "made with another network than the file's: enroll it again"),
    ],
)
def test_embeddings_of_another_network_decide_nothing(
    enrolled: Path, recordings: Path, tmp_path: Path, changes: dict[str, str], reason: str
) -> None:
    manifest = changed(enrolled, **changes)
    judges = Judges(manifest)
    with pytest.raises(MachineError, match=reason):
        judges.of(KNOWN)
    assert judges.lacking(STRANGE) is None
    path = tmp_path / "other.onnx"
    write_bundle(path, read_bundle(enrolled).model, manifest)
    with Detector(path) as detector:
        (record,) = detector.score_files([next((recordings / "fan" / "train").iterdir())])
    assert isinstance(record, Record)
    assert (record.status, record.score) != ("ok", None)
    assert reason in (record.reason or "")
    how = replace_options(BY_EMBEDDING, add=True, machine=KNOWN)
    with pytest.raises(DecisionError, match="enroll its recordings again, without --add"):
        enroll(recordings / "fan", tmp_path / "x.onnx", path, how)


def test_a_background_belongs_to_its_network(enrolled: Path, others: Path, tmp_path: Path) -> None:
    manifest = read_bundle(enrolled).manifest
    other = replace(manifest, checkpoint=Checkpoint(sha256="f" * 64, layout="published"))
    with pytest.raises(ModelFileError, match=r"embedding_background` is of embeddings of another network"):
        encode_manifest(other)
    for number in range(4):
        name = f"normal_id_0{number}"
        write_normals(tmp_path / "saw" / "train", 4, machine=20 + number, name=name)
    how = replace_options(BY_EMBEDDING, background=tmp_path / "saw", machine=KNOWN)
    with pytest.raises(
        ConfigError, match="--background makes another background than that of the 1 memory of"
    ):
        enroll(others, tmp_path / "x.onnx", enrolled, how)


def test_a_file_without_a_network_cannot(recordings: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the rule embedding needs a network; name its model file"):
        enroll(recordings, tmp_path / "x.onnx", None, BY_EMBEDDING)
    enroll(recordings, tmp_path / "memories.onnx")
    with pytest.raises(ModelFileError, match="memories of machines and no network"):
        enroll(recordings, tmp_path / "x.onnx", tmp_path / "memories.onnx", BY_EMBEDDING)
    with pytest.raises(ConfigError, match="needs memories of embeddings, and the model file holds none"):
        osscl.load(tmp_path / "memories.onnx", rule="embedding")
    with pytest.raises(ConfigError, match="rule is 'both'; recordings are enrolled for one of"):
        EnrolOptions(rule="both")  # type: ignore[arg-type]
    assert not (tmp_path / "x.onnx").exists()


def test_embeddings_are_not_told_by_domain() -> None:
    told = " makes memories of features, and the rule embedding knows no domains: leave one of them out"
    with pytest.raises(ConfigError) as refused:
        EnrolOptions(rule="embedding", by_domain=True)
    assert in_python(str(refused.value)) == f"by_domain{told}"
    assert in_options(str(refused.value)) == f"--by-domain{told}"


# As a document


def test_documents_of_before_hold_no_embeddings(enrolled: Path) -> None:
    manifest = read_bundle(enrolled).manifest
    said = of_schema(msgspec.to_builtins(manifest), 5)
    for later in ("embeddings", "embedding_background"):
        newer = said | {
            "decisions": said["decisions"] | {later: msgspec.to_builtins(held_by(enrolled))[later]}
        }
        with pytest.raises(
            ModelFileError, match=rf"newer than the document - at `\$.decisions.{later}[.`\[]"
        ):
            decode_manifest(msgspec.json.encode(newer))
    with pytest.raises(ModelFileError, match="of fan/id_00, which has no memory of embeddings"):
        decode_manifest(msgspec.json.encode(said))
    said["decisions"]["rules"] = {}
    read = decode_manifest(msgspec.json.encode(said)).decisions
    assert read is not None
    assert (read.embeddings, read.embedding_background) == ((), None)


@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        (
            {"mean": b"\0" * 4 * 127},
            r"embeddings\[0\].mean` holds 508 bytes; expected 128 numbers",
        ),
        ({"deviations": b""}, r"embeddings\[0\].deviations` holds 0 bytes; expected 1280 numbers"),
        ({"clips": ()}, r"embeddings\[0\].clips` are 0; a memory has 3 to 512"),
        ({"machine": STRANGE}, f"embeddings` holds {STRANGE} twice"),
    ],
)
def test_what_contradicts_itself_is_refused(enrolled: Path, changes: dict[str, Any], flaw: str) -> None:
    with pytest.raises(ModelFileError, match=flaw):
        encode_manifest(changed(enrolled, **changes))
