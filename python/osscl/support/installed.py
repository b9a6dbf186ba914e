"""Which packages are installed, without loading them."""

from importlib import metadata


def version_of(package: str) -> str | None:
    """Version of an installed package, by the name that pip knows it by; None where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
