"""In what two builds of the same differ."""

import hashlib
import tarfile
from pathlib import Path
from zipfile import ZipFile

Told = dict[str, tuple[str, str, str]]  # of each file in an archive: hash, date, mode


def differences(first: Path, second: Path) -> list[str]:
    """Sentences that say in what two archives differ; none where they are equal to the bit."""
    if first.name != second.name:
        return [f"the same sources gave {first.name} and {second.name}"]
    if first.read_bytes() == second.read_bytes():
        return []
    told = _of_files(_told(first), _told(second))
    return told or [f"two builds of {first.name} hold the same files, in another order or packed otherwise"]


def _of_files(first: Told, second: Told) -> list[str]:
    alone = [f"{name} is in one of two builds alone" for name in sorted(first.keys() ^ second.keys())]
    in_both = [name for name in first if name in second]
    changed = [
        f"the {what} of {name} differs between two builds: {one} and {other}"
        for name in in_both
        for what, one, other in zip(("content", "date", "mode"), first[name], second[name], strict=True)
        if one != other
    ]
    return alone + changed


def _told(archive: Path) -> Told:
    if archive.suffix == ".whl":
        with ZipFile(archive) as wheel:
            return {
                file.filename: (_short(wheel.read(file)), str(file.date_time), oct(file.external_attr >> 16))
                for file in wheel.infolist()
            }
    with tarfile.open(archive) as tar:
        return {
            file.name: (_short(tar.extractfile(file).read()), str(file.mtime), oct(file.mode))  # type: ignore[union-attr]
            for file in tar
            if file.isfile()
        }


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def sha256(path: Path) -> str:
    """Hash of a file, read piece by piece."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
