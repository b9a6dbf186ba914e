r"""How other systems spell a path: accents apart from letters (macOS), ``\`` between names (Windows)."""

import ntpath
import os
import unicodedata


def composed(text: str) -> str:
    """Put letters and their accents together, as Unicode's form NFC does."""
    return unicodedata.normalize("NFC", text)


def with_slashes(path: str) -> str | None:
    r"""Read ``\`` as what separates names; None where a path holds none."""
    return path.replace(ntpath.sep, "/") if ntpath.sep in path else None


def file_names(path: str) -> list[str]:
    r"""Give the file name in a path; and second, where there is one, the name if ``\`` separates names."""
    # os.path: Path costs more, and tables have millions of lines
    return [os.path.basename(reading) for reading in (path, with_slashes(path)) if reading is not None]  # noqa: PTH119
