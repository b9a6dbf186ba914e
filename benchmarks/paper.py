"""The paper's experiment anew on one year of the challenge: trained, exported, evaluated, one table.

python benchmarks/paper.py 2020 dcase2020 --output rerun2020
python benchmarks/paper.py 2023 dcase2023 --output rerun2023 --seeds 0,1,2 --device cuda -- --precision bf16
python benchmarks/paper.py 2021 --output rehearsal --dry-run

DATA is the folder that the commands of ``osscl data dcase2020`` make. Every step is a command of osscl; one
whose result lies in FOLDER is not run again, and a training that was stopped goes on. FOLDER/table.md and
FOLDER/table.json are written at the end. See docs/rerun.md.
"""

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rerunning.plan import YEARS, Settings, reports, steps
from rerunning.table import table_of, to_markdown

from osscl.support.atomic import write_atomically

SETTINGS = "rerun.json"
SOME_UNSCORED = 3
CONSOLE = (sys.executable, "-c", "from osscl.cli import main; main()")
REHEARSAL = "--epochs 1 --batch-size 4 --hold-out 0.2 --inputs log_mel --workers 0"
TESTS = Path(__file__).resolve().parents[1] / "tests"


def main(arguments: Sequence[str]) -> None:
    """Run what is not done yet, and write the table."""
    output, settings, only_plan = asked(arguments)
    if only_plan:
        for step in steps(settings, output):
            print(shlex.join(("osscl", *step.command)))
        return
    keep(settings, output)
    for step in steps(settings, output):
        run(step.command, step.done)
    found = [json.loads(path.read_text(encoding="utf-8")) for path in reports(settings, output)]
    table = table_of(settings.year, found, settings._asdict())
    text = to_markdown(table)
    write(output / "table.json", json.dumps(table, indent=2) + "\n")
    write(output / "table.md", text)
    print(text, end="")


def asked(arguments: Sequence[str]) -> tuple[Path, Settings, bool]:
    """What the user wants; a rehearsal makes its data."""
    own, training = split(arguments)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("year", type=int, choices=YEARS)
    parser.add_argument("data", type=Path, nargs="?", help="folder of the data set of that year")
    parser.add_argument("--output", type=Path, required=True, help="folder of the rerun")
    parser.add_argument("--config", help="another recipe than the published one, a TOML file")
    parser.add_argument("--seeds", default="0", help="such as 0,1,2 (default: 0)")
    parser.add_argument("--device", help="of training and evaluation, as osscl takes it")
    parser.add_argument("--plan", action="store_true", help="print the commands, run none")
    parser.add_argument("--dry-run", action="store_true", help="on a tiny made-up copy of the set, one epoch")
    given = parser.parse_args(own)
    if (given.data is None) != given.dry_run:
        parser.error("give DATA, or --dry-run, which makes its own")
    if not all(word.isdecimal() for word in given.seeds.split(",")):
        parser.error(f"--seeds is '{given.seeds}'; expected whole numbers, such as 0,1,2")
    data = rehearsal_data(given.year, given.output) if given.dry_run else given.data
    if not data.is_dir():
        parser.error(f"{data} is no folder; osscl data dcase{given.year} prints the commands that make it")
    settings = Settings(
        year=given.year,
        data=str(data),
        seeds=tuple(dict.fromkeys(map(int, given.seeds.split(",")))),
        config=given.config,
        training=(*(REHEARSAL.split() if given.dry_run else ()), *training),
        device=given.device or ("cpu" if given.dry_run else None),
        rehearsal=given.dry_run,
    )
    return given.output, settings, given.plan


def split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """What stands before and after the word --, which begins options of osscl train."""
    words = list(arguments)
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


def rehearsal_data(year: int, output: Path) -> Path:
    """A tiny copy of the set of a year, by its rules."""
    sys.path.insert(0, str(TESTS))
    from support.made_up_layouts import make_layout

    data = output / "data"
    if not data.is_dir():
        make_layout(f"dcase{year}", data)
    return data


def keep(settings: Settings, output: Path) -> None:
    """Write down what is run, and refuse to mix it with what was run before in this folder."""
    path = output / SETTINGS
    now = json.loads(json.dumps(settings._asdict()))
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        differ = [
            f"{name} was {before.get(name)}, is {now[name]}" for name in now if before.get(name) != now[name]
        ]
        if differ:
            sys.exit(f"{output} holds another rerun: {'; '.join(differ)}; choose another --output")
    output.mkdir(parents=True, exist_ok=True)
    write(path, json.dumps(now, indent=2) + "\n")


def run(command: Sequence[str], done: Path) -> None:
    """Run a command whose result is not there yet; the rerun ends where it fails."""
    if done.exists():
        print(f"done already: {done}", file=sys.stderr)
        return
    print("$", shlex.join(("osscl", *command)), file=sys.stderr, flush=True)
    code = subprocess.run([*CONSOLE, *command], stdout=sys.stderr, check=False).returncode
    if code not in (0, SOME_UNSCORED) or not done.exists():
        sys.exit(code or 1)


def write(path: Path, text: str) -> None:
    """Write a file whole."""
    write_atomically(path, [text.encode()])


if __name__ == "__main__":
    main(sys.argv[1:])
