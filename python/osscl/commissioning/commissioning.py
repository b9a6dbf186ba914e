"""Commission a site: quality of the recordings, memories, decisions, detection limits, speed, and a page."""

import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from osscl.backends import DEFAULT_OPTIONS, ComputeOptions
from osscl.commissioning.commissioned import Commissioned
from osscl.commissioning.place import MODEL, PAGE, TABLE, appearing_folder, check_place
from osscl.commissioning.summary import introduction_of
from osscl.commissioning.table import write_normal_table
from osscl.detector import Detector
from osscl.enrolment import EnrolOptions, enroll
from osscl.enrolment.options_of_scoring import options_of_scoring
from osscl.enrolment.plan import plan_of
from osscl.errors import DecisionError
from osscl.machines.survey import Survey
from osscl.page.gathering import PageOptions
from osscl.page.making import check_packages, make_page
from osscl.sensitivity.measuring import measure_limits
from osscl.sensitivity.options import SensitivityOptions
from osscl.sensitivity.report import SensitivityReport
from osscl.support.paths import printable

AS_BY_DEFAULT = EnrolOptions()
N_SHOWN = 6
"""Normal clips with picture and sound: those to listen to before the rest is trusted."""
_WITH_LIMITS = "model_with_limits.onnx"


def commission(
    normals: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    folder: str | os.PathLike[str],
    model: str | os.PathLike[str] | None = None,
    options: EnrolOptions = AS_BY_DEFAULT,
    compute: ComputeOptions = DEFAULT_OPTIONS,
    *,
    overwrite: bool = False,
    on_survey: Callable[[Survey], object] = lambda _: None,
    on_stage: Callable[[str], object] = lambda _: None,
    on_total: Callable[[int], object] = lambda _: None,
    on_clip: Callable[[], object] = lambda: None,
) -> Commissioned:
    """Make everything that a new site needs from normal recordings of its machines.

    Parameters
    ----------
    normals : path-like or sequence of path-like
        Folders of normal recordings, searched at any depth, or files, as `osscl.enrolment.enroll` takes them.
    folder : path-like
        Folder to write: ``model.onnx``, ``report.html``, and ``normals.csv`` with the record of its run. They
        appear together when all is done.
    model : path-like, optional
        A trained network's model file (or the word "demo") that the memories go into.
    options : EnrolOptions
        How recordings become memories.
    compute : ComputeOptions
        On what a network is computed.
    overwrite : bool
        Replace what an earlier commissioning left in `folder`.
    on_survey : callable
        Called with what places and names of the recordings tell, before any is read.
    on_stage : callable
        Called with what is begun, in a word or two.
    on_total : callable
        Called with the number of steps of each stage.
    on_clip : callable
        Called after each of them.

    Returns
    -------
    Commissioned
        What came of it.

    Raises
    ------
    OssclError
        As `osscl.enrolment.enroll`; OutputError where `folder` cannot be written, and MissingExtraError where
        what the page needs is not installed, before anything is read.
    """
    roots = [normals] if isinstance(normals, str | os.PathLike) else list(normals)
    place = Path(folder)
    check_place(place, overwrite=overwrite, inputs=[model, options.background, options.labels, *roots])
    check_packages()
    with appearing_folder(place) as work:
        on_stage("memories")
        enrolment = enroll(
            roots, work / MODEL, model, options, on_survey=on_survey, on_total=on_total, on_clip=on_clip
        )
        on_stage("detection limits")
        sensitivity, no_limits = _limits(work / MODEL, roots, options, compute, on_total, on_clip)
        on_stage("normal recordings")
        plan = plan_of(
            roots,
            options.machine,
            options.recording,
            options.labels,
            options.machine_pattern,
            for_memories=True,
        )
        on_total(len(plan.planned))
        with Detector(work / MODEL, compute, false_alarm_rate=options.false_alarm_rate) as detector:
            told = {
                "model": printable((place / MODEL).absolute()),
                "options": {
                    "paths": [printable(root) for root in roots],
                    "machine": options.machine,
                    "labels": None if options.labels is None else printable(options.labels),
                    "machine_pattern": options.machine_pattern,
                    "false_alarm_rate": options.false_alarm_rate,
                    **asdict(options.fit),
                },
            }
            table = write_normal_table(detector, plan, options.fit, work / TABLE, told, on_clip)
        on_stage("page")
        commands = _next_commands(place, options)
        introduction = introduction_of(enrolment, table, sensitivity, no_limits, commands)
        contents = make_page(
            work / TABLE,
            work / PAGE,
            PageOptions(model=work / MODEL, n_worst=N_SHOWN, introduction=introduction),
            on_total=on_total,
            on_clip=on_clip,
        )
    return Commissioned(
        headline=contents.headline,
        points=introduction.points,
        doubts=introduction.doubts,
        trust=contents.trust,
        enrolment=enrolment,
        sensitivity=sensitivity,
        no_limits=no_limits,
        n_clips=table.tally.n_decided,
        n_flagged=table.tally.anomalies.total(),
        recordings_per_s=table.recordings_per_s,
        next_commands=commands,
    )


def _limits(
    model: Path,
    roots: Sequence[str | os.PathLike[str]],
    options: EnrolOptions,
    compute: ComputeOptions,
    on_total: Callable[[int], object],
    on_clip: Callable[[], object],
) -> tuple[SensitivityReport | None, str | None]:
    """Measure what is found, and put it into the model file; or say why it cannot be measured."""
    how = SensitivityOptions(
        false_alarm_rate=options.false_alarm_rate,
        machine=options.machine,
        recording=options.recording,
        labels=options.labels,
        machine_pattern=options.machine_pattern,
        fit=options.fit,
    )
    with_limits = model.with_name(_WITH_LIMITS)
    try:
        report = measure_limits(
            model, roots, how, compute, store=with_limits, on_total=on_total, on_clip=on_clip
        )
    except DecisionError as error:  # too few recordings: the memories are good for scores all the same
        return None, str(error)
    with_limits.replace(model)
    return report, None


def _next_commands(folder: Path, options: EnrolOptions) -> tuple[str, ...]:
    model = printable(folder / MODEL)
    asked = options_of_scoring(options)
    return (
        shlex.join(["osscl", "score", model, "NEW_RECORDINGS", *asked, "--output", "scores.csv"]),
        shlex.join(["osscl", "report", "scores.csv", "--model", model, "--output", "today.html"]),
    )
