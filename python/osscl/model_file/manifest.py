"""What an exported model file says of itself."""

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from osscl.config import CLIP, FRONTEND, MAX_SIZE, ClipConfig, FrontendConfig, ModelConfig, Settings
from osscl.errors import ModelFileError
from osscl.model_file import golden
from osscl.model_file.decisions import Sha256, StoredDecisions
from osscl.model_file.signature import FrontEndPlace, TensorSpec, graph_inputs, graph_outputs
from osscl.model_file.verdict import Verdict

# A new field or word raises the number. An osscl reads every schema up to its own and refuses newer ones.
SCHEMA_VERSION = 6
_BF16_IN_GRAPH_SINCE = 3

Precision: TypeAlias = Literal["fp32", "fp16", "bf16", "int8"]
"""Arithmetic of a model's heavy layers."""

SchemaNumber: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=MAX_SIZE)]
GoldenCount: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=64)]
Error: TypeAlias = Annotated[float, msgspec.Meta(ge=0.0)]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]
NonNegative: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]
Share: TypeAlias = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Correlation: TypeAlias = Annotated[float, msgspec.Meta(ge=-1.0, le=1.0)]
# A component of a normalised vector, or a cosine: at most 1, but for rounding.
UnitValue: TypeAlias = Annotated[float, msgspec.Meta(ge=-1.001, le=1.001)]


class Producer(Settings, frozen=True, kw_only=True):
    """The program that wrote the file.

    Attributes
    ----------
    name, version : str
        The program and its version.
    tools : dict of str to str
        Versions of the packages it exported and checked with.
    """

    name: str
    version: str
    tools: dict[str, str]


class Checkpoint(Settings, frozen=True, kw_only=True):
    """The checkpoint the graph was made from.

    Attributes
    ----------
    sha256 : str
        Hash of the checkpoint file, lower-case hexadecimal digits as all hashes here.
    layout : str
        Name of the layout it was read as.
    """

    sha256: Sha256
    layout: str


class FrontEnd(Settings, frozen=True, kw_only=True):
    """The log-mel front end the model was trained with.

    Attributes
    ----------
    where : {"native", "graph"}
        Whether the caller computes the log-mel, or the graph itself does.
    settings : FrontendConfig
        Its settings.
    sha256 : str
        Hash of the settings.
    """

    where: FrontEndPlace
    settings: FrontendConfig
    sha256: Sha256


class ParityErrors(Settings, frozen=True, kw_only=True):
    """Largest absolute differences over all golden clips.

    Attributes
    ----------
    embedding, cosine : float
        Over all components of the output.
    score : float
        Of the anomaly score, each clip claimed to be each class in turn.
    """

    embedding: Error
    cosine: Error
    score: Error


class Parity(Settings, frozen=True, kw_only=True):
    """Certificate that the graph computes what the checkpoint computes; anyone can rerun it.

    Attributes
    ----------
    generator : str
        Names the generator of the golden clips.
    count : int
        Number of golden clips.
    embedding : tuple of tuple of float
        What the checkpoint gives for them, [count, 128] float32, written with the fewest digits that read
        back to the same float32: numbers any language reads and a person can compare.
    cosine : tuple of tuple of float
        Likewise, [count, classes].
    tolerance, measured : ParityErrors
        What the exporter allowed, and what it found when it ran the graph.
    """

    generator: golden.Generator = "osscl.golden/1"
    count: GoldenCount
    embedding: tuple[tuple[UnitValue, ...], ...]
    cosine: tuple[tuple[UnitValue, ...], ...]
    tolerance: ParityErrors
    measured: ParityErrors


class Accuracy(Settings, frozen=True, kw_only=True):
    """How a model of reduced precision scores clips, beside the same model in fp32.

    Attributes
    ----------
    clips : str
        Which clips were scored.
    backend : str
        What computed the reduced precision, and its version.
    n_clips, n_machines : int
        Clips scored by both, and machine IDs among them.
    score_error : float
        Largest absolute difference of a clip's two scores, nats.
    rank_correlation : float
        Spearman's, between both lists of scores, in [-1, 1].
    auc_fp32, auc : float or None
        AUC of both, mean over machine IDs; None where no ID has clips of both labels.
    decision_flips : int or None
        Clips that one of both calls anomalous and the other does not; None where no threshold is known.
    """

    clips: str
    backend: str
    n_clips: Count
    n_machines: Count
    score_error: Error
    rank_correlation: Correlation
    auc_fp32: Share | None
    auc: Share | None
    decision_flips: NonNegative | None


class Network(NamedTuple):
    """What a manifest says of its network.

    Attributes
    ----------
    model : ModelConfig
        Classes in the order of the cosines, shape of the network, and the margin and scale of the score.
    checkpoint : Checkpoint
        Where it comes from.
    precision : {"fp32", "fp16", "bf16", "int8"}
        Arithmetic of the heavy layers.
    parity : Parity
        Certificate of the export.
    """

    model: ModelConfig
    checkpoint: Checkpoint
    precision: Precision
    parity: Parity


class Manifest(Settings, frozen=True, kw_only=True):
    """What an exported model file says of itself.

    Attributes
    ----------
    schema_version : int
        Version of this list of fields.
    producer : Producer
        The program that wrote it.
    checkpoint : Checkpoint or None
        Where the network comes from; this, `model`, `precision` and `parity` are None together, in a file of
        memories without a network. Since schema 4.
    model : ModelConfig or None
        Classes in the order of the cosines, shape of the network, and the margin and scale of the score.
    front_end, clip : FrontEnd, ClipConfig
        How sound becomes the inputs.
    inputs, outputs : tuple of TensorSpec
        The graph's, in order.
    scoring_rule : {"arcface_cross_entropy"}
        How cosines become a score; it takes margin and scale from `model`.
    precision : {"fp32", "fp16", "bf16", "int8"} or None
        Arithmetic of the heavy layers. fp16 since schema 3.
    graph_rewrites : tuple of str
        Names of the exact rewrites done on the graph for speed.
    graph_sha256 : str
        Hash of the whole file but for its metadata.
    parity : Parity or None
        Certificate of the export: of the graph in fp32, where the precision is another.
    accuracy : Accuracy or None
        What the precision costs, measured at the export; None for fp32. Since schema 2.
    class_machines : tuple of str or None
        Machine of each class, in their order, where machines have several: one for each of their conditions.
        None where each class is a machine. Since schema 6.
    decisions : StoredDecisions or None
        Backgrounds, memories and calibrations. Since schema 4.
    licence, training_data : str
        Free text: terms of use, and what the model was trained on.
    verdict : Verdict or None
        What the clips held out of its training say of the network; None where that is not known.
        Since schema 6.

    References
    ----------
    Section "Manifest" of ``docs/format.md``.
    """

    schema_version: SchemaNumber = SCHEMA_VERSION
    producer: Producer
    checkpoint: Checkpoint | None
    model: ModelConfig | None
    front_end: FrontEnd
    clip: ClipConfig
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    scoring_rule: Literal["arcface_cross_entropy"] = "arcface_cross_entropy"
    precision: Precision | None
    graph_rewrites: tuple[str, ...]
    graph_sha256: Sha256
    parity: Parity | None
    accuracy: Accuracy | None = None
    class_machines: tuple[str, ...] | None = None
    decisions: StoredDecisions | None = None
    licence: str
    training_data: str
    verdict: Verdict | None = None

    @property
    def has_network(self) -> bool:
        """Whether there is a network, and not memories alone."""
        return self.model is not None

    @property
    def network(self) -> Network:
        """What is said of the network.

        Raises
        ------
        ModelFileError
            There is none.
        """
        parts = (self.model, self.checkpoint, self.precision, self.parity)
        model, checkpoint, precision, parity = parts
        if model is None or checkpoint is None or precision is None or parity is None:
            raise ModelFileError(
                "the file holds memories of machines and no network: it scores by the rule memory alone; for "
                "the rest name a model that osscl-export wrote"
            )
        return Network(model, checkpoint, precision, parity)

    @property
    def machines(self) -> tuple[str, ...]:
        """Machine IDs that the file can score: those the network knows, then those with a memory alone.

        Of features or of embeddings.
        """
        held = self.decisions or StoredDecisions()
        memories = (memory.machine for memory in held.memories)
        embeddings = (each.machine for each in held.embeddings)
        return tuple(dict.fromkeys((*self.classes_of_machines, *memories, *embeddings)))

    @property
    def classes_of_machines(self) -> dict[str, tuple[int, ...]]:
        """Classes of each machine that the network knows, by their numbers; empty without a network."""
        if self.model is None:
            return {}
        found: dict[str, tuple[int, ...]] = {}
        for label, machine in enumerate(self.class_machines or self.model.classes):
            found[machine] = (*found.get(machine, ()), label)
        return found

    @property
    def graph_precision(self) -> Precision | None:
        """What the graph itself is written in: for bf16 before schema 3 it is fp32, computed in bf16."""
        if self.precision == "bf16" and self.schema_version < _BF16_IN_GRAPH_SINCE:
            return "fp32"
        return self.precision


def build_manifest(
    *,
    producer: Producer,
    checkpoint: Checkpoint,
    model: ModelConfig,
    where: FrontEndPlace,
    precision: Precision = "fp32",
    graph_rewrites: Sequence[str],
    graph_sha256: str,
    embedding: npt.NDArray[np.float32],
    cosine: npt.NDArray[np.float32],
    tolerance: ParityErrors,
    measured: ParityErrors,
    accuracy: Accuracy | None = None,
    class_machines: tuple[str, ...] | None = None,
    licence: str,
    training_data: str,
) -> Manifest:
    """Write down an export.

    Parameters
    ----------
    producer : Producer
        The exporting program.
    checkpoint : Checkpoint
        The checkpoint exported.
    model : ModelConfig
        Classes, shape of the network, margin and scale.
    where : {"native", "graph"}
        Where the log-mel is computed.
    precision : {"fp32", "fp16", "bf16", "int8"}
        Arithmetic of the heavy layers.
    graph_rewrites : sequence of str
        Names of the exact rewrites done on the graph.
    graph_sha256 : str
        Hash of the graph, by `osscl.bundle.graph_sha256`.
    embedding, cosine : ndarray of float32, shapes [count, 128] and [count, classes]
        What the checkpoint gives for the first golden clips.
    tolerance, measured : ParityErrors
        Errors allowed, and errors found in the graph.
    accuracy : Accuracy, optional
        What a reduced precision costs.
    class_machines : tuple of str, optional
        Machine of each class, where machines have several.
    licence, training_data : str
        Free text.

    Returns
    -------
    Manifest
        Not yet checked: writing it checks it.
    """
    return Manifest(
        producer=producer,
        checkpoint=checkpoint,
        model=model,
        front_end=FrontEnd(where=where, settings=FRONTEND, sha256=FRONTEND.sha256),
        clip=CLIP,
        inputs=graph_inputs(model, where),
        outputs=graph_outputs(model),
        precision=precision,
        graph_rewrites=tuple(graph_rewrites),
        graph_sha256=graph_sha256,
        parity=Parity(
            count=len(embedding),
            embedding=_shortest_digits(embedding),
            cosine=_shortest_digits(cosine),
            tolerance=tolerance,
            measured=measured,
        ),
        accuracy=accuracy,
        class_machines=class_machines,
        licence=licence,
        training_data=training_data,
    )


def _shortest_digits(array: npt.NDArray[np.float32]) -> tuple[tuple[float, ...], ...]:
    """Turn float32 numbers into floats that are written with as few digits as a float32 needs."""
    return tuple(tuple(float(str(number)) for number in row) for row in array.astype(np.float32))
