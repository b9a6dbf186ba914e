"""What a step of training takes of the memory, and what there is."""

from pathlib import Path

import pytest
import torch

from osscl.config import ModelInputs
from osscl.errors import TrainingError
from osscl.model import OSSCL
from osscl.support.memory import available_memory
from osscl.training.memory import give_back_freed_memory, keep_freed_memory
from osscl.training.step_memory import StepMemory, is_out_of_memory, step_memory
from support.training_data import small_recipe

MEBIBYTE = 2**20


class Machine:
    """The files in which Linux says how much memory there is."""

    def __init__(self, root: Path) -> None:
        self.proc, self.groups = root / "proc", root / "cgroup"
        write(self.proc / "meminfo", "MemTotal: 9000 kB\nMemFree: 10 kB\nMemAvailable:    8192 kB\n")

    def available(self) -> int | None:
        return available_memory(self.proc, self.groups)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def write_v2(folder: Path, limit: str, used: int, cache: int = 0) -> None:
    write(folder / "memory.max", f"{limit}\n")
    write(folder / "memory.current", f"{used}\n")
    write(folder / "memory.stat", f"anon 5\ninactive_file {cache}\nslab 3\n")


def test_without_groups_it_is_what_the_system_has(tmp_path: Path) -> None:
    assert Machine(tmp_path).available() == 8 * MEBIBYTE


def test_the_narrowest_group_around_the_process_counts(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    write(machine.proc / "self" / "cgroup", "0::/batch/job\n")
    write_v2(machine.groups / "batch" / "job", "max", 10)
    assert machine.available() == 8 * MEBIBYTE
    write_v2(machine.groups / "batch", str(6 * MEBIBYTE), 4 * MEBIBYTE, cache=MEBIBYTE)
    assert machine.available() == 3 * MEBIBYTE
    write_v2(machine.groups / "batch" / "job", str(MEBIBYTE), 2 * MEBIBYTE)
    assert machine.available() == 0


def test_a_container_sees_its_own_group_as_the_root(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    write(machine.proc / "self" / "cgroup", "0::/\n")
    write_v2(machine.groups, str(5 * MEBIBYTE), 2 * MEBIBYTE)
    assert machine.available() == 3 * MEBIBYTE


def test_the_first_version_of_groups_counts_as_well(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    write(machine.proc / "self" / "cgroup", "5:cpu:/\n4:cpuset,memory:/docker/0123\n1:name=systemd:/x\n")
    for name, text in (
        ("memory.limit_in_bytes", f"{4 * MEBIBYTE}\n"),
        ("memory.usage_in_bytes", f"{3 * MEBIBYTE}\n"),
        ("memory.stat", f"cache 7\ntotal_inactive_file {MEBIBYTE}\n"),
    ):
        write(machine.groups / "memory" / name, text)  # the host's path is not seen inside
    assert machine.available() == 2 * MEBIBYTE


def test_a_system_that_does_not_say_refuses_nothing(tmp_path: Path) -> None:
    assert available_memory(tmp_path, tmp_path) is None
    StepMemory(n_clips=64, clip_bytes=2**40, available_bytes=None).check()


def test_here_the_system_says_something() -> None:
    available = available_memory()
    assert available is None or available > 0


@pytest.mark.parametrize("inputs", ["three_maps", "log_mel"])
def test_the_count_is_what_a_real_step_keeps(inputs: ModelInputs) -> None:
    """Counted on tensors without memory; here on real ones, told apart by where they lie."""
    recipe = small_recipe(inputs=inputs)
    model = OSSCL(recipe.model(("any",))).train()
    shapes = {"waveform": (2, 160_000), "log_mel": (2, 128, 313)}
    own = {value.untyped_storage().data_ptr() for value in (*model.parameters(), *model.buffers())}
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        vector = model.vector(*(torch.randn(shapes[name]) for name in model.input_names))
    assert vector.shape == (2, 128)
    fp32 = step_memory(recipe, 100)
    assert fp32.n_clips == recipe.batch_size
    assert fp32.clip_bytes == pytest.approx(1.7 * sum(kept.values()) / 2, rel=1e-3)
    bf16 = step_memory(small_recipe(inputs=inputs, precision="bf16"), 2)
    assert bf16.n_clips == 2
    assert bf16.clip_bytes == pytest.approx(1.9 * sum(kept.values()) / 4, rel=1e-3)


def test_a_step_that_does_not_fit_is_refused_with_one_that_does() -> None:
    StepMemory(n_clips=4, clip_bytes=2**28, available_bytes=2**30).check()
    with pytest.raises(TrainingError) as error:
        StepMemory(n_clips=64, clip_bytes=2**28, available_bytes=2**30).check()
    assert str(error.value) == (
        "a step of 64 clips takes about 16.0 GiB of memory, of 1.0 GiB free: --batch-size 4 fits; "
        "or end what else uses memory here, or allow the process more"
    )
    with pytest.raises(TrainingError, match="not even --batch-size 2 fits"):
        StepMemory(n_clips=2, clip_bytes=2**28, available_bytes=2**28).check()


def test_memory_that_an_earlier_training_left_in_the_heap_counts_as_free() -> None:
    if available_memory() is None:
        pytest.skip("this system does not say how much memory a process has")
    keep_freed_memory()
    tensors = [torch.ones(250_000) for _ in range(400)]  # 400 MB in the heap's own blocks
    held = resident_bytes()
    del tensors
    give_back_freed_memory()
    assert held - resident_bytes() > 300e6


def resident_bytes() -> int:
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmRSS:")[2].split()[0])


def test_pytorchs_own_words_for_no_memory_are_known() -> None:
    with pytest.raises(RuntimeError) as error:
        torch.empty(10**13)
    assert is_out_of_memory(error.value)
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"))
    assert not is_out_of_memory(RuntimeError("shapes do not fit"))
