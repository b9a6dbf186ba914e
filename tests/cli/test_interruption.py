"""Requests to stop that are finished first: none of them is lost, whenever it comes."""

import subprocess
import sys

import pytest

LOST = """
import os, signal
from osscl.cli import signals
from osscl.cli.interruption import postponed_interrupt
signals.raise_interrupts()
try:
    os.kill(os.getpid(), signal.SIGTERM)
    while True:
        signal.pause()
except KeyboardInterrupt:
    {answer}
with postponed_interrupt("the work is finished") as is_asked:
    print(is_asked())
"""


@pytest.mark.parametrize(
    ("answer", "code", "printed", "said"),
    [
        ("pass  # as modules in C do that are loading", 0, "True\n", "the work is finished\n"),
        ("raise SystemExit(signals.exit_code())", 143, "", ""),
    ],
)
def test_a_request_that_was_raised_and_lost_is_met_by_the_work(
    answer: str, code: int, printed: str, said: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOST.format(answer=answer)], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, printed, said)
