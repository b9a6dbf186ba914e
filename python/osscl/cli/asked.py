"""What a run that scores was asked for, as it is recorded, and as scores and tables depend on it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from osscl.audio.reading import Fit
from osscl.audio.recorded_at import RecordingTimes
from osscl.backends import ComputeOptions
from osscl.cli.options import DecisionOptions
from osscl.detector import Detector
from osscl.journal.settings import Settings, settings_of
from osscl.machines.labels import MachineNames
from osscl.runs.exporting import Wanted
from osscl.support.paths import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options of `osscl score` and `osscl watch` that lines depend on.

    Attributes
    ----------
    paths : sequence of str
        Where the recordings are.
    names : MachineNames
        How their machines are named.
    fit : Fit
        How recordings that do not fit are made to fit.
    times : RecordingTimes
        When they began, where neither names nor headers tell.
    hop_s : float or None
        Seconds from window to window; None for the beginnings of recordings alone.
    decide : DecisionOptions
        How is decided.
    compute : ComputeOptions
        On what the model is computed.
    only : str or None
        Which lines the table has; None for all.
    explain : bool
        Whether flagged clips are explained.
    """

    paths: Sequence[str]
    names: MachineNames
    fit: Fit
    times: RecordingTimes
    hop_s: float | None
    decide: DecisionOptions
    compute: ComputeOptions
    only: str | None = None
    explain: bool = False

    def options(self) -> dict[str, Any]:
        """All of it, for the record of the run."""
        return {
            "paths": list(map(printable, self.paths)),
            "machine": self.names.machine,
            "labels": None if self.names.labels is None else printable(self.names.labels),
            "machine_pattern": None
            if self.names.machine_pattern is None
            else printable(self.names.machine_pattern),
            **asdict(self.fit),
            **self.times.facts(),
            **({} if self.hop_s is None else {"hop": self.hop_s}),
            **self.decide._asdict(),
            "only": self.only,
            "explain": self.explain,
            **self.compute.record(),
        }

    def settings(self, detector: Detector) -> Settings:
        """What of it scores depend on, and what of the model."""
        return settings_of(
            detector.manifest,
            detector.judges,
            detector.facts,
            self.paths,
            fit=self.fit,
            names=self.names,
            times=self.times,
            hop_s=self.hop_s,
        )

    def wanted(self, detector: Detector) -> Wanted:
        """How the table is made of the scores."""
        return Wanted(
            model_sha256=detector.bundle.file_sha256,
            false_alarm_rate=self.decide.false_alarm_rate,
            only=self.only,
            explain=self.explain,
        )
