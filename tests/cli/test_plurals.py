"""Nouns agree with their numbers, in all sentences that the console makes."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from conftest import REPOSITORY
from osscl.support.plurals import are, counted, plural, verb

COUNTED = re.compile(
    r"^ (?:[a-z-]+ )?(files|clips|recordings|machines|windows|lines|notes|streams|threads|memories)\b(?!/)"
)
NEVER_ONE = {
    ("advice.py", "n_unusable"),  # MANY or more
    ("console.py", "len(paths)"),  # one is named alone
    ("demo.py", "PLAN.train"),
    ("demo.py", "PLAN.machines"),
    ("demo.py", "PLAN.normal + PLAN.anomalous"),
    ("engine.py", "facts.options.max_batch"),  # "1 to 8 clips"
    ("export.py", "background.n_clips"),  # of four clips and machines, or none
    ("export.py", "background.n_machines"),
    ("inspect.py", "parity.count"),
    ("surveyed.py", "survey.n_recordings"),  # the first of very many
}
OF_TRAINING = ("train.py", "training_")


def fixed_plurals(path: Path) -> Iterator[tuple[str, str]]:
    """Numbers in a file's texts behind which a noun stands that is always a plural."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            for value, text in zip(node.values, node.values[1:], strict=False):
                if (
                    isinstance(value, ast.FormattedValue)
                    and isinstance(text, ast.Constant)
                    and COUNTED.match(str(text.value))
                ):
                    yield path.name, ast.unparse(value.value)


def test_no_number_has_a_plural_for_one() -> None:
    found = {
        each
        for path in sorted((REPOSITORY / "python" / "osscl" / "cli").glob("*.py"))
        if not path.name.startswith(OF_TRAINING)
        for each in fixed_plurals(path)
    }
    assert found == NEVER_ONE


def test_one_and_more() -> None:
    assert [counted(n, "file") for n in (0, 1, 2)] == ["0 files", "1 file", "2 files"]
    assert [are(n, "file") for n in (1, 2)] == ["1 file is", "2 files are"]
    assert (verb(1, "has", "have"), verb(0, "has", "have"), plural(1, "clip")) == ("has", "have", "clip")
