"""Nouns agree with their numbers, in all sentences of the package."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from conftest import REPOSITORY
from osscl.support.plurals import are, counted, plural, verb

COUNTED = re.compile(
    r"^ (?:[a-z-]+ )?(files|clips|recordings|machines|windows|lines|notes|streams|threads|memories|steps|"
    r"seeds|epochs|classes|alarms|engines|processes|trainings|sizes)\b(?!/)"
)
CONSTANT = re.compile(r"_?[A-Z][A-Z_.\d]+")
"""Whoever wrote the sentence knew the number."""
NEVER_ONE = {
    ("advice.py", "n_unusable"),  # MANY or more
    ("background.py", "made_by"),  # names, as in the five below
    ("challenge.py", "few(strangers, 'decision')"),
    ("changes.py", "kinds[old.is_padded]"),
    ("ground_truth.py", "few(strangers, 'score')"),
    ("judge_making.py", "rule"),
    ("memories.py", "owner"),
    ("console.py", "len(paths)"),  # one is named alone
    ("demo.py", "PLAN.machines"),
    ("demo.py", "PLAN.normal + PLAN.anomalous"),
    ("demo.py", "PLAN.train"),
    ("engine.py", "facts.options.max_batch"),  # "1 to 8 clips"
    ("engine.py", "self.max_batch"),
    ("export.py", "background.n_clips"),  # of four clips and machines, or none
    ("export.py", "background.n_machines"),
    ("exporting.py", "GATE_PLAN.normal + GATE_PLAN.anomalous"),
    ("inspect.py", "parity.count"),
    ("judging.py", "n_clips"),  # of a training: two at the very least
    ("left_out.py", "count"),  # one is spelled apart
    ("sentences.py", "1 / facts.asked"),  # many clips an alarm
    ("surveyed.py", "survey.n_recordings"),  # the first of very many
    ("training_limit.py", "len(recipes)"),  # "for each of 3 seeds"
    ("training_result.py", "len(outcomes)"),
    ("worker.py", "n_ended"),  # as many as a recording may end
}


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
        for folder in ("python/osscl", "export")
        for path in sorted((REPOSITORY / folder).rglob("*.py"))
        for each in fixed_plurals(path)
        if not CONSTANT.fullmatch(each[1])
    }
    assert found == NEVER_ONE


def test_one_and_more() -> None:
    assert [counted(n, "file") for n in (0, 1, 2)] == ["0 files", "1 file", "2 files"]
    assert [are(n, "file") for n in (1, 2)] == ["1 file is", "2 files are"]
    assert [plural(2, noun) for noun in ("class", "memory", "day", "batch", "epoch")] == [
        *("classes", "memories", "days", "batches", "epochs")
    ]
    assert (verb(1, "has", "have"), verb(0, "has", "have"), plural(1, "clip")) == ("has", "have", "clip")
