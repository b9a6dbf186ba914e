"""What the columns quality and recorded_at cost a folder run by memory: CPU time with and without, in turn.

osscl synth easy201 --machines 12 --train 1440 --seed 201
osscl enroll easy201 --output enrolled.onnx
python benchmarks/quality_speed.py enrolled.onnx easy201
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import osscl
from osscl.audio.doubts import Doubter
from osscl.audio.recorded_at import RecordingTimes
from osscl.scoring import pipeline

_N_CLIPS, _ROUNDS = 480, 9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    files = sorted(options.folder.rglob("*.wav"))[:_N_CLIPS]
    doubts, of = pipeline.doubts, RecordingTimes.of

    def without(_: object, doubters: Sequence[Doubter], *__: object, **___: object) -> list[str | None]:
        return [None] * len(doubters)

    spent: dict[bool, list[float]] = {True: [], False: []}
    with osscl.load(options.model, "cpu", threads=2) as detector:
        for turn in range(2 * _ROUNDS + 2):
            is_with = turn % 2 == 1
            pipeline.doubts = doubts if is_with else without
            RecordingTimes.of = of if is_with else lambda *_: None  # type: ignore[method-assign]
            began = time.process_time()
            for _ in detector.score_files(files):
                pass
            if turn > 1:
                spent[is_with].append((time.process_time() - began) / len(files))
    before, after = (1e3 * statistics.median(spent[each]) for each in (False, True))
    print(f"CPU of a clip, medians of {_ROUNDS} rounds: {before:.3f} ms without, {after:.3f} ms with them")
    print(f"ratio {after / before:.3f}, of the fastest rounds {min(spent[True]) / min(spent[False]):.3f}")


if __name__ == "__main__":
    main()
