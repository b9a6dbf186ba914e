"""Model files with memories and calibrations, and sounds of the machines that they are of."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec.structs
import numpy as np
import numpy.typing as npt
import soundfile
from onnx import TensorProto, helper

import osscl
from osscl.config import FEATURES
from osscl.decisions import Memory, RobustScale, log_score
from osscl.features import memory_features
from osscl.machines.domains import Domain
from osscl.model_file.bundle import graph_sha256, write_bundle
from osscl.model_file.decisions import (
    Calibration,
    FitOptions,
    Rule,
    StoredClip,
    StoredDecisions,
    StoredMemory,
)
from osscl.model_file.manifest import Manifest
from osscl.model_file.signature import graph_inputs, graph_outputs
from support.model_files import tiny_graph, tiny_manifest

Waveforms = npt.NDArray[np.int16]  # [n, 160000]
AS_READ = FitOptions(resample=False, channel=None, pad=None)


def normal_clips(seed: int, n: int) -> Waveforms:
    """Sounds of a healthy machine: noise of a level that varies a little."""
    rng = np.random.default_rng(seed)
    levels = rng.normal(2000, 60, (n, 1))
    return np.clip(levels * rng.standard_normal((n, 160_000), np.float32), -32767, 32767).astype(np.int16)


def faulty_clips(seed: int, n: int) -> Waveforms:
    """Sounds of the same machine with a loud tone."""
    tone = 6000 * np.sin(2 * np.pi * 900 * np.arange(160_000) / 16_000)
    clips: Waveforms = np.clip(normal_clips(seed, n) + tone, -32767, 32767).astype(np.int16)
    return clips


def write_clips(folder: Path, name: str, clips: Iterable[npt.NDArray[np.int16]]) -> None:
    """Write clips as `name` with numbers behind it."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, clip in enumerate(clips):
        soundfile.write(folder / f"{name}{number:08}.wav", clip, 16_000, subtype="PCM_16")


def stored_clips(recordings: Sequence[str]) -> tuple[StoredClip, ...]:
    """One a recording's clip, of made up contents."""
    return tuple(
        StoredClip(
            sha256=sha256(f"{name} {number}".encode()).hexdigest()[:16],
            recording=name,
            added="2026-01-01",
            flagged=False,
        )
        for number, name in enumerate(recordings)
    )


def stored_memory(machine: str, clips: Waveforms, recordings: Sequence[str] | None = None) -> StoredMemory:
    """A memory of a machine, without a background."""
    return memory_of_features(machine, memory_features(clips), recordings)


def memories_by_domain(machine: str) -> list[StoredMemory]:
    """A memory of each domain: the target sounds as `faulty_clips` do."""
    clips_of: dict[Domain, Waveforms] = {"source": normal_clips(1, 8), "target": faulty_clips(2, 8)}
    return [
        memory_of_features(machine, memory_features(clips), domain=domain)
        for domain, clips in clips_of.items()
    ]


def memory_of_features(
    machine: str,
    rows: npt.NDArray[np.floating[Any]],
    recordings: Sequence[str] | None = None,
    domain: Domain | None = None,
) -> StoredMemory:
    """A memory of a machine, or of one of its domains, made of features [n, 360]."""
    named = [str(number) for number in range(len(rows))] if recordings is None else recordings
    memory = Memory.fit(rows, named)
    return StoredMemory(
        machine=machine,
        features_sha256=FEATURES.sha256,
        mean=memory.stored.mean,
        deviations=memory.stored.deviations,
        clips=stored_clips(named),
        fit=AS_READ,
        is_padded=False,
        domain=domain,
    )


def calibration(
    machine: str, rule: Rule, scores: npt.ArrayLike, network_scores: npt.ArrayLike | None = None
) -> Calibration:
    """A calibration by scores of normal clips, a recording each; for both, the network's alone as well."""
    numbers = np.asarray(scores, "<f8")
    scale = None if network_scores is None else RobustScale.of(log_score(network_scores))
    return Calibration(
        machine=machine,
        rule=rule,  # type: ignore[arg-type]
        precision="fp32",
        scores=numbers.tobytes(),
        clips=stored_clips([str(number) for number in range(len(numbers))]),
        log_median=None if scale is None else scale.median,
        log_mad=None if scale is None else scale.mad,
        is_guaranteed=True,
    )


def write_model(
    path: Path,
    memories: Sequence[StoredMemory] = (),
    calibrations: Sequence[Calibration] = (),
    rules: Mapping[str, Rule] | None = None,
    *,
    network: bool = True,
) -> Path:
    """Write the tiny model, or a file without a network, with something to decide by."""
    graph = (tiny_graph() if network else _identity()).SerializeToString()
    manifest = tiny_manifest(graph) if network else _without_network(graph)
    decisions = StoredDecisions(
        memories=tuple(memories), calibrations=tuple(calibrations), rules=dict(rules or {})
    )
    write_bundle(path, graph, msgspec.structs.replace(manifest, decisions=decisions))
    return path


def network_scores(path: Path, machine: str, clips: Waveforms) -> npt.NDArray[np.float32]:
    """What the network of a model file says of clips."""
    with osscl.load(path, "cpu", threads=1, rule="network") as detector:
        scores: npt.NDArray[np.float32] = detector.score(clips, machine).score
    return scores


def _identity() -> Any:
    graph = helper.make_graph(
        [helper.make_node("Identity", ["waveform"], ["same_waveform"])],
        "no_network",
        [helper.make_tensor_value_info("waveform", TensorProto.FLOAT, ["batch", 160_000])],
        [helper.make_tensor_value_info("same_waveform", TensorProto.FLOAT, ["batch", 160_000])],
    )
    return helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 18)])


def _without_network(graph: bytes) -> Manifest:
    tiny = tiny_graph().SerializeToString()
    return msgspec.structs.replace(
        tiny_manifest(tiny),
        checkpoint=None,
        model=None,
        precision=None,
        parity=None,
        graph_rewrites=(),
        inputs=graph_inputs(None, "native"),
        outputs=graph_outputs(None),
        graph_sha256=graph_sha256(graph),
    )
