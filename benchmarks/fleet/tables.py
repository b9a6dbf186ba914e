"""The tables of docs/scale.md, as Markdown."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from . import plan
from .assumptions import Assumptions, texts
from .cell import Cell

if TYPE_CHECKING:  # what plans a fleet needs no SimPy
    from .simulation import Outcome


def number(value: float) -> str:
    """Three digits, or all where there are more before the point."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """Lines of a table in Markdown."""
    names = list(head)
    yield f"| {' | '.join(names)} |"
    yield "|---" * len(names) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def costs(measured: dict[str, dict[str, Any]]) -> Iterator[str]:
    """What a clip takes, by rule."""
    head = (
        "rule",
        "CPU ms a clip",
        "from to",
        "clips/s a core",
        "start, CPU s",
        "peak MiB",
        "table + journal, bytes",
    )
    return table(
        head,
        (
            (
                rule,
                number(cost["cpu_ms"]),
                " to ".join(map(number, cost["cpu_ms_from_to"])),
                number(1000 / cost["cpu_ms"]),
                number(cost["start_s"]),
                number(cost["peak_mib"]),
                f"{cost['table_bytes']:.0f} + {cost['journal_bytes']:.0f}",
            )
            for rule, cost in measured.items()
        ),
    )


def machines(measured: dict[str, dict[str, Any]]) -> Iterator[str]:
    """What a machine's own memory takes, by rule."""
    head = (
        "rule",
        "model file, KiB a machine",
        "process, KiB a machine",
        "first clip, CPU ms more",
        "machines a file",
    )
    costs_of = {rule: cost["machines"] for rule, cost in measured.items() if "machines" in cost}
    return table(
        head,
        (
            (
                rule,
                *(number(each[name]) for name in ("file_kib", "process_kib", "fit_ms")),
                number(plan.machines_of_a_file(each)),
            )
            for rule, each in costs_of.items()
        ),
    )


def fleet(measured: dict[str, dict[str, Any]], assumed: Assumptions) -> Iterator[str]:
    """What a fleet needs, by rule."""
    head = (
        "rule",
        "cores busy",
        "cores",
        "hosts",
        "memory GiB",
        "records GB a day",
        "cores, a day",
        "records, a day",
    )
    return table(
        head,
        ((rule, *map(number, plan.needs(cost, assumed).values())) for rule, cost in measured.items()),
    )


def recordings(assumed: Assumptions) -> Iterator[str]:
    """What the recordings take, whatever scores them."""
    found = plan.recordings(assumed)
    head = ("clips/s", "Gbit/s", "TB a day", "TB kept", "kept, a day", "objects, a day", "incoming, a day")
    return table(head, [map(number, (assumed.clips_a_second, *found.values()))])


def limits(measured: dict[str, dict[str, Any]], assumed: Assumptions) -> Iterator[str]:
    """How many machines a host lasts for, and what ends first."""
    found = {rule: plan.machines_of_a_host(cost, assumed) for rule, cost in measured.items()}
    parts = list(next(iter(found.values())))
    return table(
        ("rule", *parts, "fails first"),
        (
            (rule, *(number(each[part]) for part in parts), min(each, key=each.__getitem__))
            for rule, each in found.items()
        ),
    )


def assumptions(assumed: Assumptions) -> Iterator[str]:
    """All assumptions, with the options that change them."""
    return table(
        ("option", "value", "what"),
        (
            (f"`--{name.replace('_', '-')}`", f"{getattr(assumed, name):,g}", text)
            for name, text in texts().items()
        ),
    )


SIMULATED = (
    "what happens",
    "workers",
    "utilisation",
    "queue: mean / longest",
    "delay p50 / p95 / p99 / longest, s",
    "refused",
    "second records, dropped",
    "clips",
    "lost",
)


def simulated_row(name: str, cell: Cell, outcome: "Outcome") -> tuple[str, ...]:
    """A row of the table of simulations."""
    delays = [f"{outcome.delay(share):,.1f}" for share in (0.5, 0.95, 0.99, 1.0)]
    return (
        name,
        str(cell.n_workers),
        f"{100 * outcome.utilisation:.0f} %",
        f"{outcome.queue_lengths.mean():,.1f} / {outcome.longest_queue:,}",
        " / ".join(delays),
        f"{outcome.n_refused:,}",
        f"{outcome.n_twice:,}",
        f"{outcome.n_made:,}",
        f"{outcome.n_lost + outcome.n_left:,}",
    )
