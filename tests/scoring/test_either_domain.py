"""Clips of a machine with a memory of each domain: which memory judges them, and what is decided of them."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from msgspec.structs import replace

from osscl.decisions import Memory, decide, p_values, threshold
from osscl.errors import ConfigError, MachineError
from osscl.model_file.bundle import Bundle, read_bundle
from osscl.model_file.decisions import StoredDecisions, StoredMemory
from osscl.model_file.restored import restored_memory
from osscl.runs.deciding import Decider
from osscl.scoring.either_domain import EitherDomain
from osscl.scoring.judge import separating
from osscl.scoring.judges import Judges
from osscl.scoring.record import Record
from support.made_features import made_features
from support.remembering import memory_of_features, write_model

FAN = "fan/section_00"
POOLED = "fan/section_01"
Rows = npt.NDArray[np.float64]


def at_the_target(rows: Rows) -> Rows:
    """Features of the same machine after it was moved: all bands 12 dB louder."""
    return rows + 12.0


@pytest.fixture(scope="module")
def memories() -> tuple[StoredMemory, StoredMemory]:
    """30 clips of the source, 10 of the target."""
    return (
        memory_of_features(FAN, made_features(1, 30), domain="source"),
        memory_of_features(FAN, at_the_target(made_features(2, 10)), domain="target"),
    )


@pytest.fixture(scope="module")
def bundle(memories: tuple[StoredMemory, StoredMemory], tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A model file with them, and with one memory of another machine."""
    pooled = memory_of_features(POOLED, made_features(3, 12))
    path = tmp_path_factory.mktemp("domains") / "m.onnx"
    return read_bundle(write_model(path, [*memories, pooled], network=False))


@pytest.fixture
def clips() -> Rows:
    """Normal clips of both domains, and strange ones: 4 of each."""
    return np.concatenate(
        [made_features(4, 4), at_the_target(made_features(5, 4)), made_features(6, 4) + 40.0]
    )


def test_names_choose_the_memory(bundle: Bundle, memories: tuple[StoredMemory, StoredMemory]) -> None:
    judges = Judges(bundle.manifest)
    source = judges.of(FAN, "fan/test/section_00_source_test_normal_0000.wav")
    target = judges.of(FAN, "fan/target_test/normal_0000.wav")
    assert (source.domain, target.domain) == ("source", "target")
    assert source.memory is not None
    assert np.array_equal(source.memory.features, restored_memory(memories[0], None).features)
    assert judges.of(FAN, "fan/source_train/section_00_source_x.wav") is source
    assert isinstance(judges.of(FAN, "fan/test/normal_0000.wav"), EitherDomain)
    assert isinstance(judges.of(FAN), EitherDomain)


def test_a_domain_that_is_said_counts_for_all_names(bundle: Bundle) -> None:
    name = "fan/test/section_00_source_test_normal_0000.wav"
    assert Judges(bundle.manifest, domain="target").of(FAN, name).domain == "target"
    assert isinstance(Judges(bundle.manifest, domain="unknown").of(FAN, name), EitherDomain)


def test_the_smaller_score_counts_and_the_larger_p_value(
    bundle: Bundle, memories: tuple[StoredMemory, StoredMemory], clips: Rows
) -> None:
    judged = Judges(bundle.manifest, false_alarm_rate=0.1).of(FAN).judge(features=clips)
    fitted = [restored_memory(each, None) for each in memories]
    scores = [memory.score(clips) for memory in fitted]
    smaller = np.minimum(scores[0].score, scores[1].score).astype(np.float32).astype(np.float64)
    assert np.array_equal(judged.score, smaller)
    p_of_each = [p_values(memory.leave_one_out, smaller) for memory in fitted]
    assert np.array_equal(judged.p_value, np.maximum(*p_of_each))
    least = max(separating(threshold(memory.leave_one_out, 0.1)) for memory in fitted)
    assert judged.threshold == least
    assert judged.is_anomaly is not None
    assert judged.is_anomaly.tolist() == (smaller >= least).tolist() == (judged.p_value <= 0.1).tolist()
    assert judged.is_anomaly[8:].all()
    assert judged.z is not None
    is_source = scores[0].score <= scores[1].score
    assert is_source.tolist()[:8] == [True] * 4 + [False] * 4
    for at, of_source in enumerate(is_source):
        expected = scores[0 if of_source else 1]
        assert judged.z[at].tolist() == [each[at] for each in expected[1:]]


def test_a_p_value_is_never_below_the_one_of_the_clips_own_domain(
    bundle: Bundle, memories: tuple[StoredMemory, StoredMemory], clips: Rows
) -> None:
    either = Judges(bundle.manifest).of(FAN).judge(features=clips).p_value
    for stored in memories:
        memory = restored_memory(stored, None)
        own = decide(memory.leave_one_out, memory.score(clips).score.astype(np.float32), 0.1).p_value
        assert (either >= own).all()


def test_the_rate_is_what_the_fewest_recordings_can_speak_of(bundle: Bundle) -> None:
    judges = Judges(bundle.manifest)
    assert judges.of(FAN).rate == 1 / 11
    assert judges.of(FAN, "x_source_y.wav").rate == 0.05
    assert judges.of(FAN, "x_target_y.wav").rate == 1 / 11
    assert judges.of(FAN).n_recordings == 10
    strict = Judges(bundle.manifest, false_alarm_rate=0.05)
    assert strict.of(FAN, "x_source_y.wav").undecided is None
    why = strict.of(FAN).undecided
    assert why is not None
    assert why.startswith(
        "of the domain target, 10 normal recordings are too few for a false-alarm rate of 0.05"
    )
    judged = strict.of(FAN).judge(features=made_features(4, 2))
    assert judged.is_anomaly is None
    assert np.isfinite(judged.p_value).all()
    assert list(strict.notes()) == [f"no decision for {FAN}: {why}"]


def test_the_nearest_memory_explains(bundle: Bundle, clips: Rows) -> None:
    judges = Judges(bundle.manifest)
    assert [judge.domain for judge in judges.of(FAN).nearest(clips[:8])] == ["source"] * 4 + ["target"] * 4
    assert [judge.domain for judge in judges.of(POOLED).nearest(clips[:1])] == [None]


def test_two_domains_in_one_path_are_refused(bundle: Bundle) -> None:
    path = "fan/target_test/section_00_source_test_normal_0000.wav"
    with pytest.raises(
        MachineError, match="its name says the domain source and its folder target_test says target"
    ):
        Judges(bundle.manifest).of(FAN, path)
    assert Judges(bundle.manifest, domain="source").of(FAN, path).domain == "source"
    assert (
        Judges(bundle.manifest).of(POOLED, path).domain is None
    )  # of one memory, names of domains tell nothing


def test_a_domain_that_nothing_is_held_of_is_refused(
    bundle: Bundle, memories: tuple[StoredMemory, StoredMemory], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="domain is 'moon'; expected one of: auto, unknown, source, target"):
        Judges(bundle.manifest, domain="moon")  # type: ignore[arg-type]
    with pytest.raises(
        MachineError, match="the domain target is asked for, and it has one memory for all clips"
    ):
        Judges(bundle.manifest, domain="target").of(POOLED)
    pooled = write_model(tmp_path / "m.onnx", [replace(memories[0], domain=None)], network=False)
    with pytest.raises(
        ConfigError, match="the domain source is asked for, and the model file holds no memory of"
    ):
        Judges(read_bundle(pooled).manifest, domain="source")
    assert Judges(read_bundle(pooled).manifest, domain="unknown").of(FAN).domain is None


def test_the_rule_both_is_refused(memories: tuple[StoredMemory, StoredMemory], tmp_path: Path) -> None:
    machine = "fan/id_00"
    of_class = [replace(memory, machine=machine) for memory in memories]
    manifest = read_bundle(write_model(tmp_path / "m.onnx", of_class)).manifest
    assert machine in manifest.network.model.classes
    with pytest.raises(MachineError, match="its memories are by domain, which the rule both does not know"):
        Judges(manifest, "both").of(machine)
    assert Judges(manifest, "network").of(machine, "a_source_b.wav").domain is None


def test_scores_depend_on_how_the_domain_is_told(bundle: Bundle) -> None:
    known, unknown = Judges(bundle.manifest), Judges(bundle.manifest, domain="unknown")
    assert known.fingerprint(FAN) != unknown.fingerprint(FAN)
    assert known.fingerprint(POOLED) == unknown.fingerprint(POOLED)
    assert known.parts(FAN) | {"domain": "unknown"} == unknown.parts(FAN)
    assert "domain" not in known.parts(POOLED)


def line(path: str, score: float) -> Record:
    return Record(path=path, machine=FAN, rule="memory", score=score)


@pytest.mark.parametrize("domain", ["auto", "unknown", "source"])
def test_a_table_is_decided_anew_as_it_was_scored(bundle: Bundle, domain: Any) -> None:
    judges = Judges(bundle.manifest, None, 0.1, domain)
    scored = {"options": {"domain": domain}, "scored_by": {FAN: judges.fingerprint(FAN)}}
    paths = ["x_source_0.wav", "x_target_0.wav", "x_0.wav"]
    decided = [
        record for record, _ in Decider(bundle, 0.1, scored).decide([line(path, 2.5) for path in paths])
    ]
    for path, record in zip(paths, decided, strict=True):
        expected = judges.of(FAN, path).decide(np.array([2.5]))
        assert (record.threshold, record.p_value) == (expected.threshold, expected.p_value[0])


def test_lines_of_another_way_to_tell_the_domain_are_not_decided(bundle: Bundle) -> None:
    known = Judges(bundle.manifest)
    scored = {"options": {"domain": "unknown"}, "scored_by": {FAN: known.fingerprint(FAN)}}
    decider = Decider(bundle, 0.1, scored)
    [(record, rate)] = decider.decide([line("x_source_0.wav", 2.5)])
    assert (record.is_anomaly, rate) == (None, None)
    assert "scored by another network or memory" in next(decider.notes())


def test_lines_whose_paths_tell_two_domains_are_not_decided(bundle: Bundle) -> None:
    decider = Decider(bundle, 0.1)
    [(record, _)] = decider.decide([line("target/x_source_0.wav", 2.5)])
    assert record.is_anomaly is None
    assert "its name says the domain source" in next(decider.notes())


def test_memories_of_one_machine_are_restored_each_as_it_was(bundle: Bundle) -> None:
    held = bundle.manifest.decisions or StoredDecisions()
    assert held.is_by_domain(FAN)
    assert not held.is_by_domain(POOLED)
    assert held.memory_of(FAN) is None
    assert [memory.owner for memory in held.memories_of(FAN)] == [f"{FAN} (source)", f"{FAN} (target)"]
    assert isinstance(restored_memory(held.memories_of(POOLED)[0], None), Memory)
