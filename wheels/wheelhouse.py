"""Collects all wheels that osscl needs on a machine without a network; nox -s wheelhouse runs it.

docs/offline.md shows how they are installed there. Needs uv, pip and packaging.
"""

import argparse
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from collecting import REQUIREMENTS, collect
from own_wheel import own_wheel
from pieces import JOIN, size_in_bytes, write_pieces
from refused import Refused
from target import Target
from two_builds import sha256

REMEDY = "make room there, or name another folder by --output"
PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"


def main() -> None:
    """Run the program."""
    try:
        print(wheelhouse(_arguments()))
    except Refused as error:
        raise SystemExit(f"error: {error}") from None
    except OSError as error:  # no room, no right to write
        place = error.filename or "the wheelhouse"
        raise SystemExit(f"error: {place} cannot be written: {error.strerror}; {REMEDY}") from None


def wheelhouse(asked: argparse.Namespace) -> str:
    """Collect what is asked for into a folder, which appears whole; what was made, in words."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    target = Target.named(asked.python, asked.platform)
    extras = _known_extras(asked.extra, project)
    size = size_in_bytes(asked.piece_size) if asked.piece_size else None
    own = own_wheel(asked.own, project["version"], target)
    name = f"osscl-{project['version']}-{extras.replace(',', '-')}-{target.python_tag}-{target.platform}"
    place = asked.output / name
    if place.exists():
        raise Refused(f"{place} is there already: remove it, or name another folder by --output")
    asked.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=asked.output, prefix=".collecting-") as made:
        wheels = Path(made) / "wheels"
        wheels.mkdir()
        collect(own, extras, target, wheels, _indexes(asked))
        told = f"{place}: {_summed_up(wheels)}"
        if size is None:
            wheels.rename(place)
            return f"{told}\nthere: {_install(place.name)}"
        pieces = Path(made) / "pieces"
        pieces.mkdir()
        n_pieces = write_pieces(wheels, pieces, size)
        pieces.rename(place)
        return (
            f"{told}, in {n_pieces} pieces\nthere: sh {place.name}/{JOIN.name} wheels && {_install('wheels')}"
        )


def _summed_up(wheels: Path) -> str:
    """Write the hashes of all files beside them; how many wheels there are, in words."""
    files = sorted(wheels.iterdir())
    sums = "".join(f"{sha256(path)}  {path.name}\n" for path in files)
    (wheels / "SHA256SUMS").write_text(sums, encoding="utf-8")
    return f"{len(files) - 1} wheels, {sum(path.stat().st_size for path in files) / 1e6:,.1f} MB"


def _install(folder: str) -> str:
    return f"pip install --no-index --find-links {folder} --require-hashes -r {folder}/{REQUIREMENTS}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="nox -s wheelhouse --", description=__doc__)
    parser.add_argument("extra", metavar="EXTRA", help="an extra of osscl, such as cpu; several with commas")
    parser.add_argument("python", metavar="PYTHON", help="the machine's Python, such as 3.11")
    parser.add_argument("platform", metavar="PLATFORM", help="the machine, such as manylinux_2_28_x86_64")
    parser.add_argument(
        "--output", type=Path, default=Path("wheelhouse"), help="where a folder is made of it"
    )
    parser.add_argument("--own", type=Path, default=Path("dist"), help="folder that holds osscl's own wheel")
    parser.add_argument("--piece-size", help="write one archive in pieces of so many bytes, such as 60M")
    parser.add_argument("--index-url", help="index in place of PyPI")
    parser.add_argument("--extra-index-url", action="append", default=[], help="an index that is asked first")
    parser.add_argument(
        "--find-links", action="append", default=[], help="a folder of wheels beside the index"
    )
    parser.add_argument("--no-index", action="store_true", help="ask no index, take what --find-links name")
    return parser.parse_args()


def _indexes(asked: argparse.Namespace) -> list[str]:
    """Where packages are looked for, as uv and pip are told."""
    named = [("--index-url", asked.index_url)] if asked.index_url else []
    named += [("--extra-index-url", url) for url in asked.extra_index_url]
    named += [("--find-links", folder) for folder in asked.find_links]
    return [word for pair in named for word in pair] + ["--no-index"] * asked.no_index


def _known_extras(typed: str, project: dict[str, Any]) -> str:
    known = project["optional-dependencies"]
    extras = sorted(set(typed.split(",")))
    for extra in extras:
        if extra not in known:
            raise Refused(f"there is no extra {extra!r}; osscl has {', '.join(known)}")
    return ",".join(extras)


if __name__ == "__main__":
    main()
