"""What `osscl score --runner ray` refuses, and in which words, before Ray is so much as loaded."""

from pathlib import Path

import pytest

from support.console import osscl_each
from support.normal_recordings import write_normals

RAY = ("--runner", "ray", "--output", "new.parquet")
REFUSED = [
    (("--runner", "dask", "--output", "new.parquet"), 2, "--runner is 'dask'; expected ray"),
    (("--address", "head:6379"), 2, "--address is of --runner ray; add that, or leave --address away"),
    (("--workers", "2"), 2, "--workers is of --runner ray"),
    (("--runner", "ray"), 2, "no lines on stdout; add --output NAME.parquet"),
    ((*RAY, "--json"), 2, "--json does not go with --runner ray: it writes Parquet"),
    ((*RAY, "--explain"), 2, "--explain does not go with --runner ray: explain flagged recordings"),
    ((*RAY, "--hop", "10", "--audacity", "labels"), 2, "--audacity does not go with --runner ray"),
    ((*RAY, "--hop", "10", "--raven", "labels"), 2, "--raven does not go with --runner ray"),
    (
        (*RAY, "--retry-failed"),
        2,
        "--retry-failed does not go with --runner ray: such a run keeps no journal",
    ),
    (("--runner", "ray", "--output", "new.csv"), 2, "expected a name that ends in .parquet"),
    (("--runner", "ray", "--output", "nowhere/new.parquet"), 1, "there is no folder nowhere; make it first"),
    ((*RAY, "--address", "ray://head:10001"), 2, "expected HOST:PORT of a Ray cluster's head"),
    ((*RAY, "--address", "127.0.0.1:1"), 1, "no Ray answers at 127.0.0.1:1 (Connection refused)"),
    ((*RAY, "--machine", "fan/id_77"), 1, "fan/id_77"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("by_ray")
    write_normals(folder / "blower", 1)
    return folder


def test_what_ray_has_no_meaning_for_is_refused_in_a_sentence(folder: Path) -> None:
    ended = osscl_each([("score", "demo", "blower", *arguments) for arguments, _, _ in REFUSED], cwd=folder)
    for (arguments, code, told), each in zip(REFUSED, ended, strict=True):
        assert (each.returncode, each.stdout) == (code, ""), (arguments, each.stderr)
        assert told in each.stderr, arguments
        assert each.stderr.count("\n") == 1, each.stderr
    assert [each.name for each in folder.iterdir()] == ["blower"]
