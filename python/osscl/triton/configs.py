"""Triton's configuration of each kind of model that a repository holds."""

from collections.abc import Iterable

from osscl.backends import ComputeOptions
from osscl.cuda.devices import asked_devices
from osscl.model_file.manifest import Manifest
from osscl.model_file.signature import TensorSpec
from osscl.triton.batching import Batching
from osscl.triton.config_text import Message, Value, Word, entries

WRITTEN_BY = "# Written by osscl triton; --overwrite writes it anew.\n"
"""First line of each configuration, by which a folder of ours is known."""

WAVEFORM, WAVEFORM_INT16, MACHINE = "waveform", "waveform_int16", "machine"
"""Inputs of the model that takes samples."""

SCORER_OUTPUTS = {
    "score": "TYPE_FP32",
    "p_value": "TYPE_FP64",
    "threshold": "TYPE_FP64",
    "decision": "TYPE_STRING",
    "rule": "TYPE_STRING",
    "quality": "TYPE_STRING",
}
"""Its outputs, one value a clip."""


def scorer_config(
    name: str, batching: Batching, compute: ComputeOptions, asked: dict[str, str | None]
) -> Message:
    """Configure the model that takes samples and a machine ID, in Triton's Python backend.

    Parameters
    ----------
    name : str
        Name of the model.
    batching : Batching
        How requests are put together.
    compute : ComputeOptions
        On what it is computed, and how.
    asked : dict
        What else `osscl.load` is told, by name; None is left out.

    Returns
    -------
    mapping
        The message ModelConfig.
    """
    # of any length, and not put together by Triton: what does not fit is told by osscl, in one sentence
    samples: Message = {"dims": [-1], "optional": True, "allow_ragged_batch": True}
    given = {
        **compute.record(),
        **asked,
    }
    del given["device"]  # Triton itself says on which an instance runs
    parameters = {key: {"string_value": str(value)} for key, value in given.items() if value is not None}
    return {
        "name": name,
        "backend": "python",
        "max_batch_size": batching.max_batch,
        "input": [
            {"name": WAVEFORM, "data_type": Word("TYPE_FP32"), **samples},
            {"name": WAVEFORM_INT16, "data_type": Word("TYPE_INT16"), **samples},
            {"name": MACHINE, "data_type": Word("TYPE_STRING"), "dims": [1]},
        ],
        "output": [
            {"name": output, "data_type": Word(kind), "dims": [1]} for output, kind in SCORER_OUTPUTS.items()
        ],
        "dynamic_batching": batching.message(),
        "instance_group": _instances(compute.device),
        "parameters": entries(parameters),
    }


def network_config(name: str, manifest: Manifest, batching: Batching, compute: ComputeOptions) -> Message:
    """Configure the network alone, computed by Triton's ONNX Runtime; parameters as of `scorer_config`."""
    threads = {} if compute.threads is None else {"intra_op_thread_count": str(compute.threads)}
    return {
        "name": name,
        "platform": "onnxruntime_onnx",
        **_tensors(manifest),
        "max_batch_size": batching.max_batch,
        "dynamic_batching": batching.message(),
        "instance_group": _instances(compute.device),
        "parameters": entries({key: {"string_value": value} for key, value in threads.items()}),
    }


def plan_config(
    name: str, manifest: Manifest, batching: Batching, compute: ComputeOptions, files: dict[str, str]
) -> Message:
    """Configure the network alone, computed by Triton's TensorRT.

    Parameters
    ----------
    name, manifest, batching, compute
        As of `scorer_config`.
    files : dict of str to str
        Name of the engine's file for each compute capability, such as "9.0".

    Returns
    -------
    mapping
        The message ModelConfig.
    """
    device = "cuda:all" if compute.device == "auto" else compute.device
    return {
        "name": name,
        "platform": "tensorrt_plan",
        **_tensors(manifest),
        "max_batch_size": batching.max_batch,
        "dynamic_batching": batching.message(),
        "instance_group": _instances(device),
        "cc_model_filenames": entries(dict(files)),
    }


def _tensors(manifest: Manifest) -> Message:
    """Inputs and outputs of the graph, without their first dimension, which Triton adds."""
    return {"input": _described(manifest.inputs), "output": _described(manifest.outputs)}


def _described(tensors: Iterable[TensorSpec]) -> list[Value]:
    return [
        {"name": each.name, "data_type": Word("TYPE_FP32"), "dims": [int(size) for size in each.shape[1:]]}
        for each in tensors
    ]


def _instances(device: str) -> list[Value]:
    """One instance of a model on each device."""
    if device in ("auto", "cpu"):
        return [{"count": 1, "kind": Word(f"KIND_{device.upper()}")}]
    gpus = asked_devices(device)
    return [{"count": 1, "kind": Word("KIND_GPU"), "gpus": list(gpus or ())}]
