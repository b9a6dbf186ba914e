"""The console program, run as users run it."""

import os
import subprocess
import sys
from pathlib import Path


def osscl(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the console program to its end."""
    command = [sys.executable, "-c", "from osscl.cli import main; main()", *map(str, arguments)]
    environment = os.environ | {"COLUMNS": "110"}
    return subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=cwd, env=environment)
