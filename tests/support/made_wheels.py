"""Wheels that hold next to nothing, for what collects and installs wheels."""

from collections.abc import Sequence
from pathlib import Path
from zipfile import ZipFile


def make_wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    tag: str = "py3-none-any",
    requires: Sequence[str] = (),
    extras: Sequence[str] = (),
    content: bytes = b"",
) -> Path:
    """Write a wheel of one module into a folder."""
    told = f"{name}-{version}.dist-info"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    metadata += [f"Provides-Extra: {extra}" for extra in extras]
    metadata += [f"Requires-Dist: {required}" for required in requires]
    tags = "".join(f"Tag: {each}\n" for each in _single(tag))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-{tag}.whl"
    files: dict[str, bytes | str] = {
        f"{name}.py": content,
        f"{told}/METADATA": "\n".join(metadata) + "\n",
        f"{told}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\n{tags}",
    }
    with ZipFile(path, "w") as wheel:
        for file, text in files.items():
            wheel.writestr(file, text)
        wheel.writestr(f"{told}/RECORD", "".join(f"{file},,\n" for file in [*files, f"{told}/RECORD"]))
    return path


def _single(tag: str) -> list[str]:
    python, abi, platforms = tag.split("-")
    return [f"{python}-{abi}-{platform}" for platform in platforms.split(".")]
