"""What a failed import says of the installation: which package is at fault, and the command that mends it.

Needs nothing but Python itself, so that it can speak when anything else is broken.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from types import ModuleType, TracebackType
from typing import NamedTuple, TypeGuard

from osscl.errors import MissingExtraError, OssclError
from osscl.support.installed import version_of

_OURS = "osscl"


class FailedImport(NamedTuple):
    """A package that could not be imported.

    Attributes
    ----------
    package : str
        Its name, where pip knows it that of pip.
    is_installed : bool
        Whether pip takes it for installed, so that a plain ``pip install`` would change nothing.
    reason : str
        The error, in one line.
    remedy : str
        What to do.
    """

    package: str
    is_installed: bool
    reason: str
    remedy: str

    def __str__(self) -> str:
        what = f"cannot be loaded ({self.reason})" if self.is_installed else "is needed and not installed"
        return f"the package {self.package} {what}: {self.remedy}"


def failed_import(error: BaseException) -> FailedImport | None:
    """Tell the failure of an import from all other errors.

    Broken packages raise whatever they like. What tells is where: in the code of a package that was just
    being imported.

    Parameters
    ----------
    error : BaseException
        An error that was raised, with its traceback.

    Returns
    -------
    FailedImport or None
        What it says of the installation; None where it comes from something else.
    """
    importing = [name for name in _being_imported(error.__traceback__) if _top(name) != _OURS]
    module = _at_fault(error, importing)
    if module is None:
        return None
    reason = f"{type(error).__name__}: {_first_line(error)}"
    if _top(module) in sys.stdlib_module_names:
        remedy = f"install a Python {sys.version_info.major}.{sys.version_info.minor} that has it"
        return FailedImport(module, True, reason, remedy)
    distributions = _distributions(module)
    if distributions:
        return FailedImport(" and ".join(distributions), True, reason, reinstall(distributions))
    # pip adds what an installed package needs and lacks
    wanted_by = [name for wanting in importing[:1] for name in _distributions(wanting)] or [_OURS]
    return FailedImport(module, False, reason, f"pip install {_pinned(wanted_by)}")


@contextmanager
def needing(purpose: str, *extras: str, package: str | None = None) -> Iterator[None]:
    """Import optional packages in a ``with`` block; what goes wrong becomes one sentence.

    Parameters
    ----------
    purpose : str
        What they are needed for, as the beginning of a sentence.
    *extras : str
        Extras of osscl, any of which holds them.
    package : str, optional
        Name by which pip knows the package, where it is not that of the module.

    Yields
    ------
    None

    Raises
    ------
    MissingExtraError
        A package is not installed, or cannot be loaded.
    """
    try:
        yield
    except OssclError:
        raise
    except Exception as error:
        failed = failed_import(error)
        if failed is None:
            raise
        name = package or failed.package
        if failed.is_installed:
            what = f"cannot be loaded ({failed.reason}): {failed.remedy}"
        else:
            what = "is not installed: pip install " + " or ".join(f'"osscl[{extra}]"' for extra in extras)
        raise MissingExtraError(f"{purpose} needs the package {name}, which {what}") from error


def reinstall(distributions: list[str]) -> str:
    """Write the command that makes pip install packages again which it takes for installed.

    Parameters
    ----------
    distributions : list of str
        Their names.

    Returns
    -------
    str
        The command.
    """
    # without the list of its files a package cannot be removed, and pip would refuse to put it anew
    has_lists = all(metadata.distribution(name).files is not None for name in distributions)
    how = "--force-reinstall" if has_lists else "--ignore-installed"
    return f"pip install {how} --no-deps {_pinned(distributions)}"


def _at_fault(error: BaseException, importing: list[str]) -> str | None:
    """Module that could not be imported; None where none was being."""
    name = error.name if isinstance(error, ImportError) else None
    if name is not None and sys.modules.get(name) is None:
        return name
    if isinstance(error, AttributeError) and _is_remnant(error.obj):
        return error.obj.__name__
    return importing[-1] if importing else name


def _being_imported(traceback: TracebackType | None) -> Iterator[str]:
    """Modules whose code at the top stands in a traceback, the outermost first."""
    while traceback is not None:
        frame = traceback.tb_frame
        name = frame.f_globals.get("__name__")
        if frame.f_code.co_name == "<module>" and isinstance(name, str) and name != "__main__":
            yield name
        traceback = traceback.tb_next


def _is_remnant(thing: object) -> TypeGuard[ModuleType]:
    """Whether this is a module of which no more than a folder is there."""
    return isinstance(thing, ModuleType) and thing.__spec__ is not None and thing.__spec__.origin is None


def _top(name: str) -> str:
    return name.partition(".")[0]


def _distributions(module: str) -> list[str]:
    """Names by which pip knows the packages that a module belongs to, whether its files are there or not."""
    # where pip's list of a package's files is lost too, its name is what is left to go by
    names = {name for name in metadata.packages_distributions().get(_top(module), []) if name} or {
        _top(module)
    }
    return sorted(name for name in names if version_of(name) and _holds(name, module))


def _holds(distribution: str, module: str) -> bool:
    """Whether a package holds a module, and not just others below the same name: many share "cuda"."""
    files, parts = metadata.distribution(distribution).files, tuple(module.split("."))
    if files is None or len(parts) == 1:
        return True
    last = len(parts) - 1
    return any(
        file.parts[:last] == parts[:last] and file.parts[last].partition(".")[0] == parts[last]
        for file in files
        if len(file.parts) > last
    )


def _pinned(distributions: list[str]) -> str:
    """Packages as pip takes them, of the versions that are installed."""
    # what follows a "+" names a build that an index may not have
    versions = ((name, (version_of(name) or "").partition("+")[0]) for name in distributions)
    return " ".join(f'"{name}=={version}"' if version else name for name, version in versions)


def _first_line(error: BaseException) -> str:
    lines = [" ".join(line.split()) for line in str(error).splitlines()]
    return next(filter(None, lines), "it gives no reason").rstrip(".:")
