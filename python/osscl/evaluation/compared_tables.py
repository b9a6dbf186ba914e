"""What a comparison says on a screen: tables of text, and sentences below them."""

from collections.abc import Callable, Iterator

from osscl.evaluation.comparison import Compared, Comparison
from osscl.evaluation.grid import Grid
from osscl.support.listing import and_more, first_of, listed
from osscl.support.paths import printable
from osscl.support.plurals import are, counted

MAX_FLIPS = 40
_MAX_NAMED = 10


def grids_of(comparison: Comparison) -> Iterator[Grid]:
    """Lay out the tables.

    Parameters
    ----------
    comparison : Comparison
        What to show.

    Yields
    ------
    Grid
        Scores; AUC where labels are known; decisions where both decide.
    """
    rows = [*comparison.machines, comparison.total]
    yield _grid("Scores", ["machine ID", "clips", "rule", "scorer", "rank correlation"], rows, _ranked)
    if any(row.auc_change for row in rows):
        header = ["machine ID", "normal", "anomalous", "AUC of A", "AUC of B", "change", "interval"]
        yield _grid("Anomalies told from normal clips, AUC in %", header, rows, _areas)
    if comparison.total.n_decided:
        header = ["machine ID", "decided", "at", "A flags", "B flags", "newly", "no longer"]
        if comparison.total.n_normal:
            header.append("false alarms")
        if comparison.total.n_anomalous:
            header.append("found")
        yield _grid("Decisions", header, rows, lambda row: _decided(row, comparison.total))


def flips_of(comparison: Comparison) -> Iterator[str]:
    """Spell the decisions that flip.

    Parameters
    ----------
    comparison : Comparison
        What is shown.

    Yields
    ------
    str
        One line a clip, of any length; what is left out is said in the last.
    """
    flips, n_left = first_of(comparison.flips, MAX_FLIPS)
    for flip in flips:
        change = "newly flagged" if flip.flagged_by == "b" else "no longer flagged"
        truth = {None: "", True: ", anomalous", False: ", normal"}[flip.is_anomaly]
        a = f"A {flip.score_a:.4g} (flags from {flip.threshold_a:.4g})"
        b = f"B {flip.score_b:.4g} (from {flip.threshold_b:.4g})"
        yield f"{change}: {printable(flip.path)} ({flip.machine}{truth}): {a}, {b}"
    if n_left:
        yield f"{and_more(n_left, 'decision').lstrip()} that flip; --json lists them all"


def notes_of(comparison: Comparison) -> Iterator[str]:
    """Say what the figures mean, and what is missing.

    Parameters
    ----------
    comparison : Comparison
        What is shown.

    Yields
    ------
    str
        One sentence.
    """
    total = comparison.total
    yield "rank correlation: Spearman's; 1 where both put the clips in the same order. Last line: mean."
    if total.auc_change is not None and comparison.n_resamples:
        yield (
            f"change: B less A; interval: {100 * comparison.confidence:g} % bootstrap of the difference, "
            f"{comparison.n_resamples} resamples of the normal and of the anomalous clips of each ID, seed "
            f"{comparison.seed}; one that holds 0 may be chance. Last line: means over the IDs."
        )
    if not total.n_decided:
        yield "decisions: no clip is decided by both models, so none can flip."
    elif total.n_decided < total.n_clips:
        n_undecided = total.n_clips - total.n_decided
        yield f"decisions: {are(n_undecided, 'clip')} not decided by both, and cannot flip."
    same = [machine.machine for machine in comparison.machines if machine.same_scorer]
    if same:
        yield (
            f"same network, memory and rule in both, so that decisions alone can differ: "
            f"{listed(same, _MAX_NAMED)}."
        )
    if comparison.n_unlabelled:
        yield (
            f"in no AUC, since it is not known whether they are anomalous: {comparison.n_unlabelled} of "
            f"{counted(total.n_clips, 'clip')} (names begin with normal_ or anomaly_, or --ground-truth "
            "tells)."
        )
    if comparison.apart:
        apart = counted(len(comparison.apart), "clip")
        yield f"in no figure, not scored by both as the same machine: {apart}."


def _grid(
    title: str, header: list[str], rows: list[Compared], cells: Callable[[Compared], list[str]]
) -> Grid:
    *machines, total = ([row.machine, *cells(row)] for row in rows)
    return Grid(title, header, [machines, [total]] if len(machines) > 1 else [machines])


def _ranked(row: Compared) -> list[str]:
    rules = "" if row.a.rule is None else _both(row.a.rule, row.b.rule or "")
    ranked = "undefined" if row.rank_correlation is None else f"{row.rank_correlation:.4f}"
    return [str(row.n_clips), rules, "same" if row.same_scorer else "changed", ranked]


def _areas(row: Compared) -> list[str]:
    change = row.auc_change
    cells = [str(row.n_normal), str(row.n_anomalous)]
    if change is None or row.a.auc is None or row.b.auc is None:
        return [*cells, "undefined", "undefined", "", ""]
    return [
        *cells,
        *(f"{100 * auc:.2f}" for auc in (row.a.auc, row.b.auc)),
        f"{100 * change.value:+.2f}",
        ""
        if change.low is None or change.high is None
        else f"{100 * change.low:+.1f} to {100 * change.high:+.1f}",
    ]


def _decided(row: Compared, total: Compared) -> list[str]:
    cells = [
        str(row.n_decided),
        "" if row.a.rule is None else _both(_percent(row.a.rate), _percent(row.b.rate)),
        *(str(n) for n in (row.a.n_flagged, row.b.n_flagged, row.n_newly_flagged, row.n_no_longer_flagged)),
    ]
    if total.n_normal:
        cells.append(_both(str(row.a.n_false_alarms), str(row.b.n_false_alarms)))
    if total.n_anomalous:
        cells.append(_both(str(row.a.n_detected), str(row.b.n_detected)))
    return cells


def _both(a: str, b: str) -> str:
    return a if a == b else f"{a} → {b}"


def _percent(rate: float | None) -> str:
    return "none" if rate is None else f"{100 * rate:.3g} %"
