"""How large the page is, and how long it takes: 1,000 files with the 20 worst shown, and 100,000 rows.

Makes synthetic recordings in a temporary folder first, which takes a minute.
"""

import csv
import datetime
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

MACHINES, NORMAL, ANOMALOUS, TRAIN, SEED = 8, 760, 240, 400, 41
N_ROWS = 100_000
ROUNDS = 5


def osscl(*arguments: object) -> float:
    """Run a command, and give the seconds that it took."""
    began = time.perf_counter()
    console = [sys.executable, "-c", "from osscl.cli import main; main()"]
    subprocess.run([*console, *map(str, arguments)], check=True, capture_output=True)
    return time.perf_counter() - began


def many_rows(flagged_share: float) -> Iterator[dict[str, object]]:
    """Lines of ten machines, a clip every ten seconds, every flagged one with a sentence."""
    random = np.random.default_rng(SEED)
    began = datetime.datetime(2026, 11, 1)
    for number in range(N_ROWS):
        machine = number % 10
        is_flagged = bool(random.random() < flagged_share)
        score = float(random.normal(9.0, 1.0) if is_flagged else random.normal())
        recorded = began + datetime.timedelta(seconds=number - machine)
        said = f"+{random.integers(3, 20)} dB at {random.uniform(0.1, 4):.1f} to 4.1 kHz"
        yield {
            "path": f"/data/pump_{machine:02}/id_{machine:02}_{recorded:%Y%m%d_%H%M%S}_{number:06}.wav",
            "machine": f"pump/id_{machine:02}",
            "status": "ok",
            "score": f"{score:.6f}",
            "p_value": f"{random.uniform(0, 0.05) if is_flagged else random.uniform(0.05, 1):.5f}",
            "threshold": 5.0,
            "is_anomaly": "true" if is_flagged else "false",
            "rule": "memory",
            "recorded_at": recorded.isoformat(),
            "explanation": said if is_flagged else "",
        }


def megabytes(path: Path) -> str:
    """Size of a file."""
    return f"{path.stat().st_size / 1e6:.2f} MB"


def main() -> None:
    """Measure, and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sizes = ("--machines", MACHINES, "--train", TRAIN, "--normal", NORMAL)
        osscl("synth", folder / "sound", *sizes, "--anomalous", ANOMALOUS, "--seed", SEED)
        folders = sorted((folder / "sound").glob("*/"))
        osscl("enroll", *(each / "train" for each in folders), "-o", folder / "model.onnx")
        osscl(
            "score", folder / "model.onnx", *(each / "test" for each in folders), "-o", folder / "scores.csv"
        )
        page = folder / "page.html"
        seconds = [osscl("report", folder / "scores.csv", "-o", page, "--overwrite") for _ in range(ROUNDS)]
        print(
            f"{NORMAL + ANOMALOUS} files, the 20 worst shown: {megabytes(page)}, "
            f"median {np.median(seconds):.1f} s of {ROUNDS} runs, {min(seconds):.1f} to {max(seconds):.1f} s"
        )
        for share in (0.02, 1.0):
            table = folder / "rows.csv"
            lines = list(many_rows(share))
            with table.open("w", newline="") as file:
                writer = csv.DictWriter(file, lines[0].keys())
                writer.writeheader()
                writer.writerows(lines)
            took = osscl("report", table, "-o", page, "--overwrite")
            print(f"{N_ROWS} rows, {share:.0%} flagged, no recordings: {megabytes(page)}, {took:.1f} s")


if __name__ == "__main__":
    main()
