"""How a training is carried out: device, workers, cache. None of it is part of the recipe."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import torch

from osscl.errors import BackendError, ConfigError
from osscl.support.installed import version_of
from osscl.support.plurals import counted
from osscl.support.threads import usable_cpus

_RECORDED_PACKAGES = ("osscl", "torch", "numpy", "soundfile", "soxr")


@dataclass(frozen=True, slots=True)
class Execution:
    """How a training is carried out.

    Attributes
    ----------
    device : str
        "cpu", "cuda" or "cuda:N"; "auto" takes CUDA where it can be used, else the CPU.
    workers : int or None
        Processes that read recordings; 0 reads between the steps. By default 1 on a CPU, else all
        processors but one, at most 8.
    compile : bool
        Compile the network first (`torch.compile`): minutes at the start, faster steps.
    cache : Path or None
        Folder where log-mels are kept.

    Raises
    ------
    BackendError
        The device cannot be used.
    ConfigError
        A value lies outside its range.
    """

    device: str = "auto"
    workers: int | None = None
    compile: bool = False
    cache: Path | None = None

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 0:
            raise ConfigError(f"workers is {self.workers}; it must be zero or more")
        self.torch_device()

    def torch_device(self) -> torch.device:
        """Find the device, never another one than was asked for.

        Returns
        -------
        torch.device
            It can be used.
        """
        has_cuda = torch.cuda.is_available()
        if self.device == "auto":
            return torch.device("cuda" if has_cuda else "cpu")
        try:
            device = torch.device(self.device)
        except RuntimeError:
            device = torch.device("meta")
        if device.type not in ("cpu", "cuda"):
            raise ConfigError(f"device is '{self.device}'; choose cpu, cuda, cuda:N or auto")
        if device.type == "cuda" and not (has_cuda and (device.index or 0) < torch.cuda.device_count()):
            raise BackendError(
                f"device '{self.device}' was asked for, but PyTorch {torch.__version__} finds "
                f"{torch.cuda.device_count()} usable GPUs; "
                "choose cpu, or install a PyTorch built for your driver"
            )
        return device

    def n_workers(self) -> int:
        """Choose how many processes read recordings.

        Returns
        -------
        int
            What was asked for, or what suits the device.
        """
        if self.workers is not None:
            return self.workers
        return 1 if self.torch_device().type == "cpu" else min(8, max(1, usable_cpus() - 1))

    def device_name(self) -> str:
        """Name the device.

        Returns
        -------
        str
            With the GPU's name, or the number of threads of the CPU, on which results depend.
        """
        device = self.torch_device()
        if device.type == "cuda":
            return f"{device} ({torch.cuda.get_device_name(device)})"
        return f"cpu ({counted(torch.get_num_threads(), 'thread')})"


def package_versions() -> dict[str, str]:
    """Versions of the packages that take part in a training."""
    found = {name: version_of(name) for name in _RECORDED_PACKAGES}
    return {name: version for name, version in found.items() if version is not None}


def git_revision() -> str | None:
    """Revision of the working folder's repository, ``-dirty`` where files differ; None outside of one."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
