"""Loads and scores mutated model files whose hashes are right, on both CPU backends.

Each mutant must end in ModelFileError, BackendError, or the score that the runtime alone gives for the same
bytes: no other exception, no crash, no hang. Processes of their own try them, so that both are seen.

usage: python benchmarks/mutated_graphs.py [--count 1000] [--demo-share 0.25] [--seed 1] [--workers 2]
"""

import argparse
import math
import multiprocessing
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import local
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from mutating import trial
from mutating.mutants import KINDS

ALLOWED = (*trial.REFUSED, trial.RIGHT)
CRASH, HANG = "crash", "hang"


class Worker:
    """A process that tries mutants; another takes its place when it crashes or hangs."""

    def __init__(self, scratch: str, timeout_s: float) -> None:
        self._scratch, self._timeout_s = scratch, timeout_s
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._tasks, theirs = context.Pipe()
        self._process = context.Process(target=trial.serve, args=(theirs, self._scratch), daemon=True)
        self._process.start()
        theirs.close()

    def try_out(self, task: tuple[str, str, str, str]) -> tuple[str, str]:
        """Outcome of a mutant."""
        self._tasks.send(task)
        try:
            if self._tasks.poll(self._timeout_s):
                answer: tuple[str, str] = self._tasks.recv()
                return answer
            return self._replaced(HANG)
        except (EOFError, OSError):
            return self._replaced(CRASH)

    def _replaced(self, word: str) -> tuple[str, str]:
        self._process.join(1)
        code = self._process.exitcode
        self._process.kill()
        self._process.join()
        self._start()
        return word, f"exit code {code}"


def main() -> int:
    """Try all mutants and print the table."""
    options = _options()
    tasks = [
        (_base(number, options), list(KINDS)[number % len(KINDS)], f"{options.seed}-{number}", backend)
        for number in range(options.count)
        for backend in options.backends
    ]
    workers = local()

    def try_out(task: tuple[str, str, str, str]) -> tuple[str, str]:
        if not hasattr(workers, "own"):
            workers.own = Worker(scratch, options.timeout)
        return workers.own.try_out(task)

    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(options.workers) as pool:
        outcomes = list(zip(tasks, pool.map(try_out, tasks), strict=True))
    return _report(outcomes, options)


def _base(number: int, options: argparse.Namespace) -> str:
    """The demonstration model for the share asked for, evenly spread: each kind meets both models."""
    turn, share = number // len(KINDS), options.demo_share
    return "demo" if math.floor(turn * share) > math.floor((turn - 1) * share) else "tiny"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=1000, help="mutants, each tried on every backend")
    parser.add_argument("--demo-share", type=float, default=0.25, help="share of the demonstration model")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2, help="processes side by side")
    parser.add_argument("--timeout", type=float, default=120, help="seconds after which a mutant hangs")
    parser.add_argument("--backends", nargs="+", default=list(trial.RUNTIMES), choices=list(trial.RUNTIMES))
    parser.add_argument("--verbose", action="store_true", help="print what each mutant said")
    return parser.parse_args()


def _report(outcomes: list[tuple[tuple[str, str, str, str], tuple[str, str]]], options: Any) -> int:
    """Print the table, then whatever is not allowed; 1 where there is such a thing."""
    words = [*ALLOWED, *sorted({word for _, (word, _) in outcomes} - set(ALLOWED))]
    print(f"| mutants | backend | {' | '.join(words)} |\n|---|---|{'---|' * len(words)}")
    for kind in (*KINDS, "all"):
        for backend in options.backends:
            counts = Counter(
                word
                for (_, of_kind, _, on_backend), (word, _) in outcomes
                if on_backend == backend and kind in (of_kind, "all")
            )
            print(f"| {kind} | {backend} | {' | '.join(str(counts[word]) for word in words)} |")
    forbidden = [(task, answer) for task, answer in outcomes if answer[0] not in ALLOWED]
    for task, (word, said) in outcomes if options.verbose else forbidden:
        print(f"{' / '.join(task)}: {word}: {said[:400]}")
    print(f"{len(forbidden)} of {len(outcomes)} trials ended as they must not")
    return 1 if forbidden else 0


if __name__ == "__main__":
    sys.exit(main())
