"""A folder in pieces, joined by the script that lies beside them, as a bare machine runs it."""

import subprocess
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from conftest import REPOSITORY

SIZE = 1000
LONG = f"{'x' * 150}.whl"  # longer than a plain tar archive can say
FILES = {"a.whl": b"a" * 512, "b.whl": bytes(range(256)) * 9, LONG: b"", "requirements.txt": b"a\n"}
Join = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module."""
    monkeypatch.syspath_prepend(str(REPOSITORY / "wheels"))
    return import_module("pieces")


@pytest.fixture
def cut(pieces: Any, tmp_path: Path) -> Path:
    """A folder of pieces, whose name holds a space."""
    folder, cut = tmp_path / "whole", tmp_path / "in pieces"
    folder.mkdir()
    cut.mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    done = subprocess.run("sha256sum *", shell=True, cwd=folder, capture_output=True, check=True)
    (folder / "SHA256SUMS").write_bytes(done.stdout)
    n_pieces = pieces.write_pieces(folder, cut, SIZE)
    assert n_pieces == len([*cut.glob("wheels.tar.*")]) >= 5
    return cut


@pytest.fixture
def join(cut: Path, tmp_path: Path) -> Join:
    """The script, run from another folder."""
    return lambda *words, **options: subprocess.run(
        ["sh", cut / "join.sh", *words], capture_output=True, text=True, timeout=60, cwd=tmp_path, **options
    )


def test_pieces_have_the_size_and_join_to_the_same_files(cut: Path, join: Join, tmp_path: Path) -> None:
    sizes = [path.stat().st_size for path in sorted(cut.glob("wheels.tar.*"))]
    assert {*sizes[:-1]} == {SIZE}
    assert 0 < sizes[-1] <= SIZE
    done = join("joined here")
    assert (done.returncode, done.stderr) == (0, "")
    joined = {path.name: path.read_bytes() for path in (tmp_path / "joined here").iterdir()}
    joined.pop("SHA256SUMS")
    assert joined == FILES


def test_by_default_they_are_joined_beside_the_pieces(cut: Path, join: Join) -> None:
    assert join().returncode == 0
    assert (cut / "wheels" / "a.whl").read_bytes() == FILES["a.whl"]


def test_the_same_files_make_the_same_pieces(pieces: Any, cut: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.mkdir()
    for path in (tmp_path / "whole").iterdir():
        path.touch()
        path.chmod(0o600)
    pieces.write_pieces(tmp_path / "whole", again, SIZE)
    assert (again / "pieces.sha256").read_bytes() == (cut / "pieces.sha256").read_bytes()


def test_pieces_that_are_missing_are_named_all_at_once(cut: Path, join: Join) -> None:
    (cut / "wheels.tar.00002").unlink()
    (cut / "wheels.tar.00004").unlink()
    done = join("joined")
    assert done.returncode == 1
    told = "error: these pieces are not beside join.sh: wheels.tar.00002 wheels.tar.00004; copy them again\n"
    assert done.stderr == told


def test_a_damaged_piece_is_named_and_nothing_is_left(cut: Path, join: Join, tmp_path: Path) -> None:
    content = bytearray((cut / "wheels.tar.00003").read_bytes())
    content[7] ^= 1
    (cut / "wheels.tar.00003").write_bytes(content)
    done = join("joined")
    assert done.returncode == 1
    assert done.stderr == "error: these pieces are damaged: wheels.tar.00003; copy them again\n"
    assert not [*tmp_path.glob("joined*")]


def test_a_damaged_list_of_pieces_is_told(cut: Path, join: Join) -> None:
    (cut / "pieces.sha256").write_text("")
    done = join("joined")
    assert done.returncode == 1
    assert done.stderr == "error: pieces.sha256 cannot be read; copy it again\n"


def test_a_folder_that_is_there_is_let_be(join: Join, tmp_path: Path) -> None:
    (tmp_path / "joined").mkdir()
    done = join("joined")
    assert done.returncode == 1
    remedy = "remove it, or name another folder: sh join.sh FOLDER"
    assert done.stderr == f"error: joined is there already: {remedy}\n"


def test_a_machine_without_sha256sum_is_told(join: Join, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    for program in ("sh", "dirname"):
        found = subprocess.run(["which", program], capture_output=True, text=True, check=True).stdout.strip()
        (tmp_path / "bin" / program).symlink_to(found)
    done = join("joined", env={"PATH": str(tmp_path / "bin")})
    assert done.returncode == 1
    assert done.stderr.startswith("error: sha256sum is needed, and is not on this machine")


def test_a_disk_without_room_is_told_and_left_as_it_was(cut: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    script = f'mount -t tmpfs -o size=4k small "{small}" && sh "{cut}/join.sh" "{small}/joined"; ls "{small}"'
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, timeout=60)
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    assert done.stderr.endswith(f"error: the wheels cannot be written into {small}/joined: make room there\n")
    assert done.stdout == ""


@pytest.mark.parametrize(("typed", "size"), [("60M", 60_000_000), ("2G", 2_000_000_000), ("1M", 1_000_000)])
def test_sizes_are_read(pieces: Any, typed: str, size: int) -> None:
    assert pieces.size_in_bytes(typed) == size


@pytest.mark.parametrize("typed", ["60", "0M", "60K", "-1M", "1.5G", "60 M", "60MB", "much", ""])
def test_what_is_no_size_is_told_in_a_sentence(pieces: Any, typed: str) -> None:
    with pytest.raises(Exception, match="--piece-size is ") as raised:
        pieces.size_in_bytes(typed)
    assert str(raised.value) == (
        f"--piece-size is {typed!r}; write a whole number and M or G, such as 60M for 60,000,000 bytes"
    )
