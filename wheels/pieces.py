"""A folder as one archive in pieces of a size, for media and mail that take no more, and the script that joins them."""

import hashlib
import io
import re
import shutil
import tarfile
from pathlib import Path

from refused import Refused

JOIN = Path(__file__).with_name("join.sh")
SUMS = "pieces.sha256"
_UNITS = {"K": 10**3, "M": 10**6, "G": 10**9}
_MOST = 999


def size_in_bytes(typed: str) -> int:
    """A size as it is typed, such as 60M.

    Raises
    ------
    Refused
        It is no size.
    """
    found = re.fullmatch(r"(\d+)([KMG])", typed)
    if found is None or int(found[1]) == 0:
        raise Refused(f"--piece-size is {typed!r}; write a whole number with K, M or G, such as 60M for 60,000,000 bytes")
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

    Raises
    ------
    Refused
        There would be too many of them.
    """
    files = sorted(folder.iterdir())
    needed = sum(path.stat().st_size + 1024 for path in files) + tarfile.RECORDSIZE
    if needed > _MOST * size:
        raise Refused(
            f"pieces of {size:,} bytes would be {-(-needed // size):,}, and {_MOST} are the most: "
            f"choose a --piece-size of {-(-needed // (_MOST * 10**6))}M or more"
        )
    pieces = _Pieces(to, size)
    with tarfile.open(fileobj=pieces, mode="w|", format=tarfile.USTAR_FORMAT) as archive:
        for path in files:
            about = tarfile.TarInfo(path.name)  # nobody's, and of no date: the same files make the same pieces
            about.size = path.stat().st_size
            with path.open("rb") as file:
                archive.addfile(about, file)
    pieces.end()
    (to / SUMS).write_text("".join(f"{told}  {name}\n" for name, told in pieces.sums.items()), encoding="utf-8")
    shutil.copyfile(JOIN, to / JOIN.name)
    return len(pieces.sums)


class _Pieces(io.RawIOBase):
    """A stream that goes on in another file whenever one is full."""

    def __init__(self, folder: Path, size: int) -> None:
        self.sums: dict[str, str] = {}
        self._folder, self._size, self._room = folder, size, 0
        self._file: io.BufferedWriter | None = None

    def writable(self) -> bool:
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        """Write all of it."""
        left = memoryview(data)
        while len(left):
            if self._room == 0:
                self._begin()
            taken = left[: self._room]
            self._file.write(taken)
            self._hash.update(taken)
            self._room -= len(taken)
            left = left[len(taken) :]
        return len(data)

    def _begin(self) -> None:
        self.end()
        self._name = f"wheels.tar.{len(self.sums) + 1:03d}"
        self._file, self._hash = (self._folder / self._name).open("wb"), hashlib.sha256()
        self._room = self._size

    def end(self) -> None:
        """Close the piece that is written."""
        if self._file is not None:
            self._file.close()
            self.sums[self._name] = self._hash.hexdigest()
            self._file = None
