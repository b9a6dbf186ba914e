"""Normal recordings to detection limits: `measure_limits`."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from osscl.backends import DEFAULT_OPTIONS, ComputeOptions
from osscl.enrolment import UnusableRecording
from osscl.enrolment.normals import Normal, Normals, read_normals
from osscl.enrolment.plan import Plan, plan_of
from osscl.errors import DecisionError, NoRecordingsError
from osscl.model_file.bundle import read_bundle, write_bundle
from osscl.model_file.decisions import StoredDecisions
from osscl.model_file.limits import MachineLimits
from osscl.model_file.manifest import Manifest
from osscl.scoring.judges import Judges
from osscl.sensitivity.clips import chosen_clips, n_unknown
from osscl.sensitivity.grids import coarse_grid, fine_grid
from osscl.sensitivity.machine import Trial, machine_limits
from osscl.sensitivity.network import Network
from osscl.sensitivity.options import SensitivityOptions
from osscl.sensitivity.report import SensitivityReport
from osscl.sensitivity.trials import N_TRIALS
from osscl.support.listing import listed, listed_by_reason
from osscl.support.outputs import check_output
from osscl.support.paths import printable
from osscl.support.plurals import are, counted, plural
from osscl.support.threads import usable_cpus
from osscl.support.unasked import NOBODY_LISTENS

AS_BY_DEFAULT = SensitivityOptions()
ENOUGH_RECORDINGS = 60
MOST_CLIPS = 100
"""Clips of a machine that changes are laid into, by a memory."""
MOST_CLIPS_BY_NETWORK = 60
_MAX_NAMED = 3
_NOTHING = StoredDecisions()


def measure_limits(
    model: str | os.PathLike[str],
    normals: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    options: SensitivityOptions = AS_BY_DEFAULT,
    compute: ComputeOptions = DEFAULT_OPTIONS,
    *,
    store: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    on_total: Callable[[int], object] = NOBODY_LISTENS,
    on_clip: Callable[[], object] = NOBODY_LISTENS,
    on_note: Callable[[str], object] = NOBODY_LISTENS,
) -> SensitivityReport:
    """Measure from which size on changes of the sound are found, before any fault was ever seen.

    Known changes are laid into normal recordings at graded sizes, and decided as clips of recordings that
    were never enrolled.

    Parameters
    ----------
    model : path-like
        Model file with memories or calibrations; it stays as it is.
    normals : path-like or sequence of path-like
        Folders of normal recordings, searched at any depth, or files: those that were enrolled or calibrated
        with, or others of the same machines. Recordings whose names begin with ``anomaly_`` are left out.
    options : SensitivityOptions
        Which score decides, and at which rate.
    compute : ComputeOptions
        On what the network is computed, for rules that need it.
    store : path-like, optional
        Model file to write, which holds the limits too; it appears whole or not at all.
    overwrite : bool
        Replace what is at `store`; never what is read.
    on_total : callable
        Called with the number of recordings to read and to try, once it is known.
    on_clip : callable
        Called after each recording that is read, and after each that is tried.
    on_note : callable
        Called with what is to be known beforehand: how long a network will take.

    Returns
    -------
    SensitivityReport
        The limits of each machine.

    Raises
    ------
    NoRecordingsError
        There is no normal recording.
    DecisionError
        No machine's limits can be measured.
    ConfigError
        The model file holds nothing that the rule could go by.
    ModelFileError
        The model file cannot be read.
    OutputError
        `store` exists, is read by this very call, or cannot be written.
    """
    roots = [normals] if isinstance(normals, str | os.PathLike) else list(normals)
    if store is not None:
        check_output(Path(store), overwrite=overwrite, inputs=[model, *roots])
    bundle = read_bundle(model)
    with Network(model, compute) as network:
        report = measured(
            bundle.manifest, roots, options, network, on_total=on_total, on_clip=on_clip, on_note=on_note
        )
    if store is not None:
        write_bundle(store, bundle.model, with_limits(bundle.manifest, report.machines))
    return report


def measured(
    manifest: Manifest,
    roots: Sequence[str | os.PathLike[str]],
    options: SensitivityOptions = AS_BY_DEFAULT,
    network: Network | None = None,
    *,
    on_total: Callable[[int], object] = NOBODY_LISTENS,
    on_clip: Callable[[], object] = NOBODY_LISTENS,
    on_note: Callable[[str], object] = NOBODY_LISTENS,
) -> SensitivityReport:
    """Measure detection limits of what a manifest holds; nothing is written.

    Parameters
    ----------
    manifest : Manifest
        What a model file says of itself.
    roots : sequence of path-like
        Folders of normal recordings, or files.
    options : SensitivityOptions
        Which score decides, and at which rate.
    network : Network, optional
        Its network, for rules that need it.
    on_total, on_clip, on_note : callable
        As `measure_limits` takes them.

    Returns
    -------
    SensitivityReport
        The limits of each machine.

    Raises
    ------
    OssclError
        As `measure_limits`.
    """
    judges = Judges(manifest, options.rule, options.false_alarm_rate)
    plan = plan_of(roots, options.machine, options.recording, options.labels, options.machine_pattern)
    on_total(plan.n_to_read)
    normals = read_normals(plan, options.fit, on_clip=on_clip)
    if not normals.by_machine:
        raise NoRecordingsError(_nothing_usable(plan, normals))
    work = _Work(manifest, judges, options, network)
    work.choose(normals)
    on_total(plan.n_to_read + sum(map(len, work.chosen.values())))
    work.say_time(on_note)
    made = work.measure(on_clip)
    return SensitivityReport(
        machines=made,
        refused=work.refused,
        left_out=tuple(plan.left_out),
        unusable=tuple(
            UnusableRecording(path=each.path, status=each.problem.status, reason=str(each.problem))
            for each in normals.unusable
        ),
        warnings=(*plan.notes, *listed_by_reason(work.warnings, _MAX_NAMED)),
    )


def with_limits(manifest: Manifest, limits: Sequence[MachineLimits]) -> Manifest:
    """Say of a model file that it holds limits.

    Parameters
    ----------
    manifest : Manifest
        What it says so far.
    limits : sequence of MachineLimits
        They replace those of the same machines and rules.

    Returns
    -------
    Manifest
        Of the same graph.
    """
    decisions = manifest.decisions or _NOTHING
    new = {(each.machine, each.rule) for each in limits}
    staying = (each for each in decisions.limits if (each.machine, each.rule) not in new)
    return replace(manifest, decisions=replace(decisions, limits=(*staying, *limits)))


class _Work:
    """One measurement, from the clips that were read to the limits."""

    def __init__(
        self, manifest: Manifest, judges: Judges, options: SensitivityOptions, network: Network | None
    ) -> None:
        self._stored, self._judges = manifest.decisions or _NOTHING, judges
        self._options, self._network = options, network
        self.chosen: dict[str, list[Normal]] = {}
        self.refused: dict[str, str] = {}
        self.warnings: list[tuple[str, str]] = []  # machines, and what is to be said of each

    def choose(self, normals: Normals) -> None:
        """Choose clips of each machine, and refuse machines that cannot be measured."""
        for machine, clips in normals.by_machine.items():
            reason = self._lacking(machine)
            if reason is not None:
                self.refused[machine] = reason
                continue
            rule = self._judges.rule_of(machine)
            most = MOST_CLIPS if rule == "memory" else MOST_CLIPS_BY_NETWORK
            try:
                self.chosen[machine] = chosen_clips(
                    machine, rule, clips, self._stored, self._options.fit, most
                )
            except DecisionError as error:
                self.refused[machine] = str(error)
        self._refuse_if_none_is_left()
        for machine, clips in self.chosen.items():
            self._warn(machine, clips, len(normals.by_machine[machine]))

    def say_time(self, on_note: Callable[[str], object]) -> None:
        """Say how long the network will take, before it does."""
        by_network = [each for each in self.chosen if self._judges.of(each).needs_network]
        if not by_network or self._network is None:
            return
        n_trials = sum(len(self.chosen[each]) for each in by_network) * len(coarse_grid()) * N_TRIALS
        speed = self._network.clips_a_second(by_network[0])
        on_note(
            f"{n_trials:,} changed {plural(n_trials, 'clip')} by the network at {speed:.0f} clips/s: about "
            f"{n_trials / speed / 60:.1g} min"
        )

    def measure(self, on_clip: Callable[[], object]) -> tuple[MachineLimits, ...]:
        """Measure the limits of the machines that are left."""
        made = []
        for machine, clips in list(self.chosen.items()):
            try:
                made.append(machine_limits(self._trial(machine), clips, on_clip))
            except DecisionError as error:
                self.refused[machine] = str(error)
                del self.chosen[machine]
        self._refuse_if_none_is_left()
        return tuple(made)

    def _trial(self, machine: str) -> Trial:
        judge = self._judges.of(machine)
        if not judge.needs_network:
            changes = coarse_grid() if self._options.coarse else fine_grid()
            return Trial(judge, changes, self._options.fit, None, usable_cpus())
        assert self._network is not None, "only memories are measured without one"
        scores = partial(self._network.scores, machine)
        return Trial(judge, coarse_grid(), self._options.fit, scores, 1)

    def _lacking(self, machine: str) -> str | None:
        if machine not in self._judges.machines:
            return f"the model file does not know it; it knows {listed(self._judges.machines, _MAX_NAMED)}"
        if self._stored.is_by_domain(machine) and self._judges.rule_of(machine) == "memory":
            return "its memories are by domain, and limits are measured of machines with one memory alone"
        if self._judges.rule_of(machine) == "embedding":
            return (
                "no detection limits are measured by the rule embedding: each would take the network and "
                "another memory of embeddings for every recording left out; choose --rule memory or network"
            )
        return self._judges.lacking(machine) or self._judges.of(machine).undecided

    def _warn(self, machine: str, clips: Sequence[Normal], n_given: int) -> None:
        rule = self._judges.rule_of(machine)
        n_recordings = len({each.recording for each in clips})
        if n_recordings < ENOUGH_RECORDINGS:
            self.warnings.append(
                (
                    machine,
                    f"{are(n_recordings, 'recording')} fewer than the {ENOUGH_RECORDINGS} that a "
                    "confidence of 95 % takes: true limits may lie above these",
                )
            )
        if len(clips) < n_given:
            self.warnings.append(
                (
                    machine,
                    f"changes are laid into {len(clips)} of {counted(n_given, 'clip')}, drawn by a "
                    "seed from all its recordings in turn",
                )
            )
        unknown = n_unknown(machine, rule, clips, self._stored)
        if unknown:
            what = "calibration" if rule == "network" else "memory"
            self.warnings.append(
                (
                    machine,
                    f"{are(unknown, 'recording')} not in its {what} and "
                    f"judged by it as it is; all "
                    "others are left out of it one at a time",
                )
            )

    def _refuse_if_none_is_left(self) -> None:
        if not self.chosen:
            reasons = "; ".join(listed_by_reason(self.refused.items(), _MAX_NAMED))
            raise DecisionError(f"no detection limits can be measured: {reasons}")


def _nothing_usable(plan: Plan, normals: Normals) -> str:
    parts = []
    if plan.left_out:
        parts.append(f"{len(plan.left_out)} are said to be anomalous and left out")
    if normals.unusable:
        first = normals.unusable[0]
        parts.append(f"{len(normals.unusable)} give no clip, first {printable(first.path)}: {first.problem}")
    return f"no recording can be used for detection limits: {'; '.join(parts)}"
