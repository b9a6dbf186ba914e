"""What a page says, before it is written as HTML."""

from typing import NamedTuple

from osscl.model_file.limits import MachineLimits
from osscl.page.charts import Histogram, Timeline
from osscl.page.evidence import Evidence
from osscl.page.introduction import Introduction
from osscl.page.rows import Rows
from osscl.page.scored import MachineScores
from osscl.page.standing import Standing
from osscl.page.truth import Truth
from osscl.page.unscored import Unscored
from osscl.scoring.record import Record


class MachinePart(NamedTuple):
    """What is said of one machine.

    Attributes
    ----------
    anchor : str
        Name of its part of the page.
    scores : MachineScores
        Its clips.
    counted : MachineScores
        Those of them that its standing is of: all, or those since a moment.
    standing : Standing
        At a glance.
    spark, timeline : Timeline
        Its scores over time, small and large.
    histogram : Histogram
        How many clips have which score.
    truth : Truth, str or None
        How well its scores did, or why that cannot be told; None where nothing is known.
    limits : MachineLimits or None
        What its decisions find; None where the model file does not say.
    told : tuple of str
        Sentences on drift and alarms.
    """

    anchor: str
    scores: MachineScores
    counted: MachineScores
    standing: Standing
    spark: Timeline
    timeline: Timeline
    histogram: Histogram
    truth: Truth | str | None
    limits: MachineLimits | None
    told: tuple[str, ...]


class ClipPart(NamedTuple):
    """What is shown of one clip.

    Attributes
    ----------
    number : int
        Its place among the clips shown, from 1.
    record : Record
        Its line.
    part : MachinePart
        Its machine.
    excess : float
        Spreads above the threshold.
    is_flagged : bool
        The decision.
    evidence : Evidence or None
        Picture and sound; None where the recording cannot be had.
    problem : str or None
        Why it cannot be had.
    place : str
        Its recording, and from where on if it is a window of it.
    normal_place : str or None
        The same of the clip that it is shown beside.
    sentence : str or None
        What is heard in it.
    rarity : str or None
        What its p-value means.
    blocks : list of (str, float)
        What each block of the memory says, in spreads.
    """

    number: int
    record: Record
    place: str
    part: MachinePart
    excess: float
    is_flagged: bool
    evidence: Evidence | None
    problem: str | None
    normal_place: str | None
    sentence: str | None
    rarity: str | None
    blocks: list[tuple[str, float]]


class Contents(NamedTuple):
    """All that a page says.

    Attributes
    ----------
    title : str
        What it is about.
    headline : str
        The answer in one sentence.
    why : str or None
        Why it is so, where one machine alone needs attention.
    level : str
        The most urgent state of any machine.
    trust : str
        Whether to believe it, in a sentence.
    notes : list of str
        What could not be known.
    machines : list of MachinePart
        The most urgent first.
    clips : list of ClipPart
        The worst first.
    rows : Rows
        The table.
    n_files, n_windows : int
        Recordings of the table, and the windows that some of them were cut into.
    n_clips, n_decided, n_flagged : int
        Windows and recordings that were not cut, and those of them that were decided and flagged: all, or
        since a moment.
    unscored : Unscored
        Files without a score.
    since : str or None
        From when on recordings count; None where all do.
    scored : str or None
        When the run began.
    counts : dict of str to int
        Clips by what became of them.
    facts : dict of str to str
        The record of the run.
    recorded : str or None
        From when to when clips were recorded.
    introduction : Introduction or None
        What stands at the top, where the page is about more than the table.
    """

    title: str
    headline: str
    why: str | None
    level: str
    trust: str
    notes: list[str]
    machines: list[MachinePart]
    clips: list[ClipPart]
    rows: Rows
    n_files: int
    n_windows: int
    n_clips: int
    n_decided: int
    n_flagged: int
    unscored: Unscored
    since: str | None
    scored: str | None
    counts: dict[str, int]
    facts: dict[str, str]
    recorded: str | None
    introduction: Introduction | None = None
