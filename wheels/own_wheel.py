"""The wheel of osscl itself: made here, or by cibuildwheel elsewhere, and never taken from an index."""

from pathlib import Path

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from refused import Refused
from target import Target


def own_wheel(folder: Path, version: str, target: Target) -> Path:
    """The wheel of this version in a folder that fits best.

    Raises
    ------
    Refused
        None fits.
    """
    fitting = {}
    for path in sorted(folder.glob("osscl-*.whl")):
        for rank in _ranks(path, version, target):
            fitting[rank] = path
    if fitting:
        return fitting[min(fitting)]
    there = ", ".join(path.name for path in sorted(folder.glob("osscl-*.whl"))) or "none of osscl"
    raise Refused(
        f"{folder} holds no wheel of osscl {version} for {target}, but {there}: make one by `nox -s wheel` "
        "on such a machine or by cibuildwheel, or name the folder that holds it by --own"
    )


def _ranks(path: Path, version: str, target: Target) -> list[int]:
    """Places of a wheel's platform tags among those that the target takes."""
    try:
        _, of_version, _, tags = parse_wheel_filename(path.name)
    except InvalidWheelFilename:
        return []
    if str(of_version) != version or all(tag.interpreter != target.python_tag for tag in tags):
        return []
    taken = target.pip_platforms()
    return [taken.index(tag.platform) for tag in tags if tag.platform in taken]
