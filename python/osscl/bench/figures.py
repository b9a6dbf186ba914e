"""What a benchmark found, ready for JSON."""

from typing import Literal, TypeAlias

import msgspec

from osscl.config import ModelInputs
from osscl.model_file.manifest import Accuracy, Precision

Stage: TypeAlias = Literal["front_end", "decode", "engine", "network", "end_to_end", "latency"]
HostMemory: TypeAlias = Literal["pinned", "pageable"]


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """Speed of one stage, run in one way.

    Attributes
    ----------
    stage : {"front_end", "decode", "engine", "network", "end_to_end", "latency"}
        front_end: log-mel of clips in memory; on a GPU with a front end of its own, of clips that lie there,
        by its own clock. decode: a file to samples. engine: a GPU's network alone, on inputs that lie there,
        by its own clock. network: samples in memory to embedding and cosine, front end included.
        end_to_end: files to scores, as `osscl score` does it. latency: one clip in memory to its score,
        nothing else being computed.
    threads : int or None
        Processors that it uses at most; of decode, the files read side by side. None where a GPU computes
        everything.
    streams : int or None
        Batches computed side by side; None where there are no streams.
    batch_size : int
        Clips handed over at once.
    memory : {"pinned", "pageable"} or None
        Where the samples that a GPU takes lie; None where that makes no difference.
    clips_per_s : float
        Median over all repetitions.
    ms_per_clip : float
        1000 / clips_per_s.
    p50_ms, p95_ms, p99_ms : float or None
        Percentiles of the time that one call takes, for all clips of its batch; None where calls overlap.
    n_repetitions : int
        Repetitions, each at another moment of the benchmark.
    n_calls : int
        Calls in all repetitions together; clips where calls overlap.
    peak_share : float or None
        Share of the peak that the network's arithmetic reaches. On the CPU the peak is the rate of
        multiply-adds on as many threads, in bf16 for a bf16 model where the processor has that, else in
        fp32; on a GPU it is the matrix product of the same engine in the model's precision.
    copy_share : float or None
        Share of the rate at which a GPU can be given samples.
    idle_share : float or None
        Share of the time in which a GPU did not compute the network.
    """

    stage: Stage
    threads: int | None
    streams: int | None
    batch_size: int
    memory: HostMemory | None = None
    clips_per_s: float
    ms_per_clip: float
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    n_repetitions: int
    n_calls: int
    peak_share: float | None = None
    copy_share: float | None = None
    idle_share: float | None = None


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """What the first clip costs; the others stand under the stage "latency".

    Attributes
    ----------
    load_s : float
        Seconds that `osscl.load` took the first time in this process, import of the runtime included.
    first_ms : float
        Milliseconds of the first call after it.
    """

    load_s: float
    first_ms: float


class MatrixProduct(msgspec.Struct, frozen=True, kw_only=True):
    """Rate of a square matrix product: by NumPy's BLAS, or by the engine that computes the model on a GPU.

    Attributes
    ----------
    precision : {"fp32", "fp16", "bf16"}
        Of the matrices.
    threads : int or None
        Threads of the BLAS, in a process limited to so many; None on a GPU.
    size : int
        Rows and columns of both matrices.
    gflop_per_s : float
        2 size^3 times products a second: the median over all repetitions.
    best_gflop_per_s : float
        Of the best repetition. A disturbance only lowers it, so the highest of all sizes is the peak.
    n_products : int
        Products timed.
    """

    precision: Precision
    threads: int | None
    size: int
    gflop_per_s: float
    best_gflop_per_s: float
    n_products: int


class MultiplyAdd(msgspec.Struct, frozen=True, kw_only=True):
    """Rate of multiply-adds in a processor's registers, by a kernel of our own.

    Attributes
    ----------
    precision : str
        "fp32", or "bf16" added to float32.
    threads : int
        Threads side by side.
    gflop_per_s, best_gflop_per_s : float
        1e9 operations a second, a multiply-add counted as two: the median over all repetitions, and that
        of the best call, of about a millisecond. A disturbance only lowers it, so the best is the peak.
    """

    precision: str
    threads: int
    gflop_per_s: float
    best_gflop_per_s: float


class Copies(msgspec.Struct, frozen=True, kw_only=True):
    """Rate of copies of int16 samples from pinned memory to a GPU.

    Attributes
    ----------
    n_bytes : int
        Bytes of one copy.
    gb_per_s, best_gb_per_s : float
        1e9 bytes a second: the median over all repetitions, and the best of them.
    best_clips_per_s : float
        Clips a second that the GPU can be given at most.
    """

    n_bytes: int
    gb_per_s: float
    best_gb_per_s: float
    best_clips_per_s: float


class GpuFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A GPU.

    Attributes
    ----------
    device, name : str
        Such as "cuda:0" and "NVIDIA H200".
    compute_capability : str
        Its architecture, such as "9.0".
    driver : str
        Version of CUDA that its driver supports.
    memory_bytes : int
        Its memory.
    """

    device: str
    name: str
    compute_capability: str
    driver: str
    memory_bytes: int


class MachineFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the figures were measured on.

    Attributes
    ----------
    cpu : str
        Name of the processor.
    usable_cpus, cpus : int
        Processors that this process may use, and processors of the machine.
    instruction_set : str
        The front end's.
    platform : str
        Operating system.
    versions : dict of str to str
        Python and packages.
    gpu : GpuFacts or None
        The GPU that computed.
    blas_settings : dict of str to str
        Environment variables that choose the kernels of a BLAS, where they are set: they can slow it down.
    """

    cpu: str
    usable_cpus: int
    cpus: int
    instruction_set: str
    platform: str
    versions: dict[str, str]
    gpu: GpuFacts | None = None
    blas_settings: dict[str, str] = {}


class ModelFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Which model was measured.

    Attributes
    ----------
    path, sha256 : str
        The file as it was named, and its hash.
    inputs : {"three_maps", "log_mel"}
        Maps that the encoder sees.
    precision : {"fp32", "fp16", "bf16", "int8"}
        Arithmetic of the heavy layers.
    graph_rewrites : tuple of str
        Exact rewrites done on the graph.
    gflop_per_clip : float
        Arithmetic of the network for one clip, a multiply-add counted as two.
    """

    path: str
    sha256: str
    inputs: ModelInputs
    precision: Precision
    graph_rewrites: tuple[str, ...]
    gflop_per_clip: float


class AccuracyFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The accuracy gate, passed or not.

    Attributes
    ----------
    reference : str
        What the scores were compared with.
    measured : Accuracy
        The comparison.
    flaw : str or None
        Why the gate is not passed; None where it is.
    """

    reference: str
    measured: Accuracy
    flaw: str | None


class Benchmark(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one benchmark found.

    Attributes
    ----------
    format : str
        Names this list of fields.
    started : str
        Date and time, UTC.
    machine : MachineFacts
        What it was measured on.
    model : ModelFacts
        What was measured.
    computed_by : dict of str to str or int
        What really computes: backend, its version, device, precision, threads, streams.
    clips : str
        Where the recordings come from.
    n_clips, n_unusable : int
        Recordings measured on, and recordings of the folder passed over because no score can be had of them.
    seconds : float
        Time spent on each stage.
    measurements : tuple of Measurement
        The stages.
    latency : Latency
        Loading, and the first clip.
    multiply_add : tuple of MultiplyAdd
        What the processor could do at most; none on a GPU.
    matrix_product : tuple of MatrixProduct
        What a matrix product reaches: of a GPU the peak; of a processor what the installed BLAS makes of it.
        None for an int8 model on a GPU.
    copies : Copies or None
        What a GPU could be given at most.
    other_cpus : float or None
        Processors that other processes used meanwhile, on average; None where the system does not tell.
    accuracy : AccuracyFigures or None
        The accuracy gate, where it was asked for.
    """

    format: Literal["osscl.bench/3"] = "osscl.bench/3"
    started: str
    machine: MachineFacts
    model: ModelFacts
    computed_by: dict[str, str | int]
    clips: str
    n_clips: int
    n_unusable: int
    seconds: float
    measurements: tuple[Measurement, ...]
    latency: Latency
    multiply_add: tuple[MultiplyAdd, ...] = ()
    matrix_product: tuple[MatrixProduct, ...]
    copies: Copies | None = None
    other_cpus: float | None
    accuracy: AccuracyFigures | None = None
