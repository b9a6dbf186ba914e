"""The pages say nothing that is not so: links, commands and variables that they name exist."""

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import osscl.bench
import osscl.decisions
import osscl.distributed
import osscl.enrolment
import osscl.evaluation
import osscl.explanation
import osscl.export
import osscl.features
import osscl.monitoring
import osscl.sensitivity
import osscl.synth
import osscl.training
from osscl.cli.program import osscl_export
from osscl.scoring.record import Record
from support.console_parameters import console

REPOSITORY = Path(__file__).resolve().parents[2]
MANUAL = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
OTHERS = {*REPOSITORY.glob("*.md"), *(REPOSITORY / "benchmarks").glob("*.md")} - {*MANUAL}
PAGES = [*MANUAL, *sorted(OTHERS)]
PROGRAMS: dict[str, Any] = {
    "osscl": console(),
    "osscl-export": osscl_export(),
}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OPERATORS = {"|", "&&", ">", ";"}


def named(paths: list[Path]) -> list[Any]:
    return [pytest.param(path, id=path.relative_to(REPOSITORY).as_posix()) for path in paths]


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose(page: Path) -> str:
    """A page without its code."""
    return FENCE.sub("", text_of(page))


def test_the_first_page_is_short_and_says_how_to_run_the_tests() -> None:
    lines = text_of(REPOSITORY / "README.md").splitlines()
    assert len(lines) <= 180
    assert "pip install nox && nox -s tests" in lines


# Links


def anchors(page: Path) -> set[str]:
    """What a link may name in a page: its headings, spelt as repository hosts and MyST spell them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text_of(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def links(page: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", prose(page)))


@pytest.mark.parametrize("page", named(PAGES))
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if re.match(r"\w+://", link):
            continue
        path, _, anchor = link.partition("#")
        target = page if not path else page.parent / path
        assert target.is_file(), f"{link} leads nowhere"
        assert not anchor or anchor in anchors(target), f"{link}: there is no such heading"


def test_every_page_is_reached_from_the_first() -> None:
    reached = {REPOSITORY / link.partition("#")[0] for link in links(REPOSITORY / "README.md")}
    assert set(MANUAL[1:]) <= reached


# Commands


def command_lines(page: Path) -> Iterator[tuple[list[str], bool]]:
    """Command lines of osscl, as words, and whether they are complete: those in code blocks are."""
    for language, block in FENCE.findall(text_of(page)):
        if language == "sh":
            for line in block.replace("\\\n", " ").splitlines():
                yield from ((words, True) for words in calls(shlex.split(line, comments=True)))
    for span in re.findall(r"`(osscl(?:-export)?(?: [^`]*)?)`", prose(page)):
        yield from ((words, False) for words in calls(span.split()))


def calls(words: list[str]) -> Iterator[list[str]]:
    """The calls of osscl among the words of a shell's line."""
    call: list[str] = []
    for word in [*words, ";"]:
        if word not in OPERATORS:
            call.append(word)
            continue
        while call and re.match(r"[A-Z_]+=", call[0]):
            call.pop(0)
        if call and call[0] in PROGRAMS:
            yield call
        call = []


def check_call(words: list[str], *, complete: bool) -> None:
    """Take a call as the console would, but for running it."""
    name, *rest = words
    command, context = PROGRAMS[name], None
    while hasattr(command, "commands"):
        if not rest or rest[0].startswith("-"):
            break
        context = command.context_class(command, info_name=name, parent=context, **command.context_settings)
        name = rest.pop(0)
        assert name in command.commands, f"there is no command {' '.join(words)}"
        command = command.commands[name]
    known = command.context_class(command, info_name=name, parent=context, **command.context_settings)
    options = {
        spelling
        for parameter in command.get_params(known)
        for spelling in (*parameter.opts, *parameter.secondary_opts)
    }
    asked = [word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)]
    assert set(asked) <= options, f"{' '.join(words)}: unknown options {sorted(set(asked) - options)}"
    if complete and not hasattr(command, "commands") and "--help" not in asked:
        command.make_context(name, rest, parent=context)  # values, and what is required


@pytest.mark.parametrize("page", named(PAGES))
def test_the_console_takes_every_command(page: Path) -> None:
    for words, complete in command_lines(page):
        check_call(words, complete=complete)


def test_a_wrong_command_would_be_noticed() -> None:
    for line, complaint in {
        "osscl scores x": "no command osscl scores",
        "osscl score demo x --outptu y": "unknown options .*--outptu",
        "osscl train x": "output",  # is missing
        "osscl synth x --train many": "valid integer",
    }.items():
        with pytest.raises(Exception, match=complaint):
            check_call(line.split(), complete=True)


def test_the_manual_names_every_command() -> None:
    said = "\n".join(map(text_of, MANUAL))
    for name, command in PROGRAMS["osscl"].commands.items():
        for path in [f"{name} {each}" for each in getattr(command, "commands", ())] or [name]:
            assert f"osscl {path}" in said, f"no page names osscl {path}"


# Tables and sentences


def test_the_table_shown_has_every_column() -> None:
    (head, *lines) = re.findall(
        r"^(?:path,machine,status|osscl-demo/recordings/).*$",
        text_of(REPOSITORY / "docs" / "scoring.md"),
        re.MULTILINE,
    )
    assert head.split(",") == list(Record.__struct_fields__)
    assert {line.count(",") for line in lines if "," in line} == {head.count(",")}


def test_every_column_is_described() -> None:
    page = text_of(REPOSITORY / "docs/scoring.md").partition("### Columns")[2]
    described = {
        name
        for cell in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", cell)
    }
    assert set(Record.__struct_fields__) <= described


def test_every_extra_is_in_the_page_on_installing() -> None:
    extras = tomllib.loads(text_of(REPOSITORY / "pyproject.toml"))["project"]["optional-dependencies"]
    table = (
        text_of(REPOSITORY / "docs" / "install.md").partition("| extra | brings |")[2].partition("\n\n")[0]
    )
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(extras)


@pytest.mark.parametrize("page", named(MANUAL))
def test_a_paragraph_begins_with_the_beginning_of_a_sentence(page: Path) -> None:
    before = ""
    for paragraph in re.split(r"\n\n+", FENCE.sub("CODE\n", text_of(page))):
        goes_on = before.strip() == "CODE"  # a sentence may have an example in its middle
        assert goes_on or not re.match(r"(?!osscl|torch|macOS|curl)[a-z]|\d+, ", paragraph.lstrip()), (
            paragraph
        )
        before = paragraph


# Environment variables


def variables_read(source: Path) -> Iterator[str]:
    """Names of the environment variables that a file of Python reads."""
    tree = ast.parse(text_of(source))
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        name: ast.expr | None = None
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("os.environ.get", "os.getenv"):
            name = node.args[0]
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            name = node.slice
        elif isinstance(node, ast.Compare) and ast.unparse(node.comparators[0]) == "os.environ":
            name = node.left
        if isinstance(name, ast.Constant):
            yield str(name.value)
        elif name is not None:
            yield str(constants[ast.unparse(name)])


def all_variables(*folders: str) -> set[str]:
    sources = (source for folder in folders for source in (REPOSITORY / folder).rglob("*.py"))
    return {name for source in sources for name in variables_read(source)}


def test_one_table_has_every_environment_variable() -> None:
    page = text_of(REPOSITORY / "docs/settings.md").partition("Options of the build")[0]
    stated = set(re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE))
    read = all_variables("python", "export")
    assert len(read) >= 4
    tests_alone = {name for name in all_variables("tests") if name.startswith("OSSCL_")}
    assert stated == read | tests_alone


def test_native_code_reads_no_environment_variable() -> None:
    sources = [path for path in (REPOSITORY / "csrc").rglob("*") if path.suffix in (".cpp", ".hpp", ".cu")]
    assert len(sources) > 20
    assert [path.name for path in sources if "getenv" in text_of(path)] == []


def test_the_build_options_are_those_of_cmake() -> None:
    cmake = text_of(REPOSITORY / "CMakeLists.txt")
    options = set(re.findall(r"^option\((\w+)|^set\((\w+) .*CACHE", cmake, re.MULTILINE))
    table = text_of(REPOSITORY / "docs/settings.md").partition("Options of the build")[2]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == {a or b for a, b in options}


# API


def test_the_reference_has_every_public_module_and_constant() -> None:
    page = text_of(REPOSITORY / "docs/api.md")
    modules = re.findall(r"^\.\. automodule:: (\S+)\n   :members:$", page, re.MULTILINE)
    packages = [
        osscl,
        osscl.bench,
        osscl.decisions,
        osscl.distributed,
        osscl.enrolment,
        osscl.sensitivity,
        osscl.evaluation,
        osscl.explanation,
        osscl.export,
        osscl.features,
        osscl.monitoring,
        osscl.synth,
        osscl.training,
    ]
    assert set(modules) == {"osscl.errors", "osscl.metrics", *(package.__name__ for package in packages)}
    for package in packages:
        for name in package.__all__:
            if not callable(getattr(package, name)):  # which automodule leaves out
                assert f".. py:data:: {package.__name__}.{name}\n" in page
