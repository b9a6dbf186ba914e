"""The one folder of the user in which osscl keeps what it made, to find it again."""

import os
from pathlib import Path

from osscl.errors import OutputError

FOLDER_VARIABLE = "OSSCL_CACHE_DIR"

_TORCH_VARIABLE = "TORCHINDUCTOR_CACHE_DIR"


def own_cache() -> Path:
    """Where the cache is, made or not: ``OSSCL_CACHE_DIR``, or osscl's folder in the user's cache.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    OutputError
        The user's cache is not known, as this user has no home folder.
    """
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else _in_the_users_cache()


def keep_torch_inside() -> None:
    """Let PyTorch keep compiled code below osscl's cache, unless the user has named a folder for it.

    It makes its folder as soon as it makes an optimiser, compiled or not, and else among the system's
    temporary files, for good. Where osscl's cache cannot be written, PyTorch is left its own way.
    """
    if _TORCH_VARIABLE in os.environ:
        return
    try:
        folder = own_cache() / "torch"
        folder.mkdir(parents=True, exist_ok=True)
    except (OutputError, OSError):
        return
    if os.access(folder, os.W_OK | os.X_OK):
        os.environ[_TORCH_VARIABLE] = str(folder)


def _in_the_users_cache() -> Path:
    import platformdirs

    try:
        folder = Path(platformdirs.user_cache_dir("osscl"))
    except RuntimeError:  # older versions give a path that begins with "~"
        folder = Path("~")
    if not folder.is_absolute():
        raise OutputError(
            f"this user has no home folder, and so no cache: set HOME, or {FOLDER_VARIABLE} to a folder"
        )
    return folder
