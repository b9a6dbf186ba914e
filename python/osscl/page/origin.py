"""Where a table comes from: the record of its run, and the model file that scored it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.errors import EvaluationError, OssclError
from osscl.model_file.bundle import Bundle, read_bundle
from osscl.model_file.limits import MachineLimits
from osscl.page.scored import MachineScores, Scored
from osscl.runs.deciding import Decider, run_beside, scored_by, scoring_options
from osscl.scoring.judge import Judge
from osscl.support.listing import listed
from osscl.support.paths import path_of, printable

_MAX_NAMED = 3
JUDGED_BY = "judged_by"
"""In the record of a run whose clips the model file holds: which of its recordings judged them."""


@dataclass(frozen=True, eq=False)
class Origin:
    """What is known of how a table came about.

    Attributes
    ----------
    run : dict or None
        The record of its run; None where none lies beside it.
    bundle : Bundle or None
        The model file; None where none was named, and that of the record is gone or was changed.
    decider : Decider or None
        What it decides by.
    notes : list of str
        What could not be known, a sentence each.
    """

    run: dict[str, Any] | None
    bundle: Bundle | None
    decider: Decider | None
    notes: list[str] = field(default_factory=list)

    @property
    def is_of_themselves(self) -> bool:
        """Whether the clips are the normal recordings of the model file, each judged by the others."""
        return JUDGED_BY in (self.run or {})

    @property
    def fit(self) -> Fit:
        """How recordings were made to fit when they were scored."""
        options = scoring_options(self.run)
        try:
            return Fit(options.get("resample", False), options.get("channel"), options.get("pad"))
        except OssclError:  # no osscl of this version wrote it, or the resampler is not installed
            return AS_THEY_ARE

    def judge_of(self, scores: MachineScores, path: str | None = None) -> Judge | str | None:
        """What decided clips of a machine, or why nothing did; None where no model file is at hand.

        Without the path of a clip it is what decides where the domain is not known, for machines whose
        memories are by domain.
        """
        if self.decider is None:
            return None
        return self.decider.judge_of(scores.machine, scores.rule or "", path)

    def limits_of(self, scores: MachineScores) -> MachineLimits | None:
        """What decisions of a machine find; None where the model file does not say."""
        decisions = None if self.bundle is None else self.bundle.manifest.decisions
        wanted = scores.machine, scores.rule
        limits = () if decisions is None else decisions.limits
        return next((each for each in limits if (each.machine, each.rule) == wanted), None)

    def facts(self) -> dict[str, str]:
        """The record of the run, as names and values for a table."""
        return dict(_flat("", self.run or {}))


def origin_of(table: Path, scored: Scored, model: Path | None) -> Origin:
    """Find out where a table comes from.

    Parameters
    ----------
    table : Path
        The table.
    scored : Scored
        What it holds.
    model : Path or None
        The model file that shall have scored it; None takes the one that the record of the run names, if it
        is there and the same.

    Returns
    -------
    Origin
        What is known.

    Raises
    ------
    ModelFileError
        The model file cannot be read.
    EvaluationError
        It did not give these scores.
    """
    run = run_beside(table)
    notes = []
    if run is None:
        notes.append(
            "No record of the run lies beside the table: with which settings and versions it was scored "
            "is not known."
        )
    bundle = _recorded_model(run) if model is None else read_bundle(model)
    if bundle is None:
        notes.append(
            "The model file is not at hand: what decisions rest on, drift and detection limits are not "
            "known. Name it by --model."
        )
        return Origin(run, None, None, notes)
    origin = Origin(run, bundle, Decider(bundle, _rate(run), run), notes)
    _refuse_other_scores(table, scored, bundle, origin)
    return origin


def _recorded_model(run: dict[str, Any] | None) -> Bundle | None:
    named, sha256 = ((run or {}).get(name) for name in ("model", "model_sha256"))
    if not isinstance(named, str):
        return None
    try:
        bundle = read_bundle(path_of(named))
    except (OssclError, OSError):
        return None
    return bundle if bundle.file_sha256 == sha256 else None


def _rate(run: dict[str, Any] | None) -> float | None:
    """False-alarm rate that was asked for, in the run that decided."""
    options = (run or {}).get("options")
    rate = options.get("false_alarm_rate") if isinstance(options, dict) else None
    return rate if isinstance(rate, float) and 0 < rate < 1 else None


def _refuse_other_scores(table: Path, scored: Scored, bundle: Bundle, origin: Origin) -> None:
    """Refuse scores that the model file cannot have given, as the record of their run tells."""
    known = scored_by(origin.run) or {}
    judged = [(each.name, origin.judge_of(each)) for each in scored.machines if each.machine in known]
    others = [(name, reason) for name, reason in judged if isinstance(reason, str)]
    if others:
        raise EvaluationError(
            f"{printable(table)}: its scores of {listed([name for name, _ in others], _MAX_NAMED)} are of "
            f"another network or memory than {printable(bundle.path)} holds ({others[0][1]}); name the model "
            "file that gave them by --model"
        )


def _flat(prefix: str, run: dict[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in run.items():
        if isinstance(value, dict):
            found += _flat(f"{prefix}{name} ", value)
        elif value not in (None, "", []):
            spelled = value if isinstance(value, str) else msgspec.json.encode(value).decode()
            found.append((prefix + name, spelled))
    return found
