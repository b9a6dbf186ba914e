"""Soak: `osscl watch` for hours beside a broker that goes away, then more files than it can score.

    python benchmarks/soak.py --minutes 120

Measures the folder run's rate by network first, feeds recordings of the demonstration at half of it with MQTT
events of every clip, stops the broker in between, feeds at three times the rate for a minute, waits until all
is scored, and asks the watch to stop. Then files, table and received events are compared. Samples go to
`--samples` as CSV, and a plot of them beside it as SVG. Ends with 1 where anything is lost or double.
"""

import argparse
import collections
import csv
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np
from soaking.broker import Broker, free_port
from soaking.feeder import Feeder
from soaking.plot import plotted

CONSOLE = [sys.executable, "-c", "from osscl.cli import main; main()"]
SMALL, LARGE = 40, 440  # files of the two runs whose difference is the rate
SETTLED_SHARE = 0.25  # of the time is the watch given before its memory counts
PATIENCE_S = 300.0  # without any progress


def main() -> None:
    """Soak, compare, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--rate", type=float, help="files a second of the folder run; measured by default")
    parser.add_argument("--samples", type=Path, default=Path(__file__).with_name("soak.csv"))
    parser.add_argument("--folder", type=Path, help="where to work; a temporary one by default")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder, prefix="osscl-soak-") as name:
        sys.exit(Soak(Path(name), asked.minutes, asked.rate, asked.samples).run())


def most_files_a_second(folder: Path, demo: Path) -> float:
    """The folder run's rate by network: files by seconds of two runs, one from the other."""
    took = {}
    for n_files in (SMALL, LARGE):
        recordings = folder / f"rate-{n_files}"
        recordings.mkdir()
        feeder = Feeder(demo, recordings / "in")
        for _ in range(n_files):
            feeder.feed()
        began = time.perf_counter()
        command = [*CONSOLE, "score", demo / "enrolled.onnx", recordings / "in", "--rule", "network"]
        subprocess.run([*command, "--output", recordings / "scores.csv"], check=True, capture_output=True)
        took[n_files] = time.perf_counter() - began
        shutil.rmtree(recordings)
    return (LARGE - SMALL) / (took[LARGE] - took[SMALL])


class Soak:
    """One soak."""

    def __init__(self, folder: Path, minutes: float, rate: float | None, samples: Path) -> None:
        self.folder, self.seconds, self.samples = folder, minutes * 60, samples
        subprocess.run([*CONSOLE, "demo", "--output", folder / "demo"], check=True, capture_output=True)
        self.most = rate or most_files_a_second(folder, folder / "demo")
        print(f"folder run by network: {self.most:.1f} files/s", flush=True)
        self.broker = Broker(folder / "broker")
        self.feeder = Feeder(folder / "demo", folder / "in")
        self.rows: list[dict[str, float]] = []
        self.every_s = 10.0 if minutes >= 20 else 1.0

    def run(self) -> int:
        """Soak, and give the exit code."""
        self.broker.start()
        metrics_port = free_port()
        self.metrics = f"http://127.0.0.1:{metrics_port}/metrics"
        log = (self.folder / "watch.log").open("wb")
        command = [*CONSOLE, "watch", self.folder / "demo" / "enrolled.onnx", self.folder / "in"]
        command += ["--rule", "network", "--output", self.folder / "watch.csv", "--events", "all"]
        command += ["--event", f"mqtt://127.0.0.1:{self.broker.port}/soak/{{machine}}/{{kind}}"]
        command += ["--metrics-port", str(metrics_port)]
        self.watch = subprocess.Popen(list(map(str, command)), stdout=log, stderr=log)
        try:
            self._wait_for_metrics()
            self.began = time.monotonic()
            self._feed_all()
            self._drain()
            self.watch.send_signal(signal.SIGTERM)
            code = self.watch.wait()
            time.sleep(5)  # for what is on its way from the broker
        finally:
            self.watch.kill()
            self.broker.close()
            self._write()
        print((self.folder / "watch.log").read_text()[-2000:])
        return self._told(code)

    def _feed_all(self) -> None:
        third, away_s = self.seconds / 3, min(600.0, self.seconds / 12)
        burst_s = 60.0 if self.seconds >= 1200 else 20.0
        self._feed_for(third, self.most / 2)
        self.broker.stop()
        print(f"broker stopped for {away_s:.0f} s", flush=True)
        self._feed_for(away_s, self.most / 2)
        self.broker.start()
        self._feed_for(self.seconds - third - away_s, self.most / 2)
        print(f"{burst_s:.0f} s at 3 times the rate", flush=True)
        self.burst_at = time.monotonic() - self.began
        self._feed_for(burst_s, 3 * self.most)

    def _feed_for(self, seconds: float, rate: float) -> None:
        began, n_before = time.monotonic(), self.feeder.n_fed
        while (now := time.monotonic()) < began + seconds:
            self.feeder.feed_until(min(now + self.every_s, began + seconds), rate, began, n_before)
            self._sample()

    def _drain(self) -> None:
        """Wait until all is scored and delivered, as long as there is progress."""
        seen, since = -1.0, time.monotonic()
        while True:
            sample = self._sample()
            if sample["scored"] >= self.feeder.n_fed and not sample["events_waiting"]:
                return
            if (done := sample["scored"] - sample["events_waiting"]) != seen:
                seen, since = done, time.monotonic()
            if time.monotonic() - since > PATIENCE_S:
                print("no progress any more", flush=True)
                return
            time.sleep(self.every_s)

    def _sample(self) -> dict[str, float]:
        if self.watch.poll() is not None:
            sys.exit(f"the watch ended: {(self.folder / 'watch.log').read_text()[-2000:]}")
        found = self._metrics()
        status = Path(f"/proc/{self.watch.pid}/status").read_text()
        resident = {line.split(":")[0]: int(line.split()[1]) for line in status.splitlines() if " kB" in line}
        with self.broker.received.open("rb") as received:
            n_received = sum(1 for _ in received)
        row = {
            "seconds": time.monotonic() - self.began,
            "rss_mb": resident["VmRSS"] / 1024,
            "anonymous_mb": resident["RssAnon"] / 1024,
            "fed": self.feeder.n_fed,
            "scored": found["osscl_watch_files_total"],
            "ready": found["osscl_watch_files_ready"],
            "unfinished": found["osscl_watch_files_unfinished"],
            "events_waiting": found["osscl_watch_events_waiting"],
            "latency_s": found["osscl_watch_latency_seconds_sum"]
            / max(1.0, found["osscl_watch_latency_seconds_count"]),
            "received": n_received,
        }
        self.rows.append(row)
        return row

    def _metrics(self) -> collections.Counter[str]:
        found: collections.Counter[str] = collections.Counter()
        with urllib.request.urlopen(self.metrics, timeout=60) as answer:
            for line in answer.read().decode().splitlines():
                if not line.startswith("#"):
                    name, _, value = line.rpartition(" ")
                    found[name.partition("{")[0]] += float(value)
        return found

    def _wait_for_metrics(self) -> None:
        while self.watch.poll() is None:
            try:
                self._metrics()
            except OSError:
                time.sleep(0.2)
            else:
                return
        sys.exit((self.folder / "watch.log").read_text())

    def _write(self) -> None:
        if not self.rows:
            return
        with self.samples.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(self.rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows({name: round(value, 3) for name, value in row.items()} for row in self.rows)
        column = {name: [row[name] for row in self.rows] for name in self.rows[0]}
        minutes = [seconds / 60 for seconds in column["seconds"]]
        behind = [fed - done for fed, done in zip(column["fed"], column["scored"], strict=True)]
        panels = [
            ("MiB", {"resident": column["rss_mb"], "of it anonymous": column["anonymous_mb"]}),
            ("files", {"fed": column["fed"], "scored": column["scored"]}),
            ("waiting", {"files": behind, "events": column["events_waiting"]}),
        ]
        self.samples.with_suffix(".svg").write_text(plotted(minutes, panels))

    def _told(self, code: int) -> int:
        fed = {str(path) for path in (self.folder / "in").rglob("*.wav")}
        with (self.folder / "watch.csv").open(newline="") as file:
            table = [(row["path"], row["status"]) for row in csv.DictReader(file)]
        with sqlite3.connect(self.folder / "watch.csv.journal") as journal:
            made = [known for (known,) in journal.execute("SELECT id FROM event")]
        received = [json.loads(line) for line in self.broker.received.read_text().splitlines()]
        ids = collections.Counter(known for known, _, _ in received)
        clips = collections.Counter(path for _, kind, path in received if not kind.startswith("alarm"))
        figures = {
            "files a second of the folder run": round(self.most, 2),
            "minutes": round(self.seconds / 60, 1),
            "exit code of the watch": code,
            "files fed": self.feeder.n_fed,
            "files in the folder": len(fed),
            "rows of the table": len(table),
            "files without a row": len(fed - {path for path, _ in table}),
            "rows twice": len(table) - len({path for path, _ in table}),
            "statuses": dict(collections.Counter(status for _, status in table)),
            "events made": len(made),
            "events received": len(received),
            "events lost": len(set(made) - ids.keys()),
            "events received twice by ID": sum(count - 1 for count in ids.values()),
            "files without an event of their clip": len(fed - clips.keys()),
            "files with more than one": sum(count > 1 for count in clips.values()),
            **self._memory(),
        }
        print(json.dumps(figures, indent=2), flush=True)
        wrong = [name for name in ("files without a row", "rows twice", "events lost") if figures[name]]
        wrong += [name for name in ("events received twice by ID",) if figures[name]]
        wrong += [
            name
            for name in ("files without an event of their clip", "files with more than one")
            if figures[name]
        ]
        if wrong or code or self.feeder.n_fed != len(fed):
            print(f"FAILED: {', '.join(wrong) or 'see above'}")
            return 1
        return 0

    def _memory(self) -> dict[str, float]:
        """How the memory went on while the load was even, and how high it went in the end."""
        steady = [row for row in self.rows if SETTLED_SHARE * self.burst_at < row["seconds"] < self.burst_at]
        hours = np.array([row["seconds"] / 3600 for row in steady])
        anonymous = np.array([row["anonymous_mb"] for row in steady])
        resident = np.array([row["rss_mb"] for row in steady])
        tenth = max(1, len(steady) // 10)
        return {
            "RSS MiB, first tenth after settling": round(float(np.median(resident[:tenth])), 1),
            "RSS MiB, last tenth before the burst": round(float(np.median(resident[-tenth:])), 1),
            "RSS MiB, highest of all": round(max(row["rss_mb"] for row in self.rows), 1),
            "MiB an hour, RSS": round(float(np.polyfit(hours, resident, 1)[0]), 2),
            "MiB an hour, anonymous": round(float(np.polyfit(hours, anonymous, 1)[0]), 2),
            "most files waiting": max(row["fed"] - row["scored"] for row in self.rows),
            "seconds from whole to scored, mean before the burst": round(steady[-1]["latency_s"], 3),
        }


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
