"""`osscl score --runner ray` by real Ray of two workers: what ends them, and what is left then."""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet
import pytest

from osscl.audio.candidate import Candidate
from osscl.backends import ComputeOptions
from osscl.distributed.ray_cluster import Cluster, connected
from osscl.distributed.ray_scoring import RayScoring
from osscl.distributed.sharing import shared
from osscl.distributed.work import Work
from osscl.errors import DistributedError
from osscl.machines.labels import MachineNames
from osscl.model_file.bundle import read_bundle
from osscl.scoring.judges import Judges
from osscl.scoring.left_out import LeftOut
from osscl.scoring.record import Record
from support.console import started_osscl
from support.normal_recordings import write_normals
from support.waiting import wait_until

ray = pytest.importorskip("ray", reason='Ray is not installed: pip install "osscl[ray]"')

pytestmark = pytest.mark.filterwarnings("default")  # Ray's own are not ours to mend
MACHINE = "blower/id_00"
N_CLIPS = 160


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings, most of them links to a few, and one that is damaged."""
    folder = tmp_path_factory.mktemp("recordings") / "blower"
    made = write_normals(folder, 8)
    for number in range(len(made), N_CLIPS):
        (folder / f"normal_id_00_{number:08d}.wav").hardlink_to(made[number % len(made)])
    (folder / "broken.wav").write_bytes(b"RIFF")
    return folder


def workers_at_work(run: int) -> list[int]:
    """Processes of a run, children of its Ray, that are in a batch and have opened a model."""
    found = []
    for raylet in children(run):
        for child in children(raylet):
            try:
                title = Path(f"/proc/{child}/cmdline").read_bytes()
                if b"ray::MapWorker" in title and b"submit" in title:
                    found += [child] if "onnxruntime" in Path(f"/proc/{child}/maps").read_text() else []
            except OSError:  # it ended meanwhile
                continue
    return found


def is_running(process: int) -> bool:
    """Whether a process is there, and more than an entry that nobody has looked at."""
    with suppress(OSError):
        return bool(Path(f"/proc/{process}/cmdline").read_bytes())
    return False


def children(process: int) -> list[int]:
    """Processes that a process started, by any of its threads."""
    listed: list[int] = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):  # the thread ended meanwhile
            listed += map(int, task.read_text().split())
    return listed


def test_a_worker_that_is_killed_costs_no_record_and_doubles_none(folder: Path, tmp_path: Path) -> None:
    output, local = tmp_path / "scores.parquet", tmp_path / "local.parquet"
    asked = ("score", "demo", folder, "--machine", MACHINE, "--output")
    with started_osscl(*asked, output, "--runner", "ray", "--workers", 2) as process:
        os.kill(wait_until(lambda: workers_at_work(process.pid) or None, process)[0], signal.SIGKILL)
        _, said = process.communicate()
    assert process.returncode == 3, said
    with started_osscl(*asked, local) as process:
        process.communicate()
    assert pyarrow.parquet.read_table(output).equals(pyarrow.parquet.read_table(local))
    assert f"{N_CLIPS + 1} files: 1 corrupt, {N_CLIPS} ok" in said
    run = msgspec.json.decode(Path(f"{output}.run.json").read_bytes())
    of_ray = run["distributed"]
    assert (of_ray["files_sent"], of_ray["files_back_once"]) == (N_CLIPS + 1, N_CLIPS + 1)
    assert of_ray["workers_that_ended"] == 1
    here = msgspec.json.decode(Path(f"{local}.run.json").read_bytes())
    for fact in ("counts", "n_files", "anomalies", "scored_by", "model_sha256", "backend"):
        assert run[fact] == here[fact], fact


def test_a_request_to_end_ends_all_and_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "scores.parquet"
    asked = ("score", "demo", folder, "--machine", MACHINE, "--output", output, "--runner", "ray")
    with started_osscl(*asked) as process:
        workers = wait_until(lambda: workers_at_work(process.pid) or None, process)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate()
    assert process.returncode == 143, said
    assert "nothing is written, and no worker is left" in said
    assert not list(tmp_path.iterdir())
    wait_until(lambda: not any(map(is_running, workers)))


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Two processors."""
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers do not know this file
    with connected(None) as cluster:
        yield cluster


class _Ends(Work):
    """Ends the process that scores certain recordings, as the system does where memory runs out."""

    def scored(self, candidates: Sequence[Candidate], first: int = 0) -> tuple[list[Record], LeftOut]:
        if any("poison" in candidate.path for candidate in candidates):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().scored(candidates, first)


def scoring(cluster: Cluster) -> RayScoring:
    """Two workers who meet such recordings."""
    bundle = read_bundle("demo")
    work = _Ends("demo", bundle.file_sha256, MachineNames(MACHINE))
    share = shared(cluster.nodes, 2, ComputeOptions())
    return RayScoring(cluster, share, work, bundle, Judges(bundle.manifest))


def test_a_recording_that_ends_every_worker_is_a_line_and_all_others_are_scored(
    cluster: Cluster, tmp_path: Path
) -> None:
    paths = write_normals(tmp_path, 5)
    paths.insert(2, tmp_path / "poison.wav")
    run = scoring(cluster)
    records = list(run.scored(Candidate(str(path)) for path in paths))
    assert [record.path for record in records] == list(map(str, paths))
    assert [record.status for record in records] == ["ok", "ok", "no_score", "ok", "ok", "ok"]
    assert "2 worker processes ended while they scored it" in str(records[2].reason)
    facts: dict[str, Any] = run.facts["distributed"]
    assert (facts["workers_that_ended"], facts["files_back_once"]) == (4, 6)


def test_where_nothing_but_ends_of_workers_comes_the_run_ends(cluster: Cluster) -> None:
    with pytest.raises(DistributedError, match=r"worker processes end one after the other, .* poison_"):
        list(scoring(cluster).scored(Candidate(f"poison_{number}.wav") for number in range(9)))
