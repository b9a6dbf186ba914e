"""What a journal costs at 10,000, 100,000 and a million files: time a file, opening, memory, export.

    python benchmarks/journal.py FOLDER [N ...]

Files of no length are made below FOLDER, on a local disk, and removed at the end; what scores them is faked,
so that nothing but the walk, the journal and the table is measured. Each N runs in a process of its own.
Times are told by the wall clock and, as ``cpu``, by the processor: on a shared machine, look at these.
"""

import itertools
import json
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

from osscl.journal.journal import Journal
from osscl.model_file.bundle import read_bundle
from osscl.runs.deciding import Decider
from osscl.runs.exporting import Wanted, export_table
from osscl.runs.folder import find_recordings
from osscl.scoring.record import Record

PER_FOLDER = 1000
SETTINGS = {"benchmark": True}


def make_files(folder: Path, n_files: int) -> None:
    for number in range(n_files):
        if number % PER_FOLDER == 0:
            (folder / f"{number // PER_FOLDER:05}").mkdir(parents=True)
        (folder / f"{number // PER_FOLDER:05}" / f"{number:07}.wav").touch()


def score_all(journal: Journal, folder: Path) -> int:
    n_scored = 0
    for candidate in journal.undone(find_recordings([str(folder)])):
        n_scored += 1
        journal.add(
            Record(
                path=candidate.path,
                machine="blower/id_00",
                score=n_scored * 0.001,
                start_s=0.0,
                duration_s=10.0,
                sample_rate_hz=16_000,
                rule="network",
            )
        )
    return n_scored


def measure(folder: Path, n_files: int) -> dict[str, float]:
    """Figures of a folder of so many files."""
    sound, path = folder / "sound", folder / "s.csv.journal"
    make_files(sound, n_files)
    found: dict[str, float] = {"n_files": n_files}

    def timed(name: str) -> None:
        nonlocal began
        now = clocks()
        for clock, end in now.items():
            found[f"{name}_{clock}"] = round(end - began[clock], 3)
        began = now

    sum(1 for _ in find_recordings([str(sound)]))
    began = clocks()
    sum(1 for _ in find_recordings([str(sound)]))
    timed("walk")
    with Journal.open(path, SETTINGS) as journal:
        assert score_all(journal, sound) == n_files
        journal.note_whole()
    timed("walk_and_journal")
    for clock in began:
        cost_s = found[f"walk_and_journal_{clock}"] - found[f"walk_{clock}"]
        found[f"cost_a_file_us_{clock}"] = round(1e6 * cost_s / n_files, 2)
    (sound / "99999").mkdir()
    (sound / "99999" / "new.wav").touch()
    began = clocks()
    with Journal.open(path, SETTINGS) as journal:
        first = list(itertools.islice(journal.undone(find_recordings([str(sound)])), 1))
        timed("opened_and_first_undone")
        assert [Path(each.path).name for each in first] == ["new.wav"]
    for clock in began:
        beyond_s = found[f"opened_and_first_undone_{clock}"] - found[f"walk_{clock}"]
        found[f"beyond_the_walk_{clock}"] = round(beyond_s, 3)
    found["mib_before_export"] = peak_mib()
    bundle = read_bundle("demo")
    began = clocks()
    with Journal.open(path, SETTINGS) as journal:
        wanted = Wanted(model_sha256=bundle.file_sha256)
        export_table(journal, folder / "s.csv", Decider(bundle), wanted, {}, noting=journal)
    timed("export")
    found["mib"] = peak_mib()
    found["journal_bytes_a_file"] = round(path.stat().st_size / n_files)
    return found


def clocks() -> dict[str, float]:
    """Seconds by the wall clock, and of this process by the processor."""
    return {"s": time.perf_counter(), "cpu_s": time.process_time()}


def peak_mib() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def main() -> None:
    folder, *counts = sys.argv[1:]
    if len(counts) == 1:
        place = Path(folder) / f"journal-{counts[0]}"
        try:
            print(json.dumps(measure(place, int(counts[0]))))
        finally:
            shutil.rmtree(place, ignore_errors=True)
        return
    for count in counts or ("10000", "100000", "1000000"):
        subprocess.run([sys.executable, __file__, folder, count], check=True)


if __name__ == "__main__":
    main()
