"""Recordings that come into a folder, as many a second as are wanted."""

import os
import time
from pathlib import Path

WRITTEN_EVERY = 50  # one of so many is written in pieces, the others are moved in


class Feeder:
    """Feeds recordings of the demonstration under new names.

    Most are links that are moved in, so that days of sound fit on a disk; each 50th is written in four pieces
    and closed.
    """

    def __init__(self, demo: Path, folder: Path) -> None:
        self._pool = sorted((demo / "recordings").glob("*/test/*.wav"))
        self._demo, self._folder = demo / "recordings", folder
        self._staging = folder.with_name("staging")
        self._staging.mkdir()
        self.n_fed = 0
        self.seconds_behind = 0.0
        for machine in {path.parent.parent.name for path in self._pool}:
            (folder / machine / "test").mkdir(parents=True)

    def feed(self) -> None:
        """Bring one file."""
        source = self._pool[self.n_fed % len(self._pool)]
        kind, _, rest = source.stem.partition("_id_")
        place = self._folder / source.parent.parent.name / "test"
        target = place / f"{kind}_id_{rest.split('_')[0]}_{self.n_fed:08}.wav"
        if self.n_fed % WRITTEN_EVERY == 0:
            content = source.read_bytes()
            with target.open("wb", buffering=0) as file:
                for part in range(4):
                    file.write(content[part * len(content) // 4 : (part + 1) * len(content) // 4])
        else:
            staged = self._staging / target.name
            os.link(source, staged)
            staged.rename(target)
        self.n_fed += 1

    def feed_until(self, deadline: float, rate: float, began: float, n_before: int) -> None:
        """Bring the files that are due by now, and wait at most until a deadline (monotonic seconds)."""
        while (now := time.monotonic()) < deadline:
            due = n_before + int((now - began) * rate)
            if self.n_fed >= due:
                time.sleep(min(0.05, deadline - now))
                continue
            self.feed()
