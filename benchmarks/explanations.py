"""Whether explanations name the right band, rate and time of synthetic faults, which are known.

usage: python benchmarks/explanations.py [--seed S] [--ids ID ...] [--normals N] [--anomalous N] [--hard]
                                         [--network]

Each machine's memory is fitted to N normal clips with the background that ships; every fault that the machine
can have is then made at each severity in turn, and explained by `Detector.explain`'s own functions. Right is

- a band, if one of the (at most three) things named covers half of the true band, or lies half in it, on the
  mel scale, and is no wider than three times the true one and two bands of the features (2.8 mel);
- a rate, if one that is named lies within 10 % of the true one;
- a time, if the middle of a named event lies less than 0.2 s, or half the event and 0.1 s, from the true one,
  and the two overlap within 0.1 s.

"By chance" is how often the explanations of other clips would be right. With --network occlusion of the
demonstration model's score stands beside it: right is where the largest share lies.
"""

import argparse
import collections
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

import osscl
from osscl import synth
from osscl.decisions import Memory
from osscl.explanation.explained import Explanation
from osscl.explanation.explaining import explain
from osscl.explanation.occlusion import Score, occlude
from osscl.features import memory_features
from osscl.model_file.restored import restored_background
from osscl.model_file.shipped_background import shipped_background
from osscl.synth.plan import PlannedClip

Span = tuple[float, float]
RATE = 0.05
FEATURE_BANDS_MEL = 2.8
CYCLES = ("missing_beat", "reversed_cycle")


class Told(NamedTuple):
    """One faulty clip: what is true of it, and what is said of it."""

    fault: str
    severity: str
    is_flagged: bool
    truth: synth.Evidence
    said: Explanation


def main() -> None:
    """Print the shares."""
    options = _options()
    told, normal = _told(options)
    print(f"normal clips: {len(normal)}, something named in {np.mean(normal):.3f} of them")
    for what, is_right in RIGHT.items():
        _print(what, is_right, [each for each in told if _truth(what, each.truth) is not None])
    if options.network:
        _by_network(options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seed", type=int, default=31)
    parser.add_argument("--ids", type=int, nargs="+", default=[2, 3, 4])
    parser.add_argument("--normals", type=int, default=40)
    parser.add_argument("--anomalous", type=int, default=48, help="faulty clips of each machine")
    parser.add_argument("--hard", action="store_true")
    parser.add_argument("--network", action="store_true")
    return parser.parse_args()


def _plan(options: argparse.Namespace) -> synth.DatasetPlan:
    n_machines = len(synth.machines_of_ids(options.ids))
    return synth.DatasetPlan(
        ids=tuple(options.ids),
        train=options.normals * n_machines,
        normal=12 * n_machines,
        anomalous=options.anomalous * n_machines,
        seed=options.seed,
        hard=options.hard,
        faults=() if options.hard else tuple(name for name in synth.FAULTS if name not in CYCLES),
    )


def _told(options: argparse.Namespace) -> tuple[list[Told], list[bool]]:
    """All faulty clips explained, and whether something is named in each normal one."""
    background = restored_background(shipped_background())
    rows: dict[str, list[np.ndarray]] = collections.defaultdict(list)  # type: ignore[type-arg]
    memories: dict[str, Memory] = {}
    told: list[Told] = []
    normal: list[bool] = []
    for clip in _plan(options).clips():  # the training clips of a machine come before its others
        machine, samples = clip.key.machine, clip.samples()
        if clip.key.split == "train":
            rows[machine].append(memory_features(samples))
            continue
        if machine not in memories:
            memories[machine] = Memory.fit(np.stack(rows[machine]), background=background)
        memory = memories[machine]
        said = explain(samples, machine, memory, None)
        if clip.key.label == "normal":
            normal.append(bool(said.findings))
            continue
        scores = memory.score(memory_features(samples)[np.newaxis]).score
        flagged = memory.decide(scores, RATE).is_anomaly
        told.append(_of_fault(clip, bool(flagged is not None and flagged[0]), said))
    return told, normal


def _of_fault(clip: PlannedClip, is_flagged: bool, said: Explanation) -> Told:
    fault = clip.chosen_fault()
    assert fault is not None
    assert clip.severity is not None
    return Told(fault.name, clip.severity, is_flagged, synth.evidence_of(clip.key, fault), said)


def _truth(what: str, truth: synth.Evidence) -> object:
    return {"band": truth.band_hz, "rate": truth.rate_hz, "time": truth.time_s}[what]


def _mel(hz: float) -> float:
    return hz / (200 / 3) if hz < 1000 else 15 + float(np.log(hz / 1000) / (np.log(6.4) / 27))


def _is_band(named: Span, true: Span) -> bool:
    (low, high), (true_low, true_high) = map(_mel, named), map(_mel, true)
    shared = min(high, true_high) - max(low, true_low)
    narrower = min(high - low, true_high - true_low)
    return shared >= 0.5 * narrower and high - low <= 3 * (true_high - true_low) + FEATURE_BANDS_MEL


def _band_is_right(said: Explanation, truth: synth.Evidence) -> bool:
    assert truth.band_hz is not None
    return any(_is_band((each.low_hz, each.high_hz), truth.band_hz) for each in said.findings)


def _rate_is_right(said: Explanation, truth: synth.Evidence) -> bool:
    assert truth.rate_hz is not None
    return any(
        each.rate_hz is not None and abs(each.rate_hz / truth.rate_hz - 1) <= 0.1 for each in said.findings
    )


def _time_is_right(said: Explanation, truth: synth.Evidence) -> bool:
    assert truth.time_s is not None
    begin_s, end_s = truth.time_s
    for each in said.findings:
        if each.start_s is None or each.duration_s is None:
            continue
        middle_s, stop_s = each.start_s + each.duration_s / 2, each.start_s + each.duration_s
        near = abs(middle_s - (begin_s + end_s) / 2) < max(0.2, (end_s - begin_s) / 2 + 0.1)
        if near and each.start_s < end_s + 0.1 and stop_s > begin_s - 0.1:
            return True
    return False


RIGHT: dict[str, Callable[[Explanation, synth.Evidence], bool]] = {
    "band": _band_is_right,
    "rate": _rate_is_right,
    "time": _time_is_right,
}


def _print(what: str, is_right: Callable[[Explanation, synth.Evidence], bool], told: Sequence[Told]) -> None:
    print(f"\n{what}: share right (clips)")
    for name, some in _groups(told):
        flagged = [each for each in some if each.is_flagged]
        shares = [
            f"{np.mean([is_right(each.said, each.truth) for each in part]):.2f} ({len(part)})"
            for part in (some, flagged)
            if part
        ]
        print(f"  {name:24}", "  flagged ".join(shares))
    shifted = [*told[7:], *told[:7]]
    chance = [is_right(other.said, each.truth) for each, other in zip(told, shifted, strict=True)]
    if chance:
        print(f"  {'by chance':24} {np.mean(chance):.2f}")


def _groups(told: Sequence[Told]) -> Iterator[tuple[str, list[Told]]]:
    yield "all", list(told)
    yield "all but changed_speed", [each for each in told if each.fault != "changed_speed"]
    for severity in synth.SEVERITIES:
        yield severity, [each for each in told if each.severity == severity]
    for fault in synth.FAULTS:
        if some := [each for each in told if each.fault == fault]:
            yield fault, some


def _by_network(options: argparse.Namespace) -> None:
    """Occlusion of the demonstration model, of faults whose band or time is known."""
    found: dict[str, list[bool]] = collections.defaultdict(list)
    with osscl.load("demo") as detector:
        for clip in _plan(options).clips():
            fault = clip.chosen_fault()
            if fault is None:
                continue
            truth = synth.evidence_of(clip.key, fault)
            if truth.band_hz is None:
                continue
            occlusion = occlude(clip.samples(), _score_of(detector, clip.key.machine))
            heaviest = occlusion.bands_hz[int(np.argmax(occlusion.band_shares))]
            found["band"].append(any(occlusion.band_shares) and _is_band(heaviest, truth.band_hz))
            if truth.time_s is not None:
                begin_s, end_s = occlusion.times_s[int(np.argmax(occlusion.time_shares))]
                within = begin_s < truth.time_s[1] and end_s > truth.time_s[0]
                found["time"].append(any(occlusion.time_shares) and within)
    print("\nnetwork (demonstration model), largest share right:")
    for what, right in found.items():
        print(f"  {what}: {np.mean(right):.2f} ({len(right)})")


def _score_of(detector: osscl.Detector, machine: str) -> Score:
    return lambda clips: detector.score(clips, machine).score.astype(np.float64)


if __name__ == "__main__":
    main()
