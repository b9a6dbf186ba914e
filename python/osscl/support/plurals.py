"""Nouns behind numbers."""


def plural(count: int, noun: str) -> str:
    """Give a noun as it stands behind a number: "file" behind 1, else "files"."""
    return noun if count == 1 else f"{noun}s"
