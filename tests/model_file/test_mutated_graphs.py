"""Mutated model files with right hashes: a clear refusal or the runtime's own score, on both CPU backends."""

import subprocess
import sys

from conftest import REPOSITORY


def test_mutants_end_in_a_refusal_or_in_the_score_of_the_runtime_alone() -> None:
    """The full run is that of benchmarks/RESULTS.md; crashes and hangs count there as here."""
    command = [sys.executable, str(REPOSITORY / "benchmarks" / "mutated_graphs.py")]
    options = ["--count", "72", "--demo-share", "0.1", "--seed", "3", "--timeout", "300"]
    result = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.endswith("0 of 144 trials ended as they must not\n")
    # of both backends and all three outcomes there are some
    totals = [line.split("|")[3:6] for line in result.stdout.splitlines() if line.startswith("| all |")]
    assert len(totals) == 2
    assert all(int(count) > 0 for row in totals for count in row)
