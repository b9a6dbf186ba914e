"""Which packages are installed, without loading them."""

from importlib import metadata
from importlib.util import find_spec


def version_of(package: str) -> str | None:
    """Version of an installed package, by the name that pip knows it by; None where it is not installed."""
    try:
        return metadata.version(package)
    except (metadata.PackageNotFoundError, KeyError):  # KeyError: what pip wrote down of it is damaged
        return None


def has_module(name: str) -> bool:
    """Whether a module is there, and not just a folder of its name, as a removal that broke off leaves it."""
    spec = find_spec(name)
    return spec is not None and spec.origin is not None
