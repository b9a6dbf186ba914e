"""A fleet on paper: what a clip costs here, what a fleet needs, and what becomes of it when parts fail.

    osscl demo --output demo
    osscl enroll demo demo/recordings --rule embedding --output demo/embedding.onnx
    osscl calibrate demo/enrolled.onnx demo/recordings --rule both --output demo/both.onnx
    python -m benchmarks.fleet cost demo      # measures, into benchmarks/fleet/measured.json
    python -m benchmarks.fleet plan           # arithmetic on it; loads, limits and prices are options
    pip install simpy                         # what the simulation runs on
    python -m benchmarks.fleet simulate       # an hour of a cell of 3,000 machines, scenario by scenario

The tables of docs/scale.md are what the last two print.
"""

import argparse
import json
import math
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

from . import cost, tables
from .assumptions import Assumptions, texts
from .scenarios import scenarios

MEASURED = Path(__file__).with_name("measured.json")
FEWEST_MACHINES = 1000
MAY_BE_0 = ("price", "flagged", "audio_days", "record_days")
MODELS = {"network": "enrolled", "memory": "enrolled", "both": "both", "embedding": "embedding"}


def measure(asked: argparse.Namespace) -> None:
    """Measure each rule and keep the figures."""
    found = {}
    for rule in asked.rules:
        model, clips = asked.demo / f"{MODELS[rule]}.onnx", asked.demo / "recordings"
        found[rule] = cost.cost_of_rule(model, clips, rule, asked.rounds, asked.seed)
        found[rule] |= cost.within_process(model, clips, rule, asked.clips, asked.seed)
        print(rule, json.dumps(found[rule]), flush=True)
    asked.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def plan(asked: argparse.Namespace) -> None:
    """Print what a clip costs, what the fleet needs, and what fails first."""
    measured = measured_costs()
    assumed = Assumptions(**{each.name: getattr(asked, each.name) for each in fields(Assumptions)})
    show("A clip", tables.costs(measured))
    show("A machine's memory", tables.machines(measured))
    show("The fleet, by rule", tables.fleet(measured, assumed))
    show("Its recordings", tables.recordings(assumed))
    show("Machines that a host lasts for", tables.limits(measured, assumed))
    show("Assumed", tables.assumptions(assumed))


def simulate(asked: argparse.Namespace) -> None:
    """Print what became of a cell, a row a scenario."""
    show(f"By {asked.rule}, seed {asked.seed}", tables.table(tables.SIMULATED, simulated_rows(asked)))


def simulated_rows(asked: argparse.Namespace) -> Iterable[tuple[str, ...]]:
    """Simulate one scenario after the other."""
    from .simulation import simulated

    changed = {"n_machines": asked.machines, "lasts_s": asked.seconds, "utilisation": asked.utilisation}
    for name, cell in scenarios(measured_costs()[asked.rule], **changed).items():
        yield tables.simulated_row(name, cell, simulated(cell, asked.seed))


def measured_costs() -> dict[str, dict[str, Any]]:
    """Read what `cost` measured."""
    found: dict[str, dict[str, Any]] = json.loads(MEASURED.read_text(encoding="utf-8"))
    return found


def above_0(text: str) -> float:
    """A number above 0."""
    value = from_0(text)
    if not value:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def from_0(text: str) -> float:
    """A number from 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no number from 0")
    return value


def fleet_size(text: str) -> int:
    """Machines enough for more than one worker: scenarios take some of those away."""
    if not text.isdecimal() or int(text) < FEWEST_MACHINES:
        raise argparse.ArgumentTypeError(f"{text} is no whole number from {FEWEST_MACHINES}")
    return int(text)


def show(title: str, lines: Iterable[str]) -> None:
    """Print a table below its title."""
    print(f"{title}\n")
    for line in lines:
        print(line, flush=True)
    print()


def parsed() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fleet",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True)
    costing = commands.add_parser("cost", help="measure what a clip takes on this machine")
    costing.add_argument("demo", type=Path, help="folder of osscl demo, with the two models beside")
    costing.add_argument("--rules", nargs="+", default=list(MODELS), choices=list(MODELS))
    costing.add_argument("--rounds", type=int, default=7)
    costing.add_argument("--clips", type=int, default=200, help="single clips, for the spread")
    costing.add_argument("--seed", type=int, default=1)
    costing.add_argument("--output", type=Path, default=MEASURED)
    costing.set_defaults(run=measure)
    planning = commands.add_parser("plan", help="what a fleet needs")
    for each in fields(Assumptions):
        option = f"--{each.name.replace('_', '-')}"
        kind = from_0 if each.name.startswith(MAY_BE_0) else above_0
        planning.add_argument(option, type=kind, default=each.default, help=texts()[each.name])
    planning.set_defaults(run=plan)
    simulating = commands.add_parser("simulate", help="an hour of a cell")
    simulating.add_argument("--rule", default="network", choices=list(MODELS))
    simulating.add_argument("--machines", type=fleet_size, default=3_000)
    simulating.add_argument("--seconds", type=above_0, default=3600.0)
    simulating.add_argument("--utilisation", type=above_0, default=0.6)
    simulating.add_argument("--seed", type=int, default=1)
    simulating.set_defaults(run=simulate)
    return parser.parse_args()


if __name__ == "__main__":
    asked = parsed()
    asked.run(asked)
