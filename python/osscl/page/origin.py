"""Where a table comes from: the record of its run, and the model file that scored it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.errors import ConfigError, EvaluationError, ModelFileError, OssclError
from osscl.model_file.bundle import Bundle, read_bundle
from osscl.model_file.manifest import Manifest
from osscl.page.scored import Scored
from osscl.runs.deciding import run_beside, scored_by
from osscl.scoring.judge import Judge
from osscl.scoring.judges import Judges
from osscl.support.listing import listed
from osscl.support.paths import path_of, printable

_MAX_NAMED = 3


@dataclass(frozen=True, eq=False)
class Origin:
    """What is known of how a table came about.

    Attributes
    ----------
    run : dict or None
        The record of its run; None where none lies beside it.
    bundle : Bundle or None
        The model file; None where none was named, and that of the record is gone or was changed.
    notes : list of str
        What could not be known, a sentence each.
    """

    run: dict[str, Any] | None
    bundle: Bundle | None
    notes: list[str] = field(default_factory=list)

    @property
    def manifest(self) -> Manifest | None:
        """What the model file says of itself."""
        return None if self.bundle is None else self.bundle.manifest

    @property
    def fit(self) -> Fit:
        """How recordings were made to fit when they were scored."""
        options = self._options
        try:
            return Fit(bool(options.get("resample")), options.get("channel"), options.get("pad"))
        except OssclError:  # no osscl of this version wrote it, or the resampler is not installed
            return AS_THEY_ARE

    @property
    def rate(self) -> float | None:
        """False-alarm rate that was asked for."""
        rate = self._options.get("false_alarm_rate")
        return rate if isinstance(rate, float) and 0 < rate < 1 else None

    @property
    def _options(self) -> dict[str, Any]:
        scored = (self.run or {}).get("scored") or self.run or {}
        options = {**(scored.get("options") or {}), **((self.run or {}).get("options") or {})}
        return options

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
            "No record of the run lies beside the table: which model, settings and versions gave the scores is "
            "not known."
        )
    if model is None:
        bundle = _recorded_model(run)
        if bundle is None:
            notes.append(
                "The model file is not at hand: what the decisions rest on cannot be said. Name it by --model."
            )
    else:
        bundle = read_bundle(model)
    if bundle is not None:
        _refuse_other_scores(table, scored, run, bundle)
    return Origin(run, bundle, notes)


def judge_of(manifest: Manifest, machine: str, rule: str | None, rate: float | None) -> Judge | None:
    """The judge that decided clips of a machine.

    Parameters
    ----------
    manifest : Manifest
        Of the model file.
    machine : str
        Its ID.
    rule : str or None
        By which it was scored.
    rate : float or None
        False-alarm rate that was asked for.

    Returns
    -------
    Judge or None
        None where the file has none of this machine and rule.
    """
    try:
        judges = Judges(manifest, rule, rate)  # type: ignore[arg-type]  # it checks the word itself
        return judges.of(machine) if machine in judges.machines else None
    except (ConfigError, ModelFileError, OssclError):
        return None


def _recorded_model(run: dict[str, Any] | None) -> Bundle | None:
    named, sha256 = ((run or {}).get(name) for name in ("model", "model_sha256"))
    if not isinstance(named, str):
        return None
    try:
        bundle = read_bundle(Path(path_of(named)))
    except (OssclError, OSError):
        return None
    return bundle if bundle.file_sha256 == sha256 else None


def _refuse_other_scores(table: Path, scored: Scored, run: dict[str, Any] | None, bundle: Bundle) -> None:
    known = scored_by(run) or {}
    others = []
    for each in scored.machines:
        told = known.get(each.machine)
        if told is not None and told != _fingerprint(bundle.manifest, each.machine, each.rule):
            others.append(each.name)
    if others:
        raise EvaluationError(
            f"{printable(table)}: its scores of {listed(others, _MAX_NAMED)} are of another network or memory "
            f"than {printable(bundle.path)} holds; name the model file that gave them by --model, or score "
            "the recordings again"
        )


def _fingerprint(manifest: Manifest, machine: str, rule: str | None) -> str | None:
    try:
        judges = Judges(manifest, rule)  # type: ignore[arg-type]  # it checks the word itself
    except (ConfigError, ModelFileError):  # no memory at all, or no network
        return None
    lacks = machine not in judges.machines or judges.lacking(machine) is not None
    return None if lacks else judges.fingerprint(machine)


def _flat(prefix: str, run: dict[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in run.items():
        if isinstance(value, dict):
            found += _flat(f"{prefix}{name} ", value)
        elif value not in (None, "", []):
            found.append((prefix + name, value if isinstance(value, str) else msgspec.json.encode(value).decode()))
    return found
