"""``osscl explain``: why a recording has its score."""

from dataclasses import replace
from typing import Annotated, Any

import msgspec
import typer

from osscl.audio.candidate import Candidate
from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.backends import DEFAULT_OPTIONS, ComputeOptions
from osscl.cli.console import BuildProgress, as_json, print_facts
from osscl.cli.messages import EXIT_FAILED, complain, emit, say
from osscl.cli.options import BY_DEFAULT, DecisionOptions, takes_shared_options
from osscl.cli.places import FileOrUrl, ModelFile, place_named
from osscl.detector import Detector
from osscl.explanation.explained import Explanation, Finding, Occlusion
from osscl.explanation.wording import band
from osscl.machines.labels import BY_PATHS, MachineNames, machine_source
from osscl.runs.explaining import explain_file
from osscl.scoring.left_out import LeftOut
from osscl.scoring.record import WINDOW, Record, place_of
from osscl.support.links import missing
from osscl.support.paths import printable

EXAMPLES = """[bold]Examples[/bold]\n
  osscl explain press.onnx recordings/anomaly_id_09_00000000.wav\n
  osscl explain model.onnx tonight.wav --machine pump/id_02 --json\n
  osscl explain model.onnx tonight.wav --machine pump/id_02 --rule network\n
\n
Exit code: 0 explained, 1 failed, 2 wrong usage; interrupted: 130 by Ctrl-C.
"""
_MOST_SHARES, _LEAST_SHARE = 3, 0.05


@takes_shared_options()
def explain(
    model: ModelFile,
    recording: Annotated[
        FileOrUrl,
        typer.Argument(help="Recording to explain, or its URL.", metavar="FILE", parser=place_named),
    ],
    json: Annotated[bool, typer.Option("--json", help="Score and explanation as JSON.")] = False,
    start: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Where in a long recording the ten seconds begin; by default it is their first.",
            metavar="SECONDS",
        ),
    ] = None,
    names: MachineNames = BY_PATHS,
    fit: Fit = AS_THEY_ARE,
    decide: DecisionOptions = BY_DEFAULT,
    compute: ComputeOptions = DEFAULT_OPTIONS,
) -> None:
    """Say what is heard in a recording beyond the normal ones of its machine: bands, rates and moments."""
    if (problem := missing(recording)) is not None:
        raise typer.BadParameter(problem)
    names = names.below(str(recording))
    with BuildProgress() as building:
        detector = Detector(model, replace(compute, on_build=building.show_phase), **decide._asdict())
    with detector:
        machine_of = machine_source(detector.machines, *names)
        wanted, left_out = Candidate(str(recording), start_s=start), LeftOut()
        [record] = detector.score_candidates([wanted], machine_of, fit, left_out=left_out)
        if record.score is None or record.machine is None:
            complain(f"{printable(recording)}: {record.reason}")
            raise typer.Exit(EXIT_FAILED)
        found = explain_file(detector, str(recording), record.machine, fit, start)
        if left_out.n_longer:
            say(f"its first {detector.clip_s:g} s are explained; --start SECONDS explains any others")
        for note in detector.judges.notes():
            say(note)
        rate = detector.judges.rate_of(record)
    if json:
        emit(as_json(_document(record, found)))
    else:
        print_facts(_facts(record, found, rate))


def _document(record: Record, found: Explanation) -> dict[str, Any]:
    return {
        "path": printable(record.path),
        **({"start_s": record.start_s} if record.scope == WINDOW else {}),
        **{
            name: getattr(record, name)
            for name in ("machine", "rule", "score", "p_value", "threshold", "is_anomaly")
        },
        "z": {name: getattr(record, f"z_{name}") for name in ("level", "modulation", "flutter", "event")},
        "domain": found.domain,
        "explanation": found.sentence,
        "findings": msgspec.to_builtins(found.findings),
        "occlusion": msgspec.to_builtins(found.occlusion),
    }


def _facts(record: Record, found: Explanation, rate: float | None) -> dict[str, str]:
    facts = {
        "file": place_of(record, printable(record.path)),
        "machine": record.machine or "",
        "score": f"{record.score:g} by {record.rule}{_decision(record, rate)}",
    }
    if record.z_level is not None:
        facts["blocks"] = (
            f"level {record.z_level:.1f}, modulation {record.z_modulation:.1f}, flutter "
            f"{record.z_flutter:.1f}, event {record.z_event:.1f} spreads from normal"
        )
    if found.domain is not None:
        facts["memory"] = f"of the domain {found.domain}"
    facts["heard"] = "\n".join(map(_finding, found.findings)) or found.sentence
    if found.occlusion is not None:
        facts["network"] = _shares(found.occlusion)
    return facts


def _decision(record: Record, rate: float | None) -> str:
    if record.is_anomaly is None or rate is None:
        return "; nothing is decided"
    word = "flagged" if record.is_anomaly else "not flagged"
    return f": {word} at {100 * rate:.3g} % (p {record.p_value:.3g})"


def _finding(found: Finding) -> str:
    return f"{found.text} (block {found.block}, {found.z:.1f} spreads)"


def _shares(found: Occlusion) -> str:
    """What the score loses most by, of bands and of times."""
    bands = [
        f"{band(low_hz, high_hz)} {100 * share:.0f} %"
        for share, (low_hz, high_hz) in _largest(found.band_shares, found.bands_hz)
    ]
    times = [
        f"{begin_s:g} to {end_s:g} s {100 * share:.0f} %"
        for share, (begin_s, end_s) in _largest(found.time_shares, found.times_s)
    ]
    return "\n".join(", ".join(each) for each in (bands, times) if each) or "no single band or time"


def _largest(
    shares: tuple[float, ...], parts: tuple[tuple[float, float], ...]
) -> list[tuple[float, tuple[float, float]]]:
    ordered = sorted(zip(shares, parts, strict=True), reverse=True)
    return [(share, part) for share, part in ordered[:_MOST_SHARES] if share >= _LEAST_SHARE]
