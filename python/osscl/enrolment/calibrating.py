"""Normal recordings to calibrations of the rules that use the network: `calibrate`."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from osscl.backends import DEFAULT_OPTIONS, ComputeOptions
from osscl.decisions import smallest_rate, threshold, too_few_recordings
from osscl.decisions.how_many import HOW_MANY
from osscl.decisions.staircase import MIN_RECORDINGS
from osscl.enrolment.both_scores import both_scores, refuse_unlike, without_siblings
from osscl.enrolment.calibrate_options import CalibrateOptions
from osscl.enrolment.calibration_clips import (
    clips_a_machine,
    not_trained_on,
    refuse_training_clips,
    thinned,
)
from osscl.enrolment.calibration_report import CalibratedMachine, CalibrationReport
from osscl.enrolment.dropped_limits import dropped_limits, without_limits
from osscl.enrolment.left_out import left_out_recordings
from osscl.enrolment.long_recordings import in_windows
from osscl.enrolment.network_scores import Scores, network_scores
from osscl.enrolment.normals import Normal, Normals, read_normals
from osscl.enrolment.plan import plan_of
from osscl.enrolment.remembered import FLOAT64, stored_clip
from osscl.enrolment.report import UnusableRecording
from osscl.errors import DecisionError, NoRecordingsError
from osscl.machines.survey import Survey
from osscl.model_file.bundle import read_bundle, write_bundle
from osscl.model_file.decisions import Calibration, Rule, StoredDecisions
from osscl.model_file.manifest import Manifest
from osscl.model_file.restored import restored_memory
from osscl.runs.featured import Unusable
from osscl.scoring.judge import DEFAULT_RATE, separating
from osscl.support.listing import listed_by_reason
from osscl.support.outputs import check_output
from osscl.support.paths import printable
from osscl.support.plurals import are, counted, verb
from osscl.support.unasked import NOBODY_LISTENS

_MAX_NAMED = 3
AS_BY_DEFAULT = CalibrateOptions()


def calibrate(
    model: str | os.PathLike[str],
    normals: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    options: CalibrateOptions = AS_BY_DEFAULT,
    compute: ComputeOptions = DEFAULT_OPTIONS,
    *,
    overwrite: bool = False,
    on_survey: Callable[[Survey], object] = NOBODY_LISTENS,
    on_total: Callable[[int], object] = NOBODY_LISTENS,
    on_clip: Callable[[], object] = NOBODY_LISTENS,
) -> CalibrationReport:
    """Score normal recordings that the network was not trained on, so that its scores can decide.

    Parameters
    ----------
    model : path-like
        Model file with a network, or the word "demo"; it stays as it is.
    normals : path-like or sequence of path-like
        Folders of normal recordings, searched at any depth, or files. Recordings whose names begin with
        ``anomaly_`` are left out.
    output : path-like
        Model file to write; it appears whole or not at all.
    options : CalibrateOptions
        Which rule, and what counts as one recording.
    compute : ComputeOptions
        On what the network is computed.
    overwrite : bool
        Replace what is at `output`; never what is read.
    on_survey : callable
        Called with what places and names of the recordings tell, before any is read.
    on_total : callable
        Called with the number of recordings, once it is known.
    on_clip : callable
        Called after each recording that is read, and after each that is scored.

    Returns
    -------
    CalibrationReport
        What became of each machine.

    Raises
    ------
    NoRecordingsError
        There is nothing to calibrate on.
    DecisionError
        Clips were trained on; no machine can be calibrated; or a machine has too few recordings for the rate.
    ModelFileError
        The model file cannot be read, or holds no network.
    OutputError
        The output exists, is read by this very call, or cannot be written.
    """
    roots = [normals] if isinstance(normals, str | os.PathLike) else list(normals)
    check_output(Path(output), overwrite=overwrite, inputs=[model, options.labels, *roots])
    bundle = read_bundle(model)
    network = bundle.manifest.network
    plan = plan_of(roots, options.machine, options.recording, options.labels, options.machine_pattern)
    plan.refuse_mixed()
    on_survey(plan.survey)
    plan = in_windows(plan, options.fit, options.hop_s)
    on_total(plan.n_to_read)
    read = read_normals(plan, options.fit, on_clip=on_clip)
    if not read.by_machine:
        raise NoRecordingsError(_nothing_usable(plan.left_out, read.unusable))
    work = _Work(bundle.manifest, options, read)
    work.choose()
    on_total(plan.n_to_read + sum(map(len, work.chosen.values())))
    by_network = network_scores(model, work.chosen, options, compute, on_clip)
    work.calibrate(by_network)
    write_bundle(output, bundle.model, replace(bundle.manifest, decisions=work.merged()))
    return CalibrationReport(
        rule=options.rule,
        precision=network.precision,
        machines=tuple(work.described()),
        refused=dict(work.refused),
        left_out=tuple(plan.left_out),
        unusable=tuple(
            UnusableRecording(path=each.path, status=each.problem.status, reason=str(each.problem))
            for each in read.unusable
        ),
        warnings=(*plan.notes, *work.warnings),
    )


class _Work:
    """One calibration, from the clips that were read to what the file holds."""

    def __init__(self, manifest: Manifest, options: CalibrateOptions, read: Normals) -> None:
        self._manifest, self._options, self._read = manifest, options, read
        self._stored = manifest.decisions or StoredDecisions()
        self.chosen: dict[str, list[Normal]] = {}
        self.refused: dict[str, str] = {}
        self.warnings: list[str] = []
        self._n_training_clips: dict[str, int] | None = None
        self._made: dict[str, Calibration] = {}

    def choose(self) -> None:
        """Choose the clips that calibrate, and refuse machines that cannot be calibrated, before scoring."""
        known = self._stored.training_clips
        for machine, normals in self._new_to_the_network(known).items():
            try:
                self.chosen[machine] = self._clips_of(machine, normals)
            except DecisionError as error:
                self.refused[machine] = str(error)
        self._refuse_if_none_is_left()
        if known is None:
            self.warnings.append(
                "whether these clips were trained on cannot be told: the model file does not say what it was "
                "trained on, so that no false-alarm rate is guaranteed"
            )
        else:
            self._n_training_clips = refuse_training_clips(
                self.chosen, frozenset(known), allowed=self._options.allow_training_clips
            )
        self._refuse_unreachable_rate()
        most = clips_a_machine(self._manifest, self.chosen)
        for machine, normals in self.chosen.items():
            kept = thinned(normals, most)
            if len(kept) < len(normals):
                self.warnings.append(
                    f"{machine}: {len(kept)} of {counted(len(normals), 'clip')} calibrate, drawn by seed 0 "
                    "from all its recordings in turn: a model file keeps no more"
                )
            self.chosen[machine] = kept

    def calibrate(self, network_scores: Mapping[str, Scores]) -> None:
        """Make calibrations of the network's scores of the chosen clips, by machine."""
        for machine, scores in network_scores.items():
            try:
                self._made[machine] = self._calibration(machine, scores)
            except DecisionError as error:
                self.refused[machine] = str(error)
                del self.chosen[machine]
        self._refuse_if_none_is_left()
        self.warnings += dropped_limits(self._stored.limits, self._stale_limits())

    def merged(self) -> StoredDecisions:
        """What the file holds to decide by, from now on."""
        rule = self._options.rule
        staying = [
            each for each in self._stored.calibrations if each.rule != rule or each.machine not in self._made
        ]
        return replace(
            self._stored,
            calibrations=(*staying, *self._made.values()),
            rules=self._stored.rules | {machine: self._decides(machine) for machine in self._made},
            limits=without_limits(self._stored.limits, self._stale_limits()),
        )

    def described(self) -> Iterator[CalibratedMachine]:
        """Say what became of each machine that is calibrated."""
        for machine, made in self._made.items():
            scores = np.frombuffer(made.scores, FLOAT64)
            recordings = [clip.recording for clip in made.clips]
            smallest = smallest_rate(recordings)
            rate = self._options.false_alarm_rate or max(DEFAULT_RATE, smallest)
            spelled = self._spelled(machine)
            left_out = left_out_recordings(scores, [spelled[name] for name in recordings], rate)
            yield CalibratedMachine(
                machine=machine,
                decides=self._decides(machine),
                n_clips=len(scores),
                n_recordings=len(set(recordings)),
                n_equal=self._read.n_equal.get(machine, 0),
                n_training_clips=None if self._n_training_clips is None else self._n_training_clips[machine],
                smallest_rate=smallest,
                rate=rate,
                threshold=separating(threshold(scores, rate, recordings)),
                is_guaranteed=made.is_guaranteed and made.rule == "network",
                left_out_rate=float(np.mean([each.false_alarm_rate for each in left_out]))
                if left_out
                else None,
                left_out=left_out,
            )

    def _new_to_the_network(self, known: Sequence[str] | None) -> Mapping[str, list[Normal]]:
        """All clips by machine, or those that may calibrate where the others shall be left out."""
        by_machine = self._read.by_machine
        if not self._options.skip_training_clips:
            return by_machine
        if known is None:
            raise DecisionError(
                "--skip-training-clips finds nothing to leave out: the model file does not say what it was "
                "trained on; name recordings that it was not trained on, without that option"
            )
        left = {machine: not_trained_on(normals, frozenset(known)) for machine, normals in by_machine.items()}
        n_clips = sum(map(len, by_machine.values()))
        if n_left_out := n_clips - sum(map(len, left.values())):
            self.warnings.append(
                f"left out, of recordings that were trained on: {n_left_out} of {counted(n_clips, 'clip')}"
            )
        return left

    def _clips_of(self, machine: str, normals: list[Normal]) -> list[Normal]:
        if machine not in self._manifest.classes_of_machines:
            raise DecisionError("the network does not know it; a memory decides of it without a calibration")
        chosen = normals
        if self._options.rule == "both" and self._stored.is_by_domain(machine):
            raise DecisionError(
                "its memories are by domain, which the rule both does not know: calibrate the rule network, "
                "or make one for all clips by osscl enroll without --by-domain"
            )
        if self._options.rule == "both":
            memory = refuse_unlike(self._stored.memory_of(machine), normals, self._options.fit)
            chosen = without_siblings(memory, normals)
            if n_siblings := len(normals) - len(chosen):
                self.warnings.append(
                    f"{machine}: {counted(n_siblings, 'clip')} {verb(n_siblings, 'does', 'do')} not "
                    f"calibrate: "
                    "not in the memory, where others of the same recording are"
                )
        n_recordings = len({normal.recording for normal in chosen})
        if n_recordings < MIN_RECORDINGS:
            raise DecisionError(
                f"{are(n_recordings, 'normal recording')} too few: {MIN_RECORDINGS} are the least; {HOW_MANY}"
            )
        return chosen

    def _refuse_if_none_is_left(self) -> None:
        if not self.chosen:
            reasons = "; ".join(listed_by_reason(self.refused.items(), _MAX_NAMED))
            raise DecisionError(f"no machine can be calibrated: {reasons}")

    def _refuse_unreachable_rate(self) -> None:
        rate = self._options.false_alarm_rate
        if rate is None:
            return
        flaws = listed_by_reason(
            (
                (machine, too_few_recordings(len({normal.recording for normal in normals}), rate))
                for machine, normals in self.chosen.items()
            ),
            _MAX_NAMED,
        )
        if told := "; ".join(flaws):
            raise DecisionError(told)

    def _calibration(self, machine: str, network_scores: Scores) -> Calibration:
        normals = self.chosen[machine]
        scores, scale = network_scores, None
        if self._options.rule == "both":
            stored = self._stored.memory_of(machine)
            assert stored is not None, "refuse_unlike was to refuse this"
            memory = restored_memory(stored, self._stored.background)
            scores, scale = both_scores(memory, stored, normals, network_scores)
        rounded = scores.astype(np.float32).astype(FLOAT64)  # as scores are rounded before they are decided
        n_trained = None if self._n_training_clips is None else self._n_training_clips[machine]
        return Calibration(
            machine=machine,
            rule=self._options.rule,
            precision=self._manifest.network.precision,
            scores=rounded.tobytes(),
            clips=tuple(stored_clip(normal, flagged=False) for normal in normals),
            log_median=None if scale is None else scale.median,
            log_mad=None if scale is None else scale.mad,
            is_guaranteed=n_trained == 0,
        )

    def _stale_limits(self) -> set[tuple[str, Rule]]:
        return {(machine, self._options.rule) for machine in self._made}

    def _decides(self, machine: str) -> Rule:
        """The rule that decides of a calibrated machine: one that was chosen stays, but for both."""
        return "both" if self._options.rule == "both" else self._stored.rules.get(machine, "network")

    def _spelled(self, machine: str) -> dict[str, str]:
        """What a person calls each recording: a clip that is one of its own has the name of its file."""
        return {
            normal.recording: printable(normal.clip.path)
            if normal.recording == normal.clip.sha256
            else normal.recording
            for normal in self.chosen[machine]
        }


def _nothing_usable(left_out: Sequence[str], unusable: Sequence[Unusable]) -> str:
    parts = []
    if left_out:
        parts.append(f"{len(left_out)} are said to be anomalous and left out, first {printable(left_out[0])}")
    if unusable:
        first = unusable[0]
        parts.append(f"{len(unusable)} give no clip, first {printable(first.path)}: {first.problem}")
    return f"no recording can be used to calibrate: {'; '.join(parts)}"
