"""Published figures beside those of an evaluation, as tables of text."""

from collections.abc import Iterator

from osscl.evaluation.figures import Evaluation
from osscl.evaluation.grid import Grid, percent
from osscl.evaluation.published_figures import Published


def published_grids(evaluation: Evaluation, published: Published) -> Iterator[Grid]:
    """Lay out published figures beside these.

    Parameters
    ----------
    evaluation : Evaluation
        What was found here.
    published : Published
        What stands beside it.

    Yields
    ------
    Grid
        A line a type, and the means over types; nothing where none of the types has a published figure.
    """
    if not any(each.machine_type in published.pooled_auc for each in evaluation.types):
        return  # a table of nothing; a note says it
    yield _published_types_grid(evaluation, published)
    yield _published_averages_grid(evaluation, published)


def _published_types_grid(evaluation: Evaluation, published: Published) -> Grid:
    rows = []
    for of_type in evaluation.types:
        here, there = of_type.figures.pooled_auc, published.pooled_auc.get(of_type.machine_type)
        rows.append(
            [
                of_type.machine_type,
                percent(here),
                "none" if there is None else f"{100 * there:.2f}",
                "" if here is None or there is None else f"{100 * (here.value - there):+.2f}",
            ]
        )
    header = ["machine type", "AUC pooled, here", f"AUC pooled, {published.averages[0].name}", "difference"]
    return Grid("Beside the published figures, each machine type, %", header, [rows])


def _published_averages_grid(evaluation: Evaluation, published: Published) -> Grid:
    total = evaluation.total
    here = [percent(figure) for figure in (total.pooled_auc, total.pooled_pauc, total.worst_auc)]
    others = [
        [other.name, *(f"{100 * value:.2f}" for value in (other.auc, other.pauc, other.worst_auc))]
        for other in published.averages
    ]
    name = _comparable(evaluation, published)
    return Grid(
        f"Beside the published figures, mean of {len(published.pooled_auc)} types, %",
        ["", "AUC pooled", "pAUC pooled", "mAUC (worst ID)"],
        [[[name, *here]], others],
    )


def _comparable(evaluation: Evaluation, published: Published) -> str:
    """Name the row of this evaluation so that a mean over other types is not taken for the same mean."""
    here = {of_type.machine_type for of_type in evaluation.types if of_type.figures.pooled_auc is not None}
    there = set(published.pooled_auc)
    if here == there:
        return "here (another test set)" if published.differences else "here"
    if here < there:
        return f"here ({len(here)} of these types)"
    return f"here ({len(here)} types, not these)"
