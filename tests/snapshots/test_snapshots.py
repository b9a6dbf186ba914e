"""What is public is what was written down: whoever changes it shows the change in review."""

import difflib
from typing import Literal, NamedTuple

import msgspec
import pytest

import osscl
from osscl.cli.program import command
from snapshots.console_options import command_facts
from snapshots.public_names import facts_of
from snapshots.renew import FOLDER, KINDS, file_of
from snapshots.written import fields_of

RENEW = "python tests/snapshots/renew.py"


def differences(kind: str, lines: list[str]) -> list[str]:
    """What is not as it was written down, as a diff has it."""
    told = file_of(kind).read_text(encoding="utf-8").splitlines()
    return list(difflib.unified_diff(told, lines, "as written down", "as it is", n=0, lineterm=""))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_public_is_what_was_written_down(kind: str) -> None:
    found = "\n".join(differences(kind, KINDS[kind]()))
    assert not found, f"if that is meant, write it down anew ({RENEW}) and tell it in CHANGELOG.md:\n{found}"


def test_no_file_is_of_something_that_is_not_there() -> None:
    assert {*FOLDER.rglob("*.txt")} == {*map(file_of, KINDS)}


# A change is seen


def heard(kept: int = 3, *, unit: Literal["dB", "bel"] = "dB") -> "list[str] | None":
    """Be a public function."""
    return [unit] * kept


def heard_otherwise(kept: int = 4, *, unit: Literal["dB", "bel"] = "dB") -> "list[str] | None":
    """Be the same with another default."""
    return [unit] * kept


class Told(msgspec.Struct, frozen=True):
    """Be a public class."""

    kept: int = 3
    of: tuple[str, ...] = ()

    @property
    def first(self) -> str:
        """Be a public property."""
        return self.of[0]


class ToldMore(NamedTuple):
    """Be a public tuple."""

    kept: int = 3
    place: str | None = None


def test_all_that_a_function_takes_is_seen() -> None:
    assert [*facts_of("heard", heard)] == [
        "heard() -> list[str] | None",
        "heard(kept: int = 3)",
        "heard(* unit: Literal['dB', 'bel'] = 'dB')",
    ]
    assert {*facts_of("heard", heard)} ^ {*facts_of("heard", heard_otherwise)} == {
        "heard(kept: int = 3)",
        "heard(kept: int = 4)",
    }


def test_fields_and_methods_of_classes_are_seen() -> None:
    assert [*facts_of("Told", Told)] == [
        "class Told(Struct)",
        "Told.kept: int = 3",
        "Told.of: tuple[str, ...] = []",
        "Told.first -> str",
    ]
    assert [*facts_of("ToldMore", ToldMore)] == [
        "class ToldMore(tuple)",
        "ToldMore.kept: int = 3",
        "ToldMore.place: str | None = None",
    ]


def test_another_default_of_an_option_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = command("watch")
    [settle] = [each for each in watch.params if "--settle" in each.opts]
    before = {*command_facts("osscl watch", watch)}
    monkeypatch.setattr(settle, "default", 3.5)
    assert before ^ {*command_facts("osscl watch", watch)} == {
        "osscl watch --settle: float, default 2.0, written S",
        "osscl watch --settle: float, default 3.5, written S",
    }


def test_another_default_of_a_public_function_is_told_as_a_diff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(osscl.load.__kwdefaults__ or {}, "domain", "source")
    [_, _, _, before, after] = differences("api/osscl", KINDS["api/osscl"]())
    assert (before[:1], after[:1]) == ("-", "+")
    assert before[1:].replace("= 'auto'", "= 'source'") == after[1:]


def test_a_field_that_a_document_has_more_is_seen() -> None:
    assert fields_of({"a": 1, "list": [{"b": None}, {"b": 2.0}]}) == [
        ": object",
        ".a: number",
        ".list: list",
        ".list[]: object",
        ".list[].b: null | number",
    ]
