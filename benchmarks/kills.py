"""A run that is killed again and again, at random moments, and gone on with by the same command each time.

    python benchmarks/kills.py FOLDER [--files 2000] [--kills 30] [--seed 15] [--rule memory]

FOLDER is what ``osscl demo FOLDER`` made. Its test recordings are linked to under so many names. The table at
the end must be, to the last byte, that of a run that nobody disturbed. A run that ends before it is killed is
compared, and the next one begins anew, until there were so many kills.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_PROGRAM = "from osscl.cli import main; main()"


def link_recordings(demo: Path, folder: Path, n_files: int) -> None:
    clips = sorted((demo / "recordings").rglob("test/*.wav"))
    for number in range(n_files):
        clip = clips[number % len(clips)]
        place = folder / clip.relative_to(demo / "recordings").parent
        place.mkdir(parents=True, exist_ok=True)
        os.link(clip, place / f"{clip.stem}_{number:05}.wav")


def begin(command: list[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *command],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )


def done_in(journal: Path) -> int:
    if not journal.exists():
        return 0
    connection = sqlite3.connect(journal)
    try:
        return int(connection.execute("SELECT count(*) FROM files").fetchone()[0])
    except sqlite3.OperationalError:  # killed before it had made its tables
        return 0
    finally:
        connection.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("demo", type=Path)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=15)
    parser.add_argument("--rule", default="memory")
    asked = parser.parse_args()
    choose = random.Random(asked.seed)
    with tempfile.TemporaryDirectory(dir=asked.demo) as temporary:
        folder = Path(temporary)
        link_recordings(asked.demo, folder / "sound", asked.files)
        (model,) = asked.demo.glob("*.onnx")
        score = ["score", str(model), str(folder / "sound"), "--rule", asked.rule, "-o"]
        began = time.perf_counter()
        whole = begin([*score, str(folder / "whole.csv")])
        _, said = whole.communicate()
        assert whole.returncode == 0, said
        whole_s = time.perf_counter() - began
        expected = (folder / "whole.csv").read_bytes()
        output, kept, n_ended = folder / "killed.csv", [], 0
        while len(kept) < asked.kills:
            process = begin([*score, str(output)])
            try:
                process.communicate(timeout=choose.uniform(0, whole_s))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.communicate()
                kept.append(done_in(Path(f"{output}.journal")))
                continue
            assert process.returncode == 0
            assert output.read_bytes() == expected, "a table differs"
            n_ended += 1
            for each in folder.glob("killed.csv*"):
                each.unlink()
        last = begin([*score, str(output)])
        _, said = last.communicate()
        assert last.returncode == 0, said
        is_equal = output.read_bytes() == expected
        print(
            json.dumps(
                {
                    "n_files": asked.files,
                    "seed": asked.seed,
                    "kills": len(kept),
                    "files_kept_at_each_kill": kept,
                    "runs_that_ended_meanwhile": n_ended,
                    "uninterrupted_s": round(whole_s, 1),
                    "tables_equal": is_equal,
                }
            )
        )
        shutil.copy(output, folder / "last.csv")
        sys.exit(0 if is_equal else 1)


if __name__ == "__main__":
    main()
