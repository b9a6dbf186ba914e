"""A folder as one archive in pieces, for media that take no more, and the script that joins them."""

import hashlib
import re
import shutil
import tarfile
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from refused import Refused

JOIN = Path(__file__).with_name("join.sh")
SUMS = "pieces.sha256"
_UNITS = {"M": 10**6, "G": 10**9}  # smaller ones would be too many for a command line
_BLOCK = 2**20


def size_in_bytes(typed: str) -> int:
    """A size as it is typed, such as 60M.

    Raises
    ------
    Refused
        It is no size.
    """
    found = re.fullmatch(r"(\d+)([MG])", typed)
    if found is None or int(found[1]) == 0:
        raise Refused(
            f"--piece-size is {typed!r}; write a whole number and M or G, such as 60M for 60,000,000 bytes"
        )
    return int(found[1]) * _UNITS[found[2]]


def write_pieces(folder: Path, to: Path, size: int) -> int:
    """Write a folder's files as pieces, with their hashes and the script that joins them.

    Parameters
    ----------
    folder : Path
        Folder of files.
    to : Path
        Folder that receives the pieces.
    size : int
        Bytes of a piece; the last one has fewer.

    Returns
    -------
    int
        How many pieces there are.
    """
    files = sorted(folder.iterdir())
    sums = {}
    for n_before, parts in groupby(_cut(_archive(files), size), key=itemgetter(0)):
        name = f"wheels.tar.{n_before + 1:05d}"
        sums[name] = _write(to / name, (part for _, part in parts))
    (to / SUMS).write_text("".join(f"{told}  {name}\n" for name, told in sums.items()), encoding="utf-8")
    shutil.copyfile(JOIN, to / JOIN.name)
    return len(sums)


def _archive(files: Iterable[Path]) -> Iterator[bytes]:
    """The bytes of a tar archive, block by block."""
    for path in files:
        about = tarfile.TarInfo(path.name)  # of nobody and no date: the same files make the same pieces
        about.size = path.stat().st_size
        yield about.tobuf(tarfile.GNU_FORMAT)  # names of wheels may be longer than 100 characters
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                yield block
        yield bytes(-about.size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _cut(blocks: Iterable[bytes], size: int) -> Iterator[tuple[int, bytes]]:
    """The same bytes, each with the number of the piece that it lies in."""
    n_before = 0
    for block in blocks:
        left = block
        while left:
            part = left[: size - n_before % size]
            yield n_before // size, part
            n_before += len(part)
            left = left[len(part) :]


def _write(path: Path, parts: Iterable[bytes]) -> str:
    """Write a piece; its hash."""
    told = hashlib.sha256()
    with path.open("wb") as file:
        for part in parts:
            file.write(part)
            told.update(part)
    return told.hexdigest()
