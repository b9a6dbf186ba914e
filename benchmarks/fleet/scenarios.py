"""What is let happen to a cell in an hour."""

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
    begins_s, ten_minutes = cell.lasts_s / 6, cell.lasts_s / 6  # of an hour
    failing = replace(cell, **FAILING)
    # a tenth of the cell: whoever is refused asks again and again, which takes long to simulate
    tenth = {"n_machines": cell.n_machines // 10, "queue_limit": cell.queue_limit // 10, "n_workers": 1}
    all_gone = replace(failing, workers_gone=(Outage(begins_s, 4 * ten_minutes),), **tenth)
    too_many = round(1.2 / cell.service_s * cell.period_s)  # for one worker
    return {
        "nothing fails": cell,
        "parts fail": failing,
        "and half of the workers are gone, 10 min": replace(
            failing, workers_gone=(Outage(begins_s, ten_minutes, 0.5),)
        ),
        "and the store is gone, 10 min": replace(failing, store_gone=(Outage(begins_s, ten_minutes),)),
        "a tenth of it, its worker gone, 40 min": all_gone,
        "the same, machines keep 60 clips": replace(all_gone, machine_keeps=60),
        "one worker, 1.2 times what it can do": replace(cell, n_workers=1, n_machines=too_many),
    }
