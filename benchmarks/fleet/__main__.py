"""A fleet on paper: what a clip costs here, what a fleet needs, and what becomes of it when parts fail.

    osscl demo --output demo
    osscl enroll demo/enrolled.onnx demo/recordings --rule embedding --output demo/embedding.onnx
    osscl calibrate demo/enrolled.onnx demo/recordings --rule both --output demo/both.onnx
    python -m benchmarks.fleet cost demo         # measures, into benchmarks/fleet/measured.json
    python -m benchmarks.fleet plan              # arithmetic, with prices and loads as options
    python -m benchmarks.fleet simulate          # an hour of a cell, scenario by scenario
"""

import argparse
import json
from pathlib import Path

from . import cost

MEASURED = Path(__file__).with_name("measured.json")
MODELS = {"network": "enrolled", "memory": "enrolled", "both": "both", "embedding": "embedding"}


def measure(asked: argparse.Namespace) -> None:
    """Measure each rule and keep the figures."""
    found = {}
    for rule in asked.rules:
        model, clips = asked.demo / f"{MODELS[rule]}.onnx", asked.demo / "recordings"
        found[rule] = cost.cost_of_rule(model, clips, rule, asked.rounds, asked.seed)
        found[rule]["spread"] = cost.spread_of_clips(model, clips, rule, asked.clips)
        print(rule, json.dumps(found[rule]), flush=True)
    asked.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


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
    return parser.parse_args()


if __name__ == "__main__":
    asked = parsed()
    asked.run(asked)
