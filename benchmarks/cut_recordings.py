"""False alarms of memories whose clips are cut from recordings of 60 s, counted by recording and by clip.

usage: python benchmarks/cut_recordings.py [--recordings N] [--fitted N] [--draws N] [MACHINE ...]

Six clips of one recording share the machine's operating point, the place of the microphone and the room; all
else differs. In each draw a memory is fitted to so many recordings, and the clips of all others are decided:
leaving out recordings, as osscl does, and leaving out clips, as if each were a recording of its own. All
of them are made by osscl.synth, which needs some 60 ms a clip.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from osscl.decisions import Background, Memory
from osscl.features import memory_features
from osscl.model_file.restored import restored_background
from osscl.model_file.shipped_background import shipped_background
from osscl.synth.clip import ClipKey, make_clip

CLIPS = 6
SHARED = ("operation", "recording")
RATES = (0.1, 0.05)


@dataclass(frozen=True, slots=True)
class PartKey(ClipKey):
    """A clip of a longer recording: what belongs to the recording is drawn for the recording."""

    def stream(self, purpose: str) -> np.random.Generator:
        """Random numbers for one purpose."""
        number = self.index // CLIPS if purpose in SHARED else self.index
        return ClipKey(self.machine, self.seed, self.split, self.label, number, self.mode).stream(purpose)


def features_of(machine: str, index: int) -> np.ndarray:
    """Features [360] of a clip."""
    return memory_features(make_clip(PartKey(machine, seed=60, index=index)), threads=1)


def alarms(
    features: np.ndarray, background: Background, n_fitted: int, draws: int, by_clip: bool
) -> dict[float, list[float]]:
    """Share of clips flagged in each draw, of other recordings than those that were fitted."""
    recordings = np.arange(len(features)) // CLIPS
    rng = np.random.default_rng(0)
    found: dict[float, list[float]] = {rate: [] for rate in RATES}
    for _ in range(draws):
        chosen = rng.permutation(recordings.max() + 1)[:n_fitted]
        is_fitted = np.isin(recordings, chosen)
        names = None if by_clip else [str(number) for number in recordings[is_fitted]]
        memory = Memory.fit(features[is_fitted], names, background)
        scores = memory.score(features[~is_fitted]).score
        for rate in RATES:
            decided = memory.decide(scores, rate).is_anomaly
            if decided is not None:
                found[rate].append(float(decided.mean()))
    return found


def main() -> None:
    """Print a line a machine and way of counting."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("machines", nargs="*", default=["blower/id_30", "gearbox/id_30"], metavar="MACHINE")
    parser.add_argument("--recordings", type=int, default=120)
    parser.add_argument("--fitted", type=int, default=20)
    parser.add_argument("--draws", type=int, default=40)
    asked = parser.parse_args()
    background = restored_background(shipped_background())
    for machine in asked.machines:
        with ProcessPoolExecutor() as pool:
            numbers = range(asked.recordings * CLIPS)
            features = np.stack([*pool.map(partial(features_of, machine), numbers, chunksize=CLIPS)])
        for way, by_clip in (("by recording", False), ("by clip", True)):
            found = alarms(features, background, asked.fitted, asked.draws, by_clip)
            told = ", ".join(
                f"{np.mean(shares):.3f} ± {np.std(shares) / np.sqrt(len(shares)):.3f} at {rate:g}"
                for rate, shares in found.items()
                if shares
            )
            print(f"{machine}, {asked.fitted} recordings of {CLIPS} clips, {way}: {told}", flush=True)


if __name__ == "__main__":
    main()
