"""What the figures were measured on."""

import os
import platform
from pathlib import Path

from osscl import frontend
from osscl.bench.figures import GpuFacts, MachineFacts
from osscl.cuda.device import Device
from osscl.runs.run import installed_versions
from osscl.support.threads import usable_cpus

_BLAS_VARIABLES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "MKL_ENABLE_INSTRUCTIONS", "BLIS_ARCH_TYPE")
_CPU_FACTS = Path("/proc/cpuinfo")


def machine_facts(gpu: Device | None = None) -> MachineFacts:
    """Describe this machine.

    Parameters
    ----------
    gpu : Device, optional
        The GPU that computed.

    Returns
    -------
    MachineFacts
        Processor, operating system, versions, GPU.
    """
    return MachineFacts(
        cpu=_cpu_name(),
        usable_cpus=usable_cpus(),
        cpus=os.cpu_count() or 1,
        instruction_set=frontend.instruction_set(),
        platform=platform.platform(),
        versions={"python": platform.python_version(), **installed_versions()},
        blas_settings={name: value for name, value in os.environ.items() if name in _BLAS_VARIABLES},
        gpu=None if gpu is None else _gpu_facts(gpu),
    )


def _gpu_facts(gpu: Device) -> GpuFacts:
    return GpuFacts(
        device=f"cuda:{gpu.index}",
        name=gpu.name,
        compute_capability=".".join(map(str, gpu.compute_capability)),
        driver=gpu.driver_version,
        memory_bytes=gpu.total_memory,
    )


def _cpu_name() -> str:
    try:
        lines = _CPU_FACTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (
        value.strip() for name, _, value in (line.partition(":") for line in lines) if "model name" in name
    )
    return next(names, "") or platform.processor() or platform.machine()
