"""Scores decided anew: a table of them in, one with other decisions out, and nothing is scored again."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, get_args

import msgspec
import numpy as np
from msgspec.structs import replace

from osscl.config import CLIP, FRONTEND, Padding
from osscl.errors import ConfigError, DecisionError, MachineError, ModelFileError
from osscl.model_file.bundle import Bundle
from osscl.runs.run import installed_versions, write_run_record
from osscl.runs.tables import OutputTable, record_of
from osscl.runs.tally import Tally
from osscl.scoring.judge import Judge
from osscl.scoring.judge_making import AUTO, DomainChoice
from osscl.scoring.judges import RULES, Judges, notes_of
from osscl.scoring.record import FILE_SCOPES, Record
from osscl.support.listing import and_more, first_of
from osscl.support.paths import path_of, printable
from osscl.support.plurals import counted
from osscl.support.regular_file import regular_only
from osscl.support.utc import utc_now

_LINES = 4096
_MAX_REASONS = 3
_CLIP_S = CLIP.n_samples / FRONTEND.sample_rate_hz - 1e-6
_NO_RULE = "the table does not say by which rule it was scored: score the recordings again"
ANOTHER_SCORER = (
    "it was scored by another network or memory than the model file holds now: score the recordings again"
)
"""Why nothing of a machine is compared with what the model file holds."""


class NothingDecidedError(DecisionError):
    """Nothing of a whole table could be decided."""


class Decider:
    """Decides scores by what a model file holds for the rule that gave them.

    Parameters
    ----------
    bundle : Bundle
        The model file.
    false_alarm_rate : float, optional
        As for `osscl.load`.
    scored : mapping, optional
        The record of the run that gave the scores, see `run_beside`. Without it they are taken to be of this
        model file.

    Raises
    ------
    DecisionError
        The rate lies outside (0, 1).
    """

    def __init__(
        self,
        bundle: Bundle,
        false_alarm_rate: float | None = None,
        scored: Mapping[str, Any] | None = None,
    ) -> None:
        self._bundle, self._rate = bundle, false_alarm_rate
        self._scored_by = scored_by(scored) or {}
        self._padding = scoring_options(scored).get("pad")
        self._domain: DomainChoice = scoring_options(scored).get("domain", AUTO)
        self._any_rule = Judges(bundle.manifest, None, false_alarm_rate)
        self._judges: dict[str, Judges | str] = {}
        self._found: dict[tuple[str, str], Judges | str] = {}
        self._refused: dict[str, str] = {}  # machine -> why nothing is decided of some of its lines

    def decide(self, records: Iterable[Record]) -> Iterator[tuple[Record, float | None]]:
        """Decide lines of a table anew.

        Parameters
        ----------
        records : iterable of Record
            The lines; what was decided of them does not count.

        Yields
        ------
        record : Record
            Each line with its new decision, or none.
        rate : float or None
            The false-alarm rate that it was decided at.
        """
        remaining = iter(records)
        while lines := list(islice(remaining, _LINES)):
            yield from self._of_some(lines)

    def notes(self) -> Iterator[str]:
        """Say of the machines met so far why nothing is decided, once for each reason."""
        reasons = [
            (machine or "clips without a machine", judges)
            for (machine, _), judges in self._found.items()
            if isinstance(judges, str)
        ]
        for judges in self._judges.values():
            reasons += [] if isinstance(judges, str) else judges.undecided()
        yield from notes_of("no decision", [*reasons, *self._refused.items()])

    def _of_some(self, lines: list[Record]) -> Iterator[tuple[Record, float | None]]:
        places_of: dict[Judge, list[int]] = {}
        decided: list[tuple[Record, float | None]] = []
        for place, line in enumerate(lines):
            decided.append((replace(line, p_value=None, threshold=None, is_anomaly=None), None))
            if line.score is not None and line.scope not in FILE_SCOPES:  # of many windows nothing is decided
                judge = self.judge_of(line.machine or "", line.rule or "", line.path)
                if isinstance(judge, Judge):
                    places_of.setdefault(judge, []).append(place)
        for judge, places in places_of.items():
            judged = judge.decide(np.array([lines[place].score for place in places]))
            for at, place in enumerate(places):
                line, _ = decided[place]
                if not self.is_misfit(line.duration_s, judge):
                    decided[place] = judged.on(line, at), judge.rate
        yield from decided

    def is_misfit(self, duration_s: float | None, judge: Judge) -> bool:
        """Whether nothing can be decided of a clip, which its line says since it was scored.

        Parameters
        ----------
        duration_s : float or None
            Length of the recording that the line speaks of; None where it is not known.
        judge : Judge
            What decides of its machine.

        Returns
        -------
        bool
            Whether it was filled up in another way than the recordings that it would be compared with.
        """
        is_whole = duration_s is None or duration_s >= _CLIP_S
        if is_whole or self._padding in get_args(Padding):
            return judge.misfit(None if is_whole else self._padding) is not None
        return judge.compares_clips  # it was filled up, and nothing says how

    def judge_of(self, machine: str, rule: str, path: str | None = None) -> Judge | str:
        """Find what decides such scores.

        Parameters
        ----------
        machine, rule : str
            As a line of the table names them.
        path : str, optional
            As it names the recording, which tells its domain where memories are by domain.

        Returns
        -------
        Judge or str
            Or one sentence on why nothing does.
        """
        if (machine, rule) not in self._found:
            self._found[machine, rule] = self._find(machine, rule)
        judges = self._found[machine, rule]
        if isinstance(judges, str):
            return judges
        try:
            return judges.of(machine, path)
        except MachineError as error:  # the path tells two domains
            return self._refused.setdefault(machine, str(error))

    def _find(self, machine: str, rule: str) -> Judges | str:
        if rule not in RULES:
            return f"its rule is '{rule}'; expected one of: {', '.join(RULES)}" if rule else _NO_RULE
        if machine not in self._any_rule.machines:
            return "the model file does not know it"
        judges = self._judges_of(rule)
        if isinstance(judges, str):
            return judges
        lacking = judges.lacking(machine)
        if lacking is not None:
            return f"it was scored by the rule {rule}, and {lacking}"
        known = self._scored_by.get(machine)
        if known is not None and known != judges.fingerprint(machine):
            return ANOTHER_SCORER
        return judges

    def _judges_of(self, rule: str) -> Judges | str:
        if rule not in self._judges:
            try:
                self._judges[rule] = Judges(
                    self._bundle.manifest,
                    rule,  # type: ignore[arg-type]
                    self._rate,
                    self._domain,
                )
            except (ConfigError, ModelFileError) as error:  # no memory at all, or no network
                self._judges[rule] = str(error)
        return self._judges[rule]


def run_beside(table: Path) -> dict[str, Any] | None:
    """Read how a table came about, where that is known.

    Parameters
    ----------
    table : Path
        A result table.

    Returns
    -------
    dict or None
        The record of the run beside it; None where there is none that can be read.
    """
    try:
        with open(record_of(table), "rb", opener=regular_only) as file:
            return msgspec.json.decode(file.read(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError):
        return None


def scored_by(run: Mapping[str, Any] | None) -> dict[str, str] | None:
    """What the scores of a table depend on.

    Parameters
    ----------
    run : mapping or None
        How the table came about.

    Returns
    -------
    dict of str to str or None
        For each machine, see `Judges.fingerprint`; None where it does not say.
    """
    try:
        return msgspec.convert((run or {}).get("scored_by"), dict[str, str])
    except msgspec.ValidationError:
        return None


def scoring_options(run: Mapping[str, Any] | None) -> dict[str, Any]:
    """With which options the recordings of a table were scored.

    Parameters
    ----------
    run : mapping or None
        How the table came about; of one that was decided anew, its record holds that of the first.

    Returns
    -------
    dict
        Empty where it does not say.
    """
    while run is not None and isinstance(run.get("scored"), Mapping):
        run = run["scored"]
    options = (run or {}).get("options")
    return dict(options) if isinstance(options, Mapping) else {}


def decide_table(
    decider: Decider,
    records: Iterable[Record],
    table: OutputTable,
    run: dict[str, Any],
    tally: Tally,
    *,
    refuses_undecided: bool = False,
) -> None:
    """Decide lines into a table, and write down how.

    Parameters
    ----------
    decider : Decider
        What decides.
    records : iterable of Record
        Lines of another table.
    table : OutputTable
        Where they go; interrupted or failed, what is there of it is taken back.
    run : dict
        What the record of the run shall say.
    tally : Tally
        Counts each line.
    refuses_undecided : bool
        Take a table back in which nothing is decided.

    Raises
    ------
    NothingDecidedError
        Nothing of it could be decided, and such a table is refused.
    OutputError
        Lines or record cannot be written.
    """
    started = utc_now()
    try:
        for record, rate in decider.decide(records):
            table.write(replace(record, path=path_of(record.path)))  # it is spelled again
            tally.add(record, rate)
        if refuses_undecided and tally.n_files and not tally.n_decided:
            raise NothingDecidedError(_none_decided(decider, tally))
        run = {
            "completed": True,
            "started": started,
            "ended": utc_now(),
            **run,
            "versions": installed_versions(),
            **tally.facts(),
        }
        table.finish(run)
    except BaseException:
        table.abandon()
        raise
    if table.output is not None:
        write_run_record(table.output, run)


def _none_decided(decider: Decider, tally: Tally) -> str:
    """Why nothing at all is decided of a table."""
    reasons, n_left = first_of(decider.notes(), _MAX_REASONS)
    why = "; ".join(reasons) or f"{counted(tally.n_files, 'file')}, and none has a score"
    return f"nothing of the table can be decided, and none is written: {why}{and_more(n_left, 'reason')}"


def describe(
    table: Path, bundle: Bundle, scored: dict[str, Any] | None, rate: float | None
) -> dict[str, Any]:
    """Say what a table was decided from.

    Parameters
    ----------
    table : Path
        The scores.
    bundle : Bundle
        The model file.
    scored : dict or None
        How the scores came about.
    rate : float or None
        False-alarm rate asked for.

    Returns
    -------
    dict
        For the record of the run.
    """
    return {
        "decided_from": printable(table.absolute()),
        "model": printable(bundle.path.absolute()),
        "model_sha256": bundle.file_sha256,
        "options": {"false_alarm_rate": rate},
        "scored_by": scored_by(scored) or {},
        "scored": scored,
    }
