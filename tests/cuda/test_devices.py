"""Which GPUs there are, and what is said where one cannot be used; the driver's package is the real one."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from osscl.cuda.device import Event, Memory, Module, PinnedMemory, Stream
from osscl.cuda.devices import count_devices, named_devices, open_device
from osscl.errors import ConfigError, DeviceError, DeviceLostError, DeviceMemoryError, MissingExtraError
from support.environments import Environment
from support.standin_gpu import GIB, StandInDriver, standin_driver


@pytest.fixture
def driver() -> StandInDriver:
    loaded = standin_driver()
    loaded.reset(devices=3)
    return loaded


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("cuda", (0,)),
        ("cuda:0", (0,)),
        ("cuda:2", (2,)),
        ("cuda:2,0", (2, 0)),
        ("cuda:all", (0, 1, 2)),
    ],
)
def test_names_of_devices(driver: StandInDriver, name: str, numbers: tuple[int, ...]) -> None:
    assert named_devices(name) == numbers


@pytest.mark.parametrize("name", ["cuda:", "cuda:x", "cuda:-1", "cuda:0,", "cuda:0:1", "cuda:all,0", "cudax"])
def test_other_names_are_refused_with_those_that_are_known(driver: StandInDriver, name: str) -> None:
    with pytest.raises(ConfigError, match=f"device '{name}' is not known; expected cuda, cuda:N"):
        named_devices(name)


def test_a_card_is_named_once(driver: StandInDriver) -> None:
    with pytest.raises(ConfigError, match="device 'cuda:1,1' names a GPU twice"):
        named_devices("cuda:1,1")


def test_a_card_that_is_not_there_is_named_with_their_number(driver: StandInDriver) -> None:
    with pytest.raises(DeviceError, match="device 'cuda:0,3' was asked for, but there are 3 GPUs"):
        named_devices("cuda:0,3")


def test_no_card(driver: StandInDriver) -> None:
    driver.reset(devices=0)
    with pytest.raises(DeviceError, match="device 'cuda' was asked for, but the NVIDIA driver finds no GPU"):
        named_devices("cuda")


@pytest.mark.parametrize(("version", "text"), [(12_010, "12.1"), (11_080, "11.8")])
def test_an_old_driver_is_told_what_is_needed(driver: StandInDriver, version: int, text: str) -> None:
    driver.reset(version=version)
    with pytest.raises(DeviceError, match=rf"supports CUDA {text}; osscl needs 12\.2, which driver r535"):
        count_devices()


def test_the_oldest_driver_and_card_that_will_do(driver: StandInDriver) -> None:
    driver.reset(version=12_020, capability=(7, 5))
    assert count_devices() == 1
    device = open_device(0)
    assert (device.name, device.compute_capability, device.driver_version, device.total_memory) == (
        "Stand-in 0",
        (7, 5),
        "12.2",
        4 * GIB,
    )


def test_an_old_card_is_named(driver: StandInDriver) -> None:
    driver.reset(capability=(7, 0))
    count_devices()
    with pytest.raises(
        DeviceError, match=r"cuda:0 \(Stand-in 0\) has compute capability 7\.0; expected 7\.5"
    ):
        open_device(0)


def test_without_the_driver_one_sentence_says_so() -> None:
    """In a process of its own, which has no stand-in."""
    code = "from osscl.cuda.devices import named_devices; named_devices('cuda')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        pytest.skip("this machine has a GPU")
    assert "DeviceError: device 'cuda' was asked for, but " in done.stderr
    assert done.stderr.rstrip().endswith("or choose device 'cpu'")


@pytest.mark.parametrize("others", [(), ("cuda-pathfinder",)], ids=["none", "others share its name"])
def test_without_the_package_one_sentence_says_what_to_install(
    others: tuple[str, ...], tmp_path: Path
) -> None:
    made = Environment(tmp_path / "made")
    for package in ("cuda-bindings", "cuda-pathfinder"):
        made.uninstall(package)
    for package in others:
        made.install_again(package)
    done = made.run("from osscl.cuda.devices import named_devices; named_devices('cuda')")
    assert MissingExtraError.__name__ in done.stderr
    assert (
        'cuda-bindings, which is not installed: pip install "osscl[tensorrt]" or "osscl[cuda]"' in done.stderr
    )


def test_copies_kernels_and_graphs_run_in_the_order_of_their_stream(driver: StandInDriver) -> None:
    device = open_device(named_devices("cuda:1")[0])
    driver.dawdle(500)
    with device.active():
        memory, pinned, stream, event = Memory(4096), PinnedMemory(4096), Stream(), Event()
        sent, back = np.arange(1024, dtype=np.float32), pinned.array(np.float32, 1024)
        stream.copy_in(memory.address, sent)
        stream.record(event)
        event.synchronize()
        graph = stream.record_graph(lambda: stream.copy_out(back, memory.address))
        assert not np.array_equal(back, sent)  # recorded, not done
        stream.replay(graph)
        stream.synchronize()
        assert np.array_equal(back, sent)
        for made in (graph, event, stream, pinned, memory):
            made.close()
    assert driver.memory_used(1) == 0
    assert [driver.count(what) for what in ("graphs", "events", "streams", "pinned")] == [0, 0, 0, 0]
    device.close()
    assert driver.count("contexts") == 0


def test_a_thread_works_on_a_card_only_while_it_is_active(driver: StandInDriver) -> None:
    device = open_device(named_devices("cuda")[0])
    with device.active():
        Memory(16).close()
    with pytest.raises(DeviceError, match="CUDA_ERROR_INVALID_CONTEXT"):
        Memory(16)


def test_errors_of_the_driver_by_their_kind(driver: StandInDriver) -> None:
    device = open_device(named_devices("cuda:2")[0])
    with device.active():
        with pytest.raises(DeviceMemoryError, match=r"the memory of the GPU is used up \(cuMemAlloc\); end"):
            Memory(5 * GIB)
        with pytest.raises(DeviceError, match=r"CUDA_ERROR_NOT_FOUND \(cuModuleGetFunction\)"):
            Module(b".version 8.2").kernel("log_mel_int16")
        stream = Stream()
        driver.lose(2)
        with pytest.raises(DeviceLostError, match=r"CUDA_ERROR_ILLEGAL_ADDRESS \(cuStreamSynchronize\)"):
            stream.synchronize()


def test_the_driver_loads_nothing_where_no_gpu_is_asked_for() -> None:
    code = "import sys, osscl; osscl.log_mel; print('cuda.bindings' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.strip() == "False"
