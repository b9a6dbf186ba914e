"""Nouns behind numbers."""


def plural(count: int, noun: str) -> str:
    """Give a noun as it stands behind a number: "file" behind 1, else "files", "classes", "memories"."""
    if count == 1:
        return noun
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "sh", "tch")) else f"{noun}s"


def counted(count: int, noun: str) -> str:
    """Give a number and its noun: "1 file", "2 files"."""
    return f"{count} {plural(count, noun)}"


def verb(count: int, one: str, many: str) -> str:
    """Give what agrees with a number of things: "is" for 1, else "are"."""
    return one if count == 1 else many


def are(count: int, noun: str) -> str:
    """Give a number, its noun and the verb: "1 file is", "2 files are"."""
    return f"{counted(count, noun)} {verb(count, 'is', 'are')}"
