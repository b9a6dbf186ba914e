"""What the figures were measured on."""

import os
import platform
from pathlib import Path

from osscl import frontend
from osscl.benchmarking.figures import MachineFacts
from osscl.run import installed_versions

_CPU_FACTS = Path("/proc/cpuinfo")


def machine_facts() -> MachineFacts:
    """Describe this machine.

    Returns
    -------
    MachineFacts
        Processor, operating system, versions.
    """
    return MachineFacts(
        cpu=_cpu_name(),
        usable_cpus=frontend.usable_cpus(),
        cpus=os.cpu_count() or 1,
        instruction_set=frontend.instruction_set(),
        platform=platform.platform(),
        versions={"python": platform.python_version(), **installed_versions()},
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
