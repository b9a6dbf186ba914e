"""What is let happen to a cell of 10,000 machines in an hour."""

import math
from dataclasses import replace
from typing import Any

from .cell import Cell, Outage

FAILING = {"worker_lives_s": 1800.0, "stall_every_s": 900.0, "answers_lost": 0.01}


def workers_for(rule_cost: dict[str, Any], utilisation: float, arrivals_a_second: float) -> int:
    """Workers that are busy for about this share of their time."""
    return math.ceil(arrivals_a_second * rule_cost["cpu_ms"] / 1000 / utilisation)


def cell_for(rule_cost: dict[str, Any], utilisation: float = 0.6, **changed: Any) -> Cell:
    """Plan a cell by what was measured."""
    spread = tuple(rule_cost["spread"])
    mean = sum(spread) / len(spread)
    cell = Cell(
        n_workers=1,
        service_s=rule_cost["cpu_ms"] / 1000,
        spread=tuple(each / mean for each in spread),
        **changed,
    )
    return replace(cell, n_workers=workers_for(rule_cost, utilisation, cell.arrivals_a_second))


def scenarios(rule_cost: dict[str, Any], **changed: Any) -> dict[str, Cell]:
    """Cells by the name of what happens to them."""
    cell = cell_for(rule_cost, **changed)
    from_s, hour_s = cell.lasts_s / 6, cell.lasts_s
    failing = replace(cell, **FAILING)
    one_for_all = replace(failing, n_workers=max(1, cell.n_workers - 1))
    overloaded = replace(cell, n_workers=math.floor(cell.offered * cell.n_workers / 1.2) or 1)
    return {
        "nothing fails": cell,
        "a worker dies each half hour of its life, the store stalls, answers are lost": failing,
        "the same with a worker fewer": one_for_all,
        "half of the workers gone for 10 minutes": replace(
            failing, workers_gone=(Outage(from_s, hour_s / 6, 0.5),)
        ),
        "the store gone for 10 minutes": replace(failing, store_gone=(Outage(from_s, hour_s / 6),)),
        "everything gone for 40 minutes": replace(failing, workers_gone=(Outage(from_s, hour_s * 2 / 3, 1.0),)),
        "the same, and machines keep 60 clips": replace(
            failing, workers_gone=(Outage(from_s, hour_s * 2 / 3, 1.0),), machine_keeps=60
        ),
        "too few workers: 1.2 times what they can do": overloaded,
    }
