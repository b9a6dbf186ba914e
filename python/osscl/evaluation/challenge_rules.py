"""What each year of the challenge counts, in one table, and which year the names of clips tell.

The figures of a section are computed from these clips:

============ ==================================== ==================== ======================================
challenge    AUC                                  pAUC                 mean
============ ==================================== ==================== ======================================
2020         of a machine ID, all its clips       of a machine ID      arithmetic, over the IDs of a type
2021         of a domain, its clips alone         of a domain          harmonic, of all figures
2022 to 2025 of a domain: its normal clips        of the section:      harmonic, of all figures
             against the anomalies of both        both domains
============ ==================================== ==================== ======================================

Sources: the evaluators ``dcase2020_task2_evaluator`` to ``dcase2024_task2_evaluator``; Koizumi et al., arXiv
2006.05822 (2020); Kawaguchi et al., arXiv 2106.04492 (2021); Dohi et al., arXiv 2206.05876 (2022) and
2305.07828 (2023); Nishida et al., arXiv 2406.07250 (2024) and 2506.10097 (2025).
"""

import os
import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from osscl.errors import ConfigError, EvaluationError
from osscl.evaluation.labelled import LabelledScore, domain_of_path, few
from osscl.machines.dcase import TEST_FOLDER
from osscl.support.paths import printable
from osscl.support.spelling import with_slashes

YEARS = range(2020, 2026)


class ChallengeRules(NamedTuple):
    """What some years of the challenge count.

    Attributes
    ----------
    first, last : int
        The years.
    part : str
        What a machine type is divided into: "id" or "section".
    by_domain : bool
        Whether figures are given by domain.
    anomalies_of_both : bool
        Whether the AUC of a domain holds its normal clips against the anomalies of both domains.
    pauc_by_domain : bool
        Whether there is a pAUC a domain, or one a section.
    files_by_domain : bool
        Whether a section's scores are a file a domain.
    """

    first: int
    last: int
    part: str
    by_domain: bool
    anomalies_of_both: bool
    pauc_by_domain: bool
    files_by_domain: bool

    @property
    def name(self) -> str:
        """Whose rules these are, such as "DCASE 2022 to 2025"."""
        return f"DCASE {self.first}" if self.first == self.last else f"DCASE {self.first} to {self.last}"


RULES = (
    ChallengeRules(2020, 2020, "id", False, False, False, False),
    ChallengeRules(2021, 2021, "section", True, False, True, True),
    ChallengeRules(2022, 2025, "section", True, True, False, False),
)
"""All years, each in one of the rows."""

_OF_2020, _OF_2021, _SINCE_2022 = RULES
_FOLDERS_OF_2021 = ("source_test", "target_test")
_PART = re.compile(r"[^/]+/(id|section)_[0-9]+")


class Told(NamedTuple):
    """Whose rules the clips are counted by, and what told it.

    Attributes
    ----------
    rules : ChallengeRules
        What is counted.
    name : str
        Such as "DCASE 2023".
    by : str
        "--challenge" or "names".
    """

    rules: ChallengeRules
    name: str
    by: str


def rules_of_year(year: int) -> ChallengeRules:
    """Find the rules of one year.

    Parameters
    ----------
    year : int
        From 2020 to 2025.

    Returns
    -------
    ChallengeRules
        The row of the table.

    Raises
    ------
    ConfigError
        The table holds no such year.
    """
    for rules in RULES:
        if rules.first <= year <= rules.last:
            return rules
    raise ConfigError(f"the challenge's year is {year}; expected one from {YEARS[0]} to {YEARS[-1]}")


def told_rules(clips: Collection[LabelledScore], paths: Sequence[str], year: int | None) -> Told | None:
    """Find whose rules the clips are counted by.

    Parameters
    ----------
    clips : collection of LabelledScore
        Clips with labels; and with domains, where these are known.
    paths : sequence of str
        Where they lie, as far as it is known.
    year : int or None
        What the user asked for; None to go by names.

    Returns
    -------
    Told or None
        None where no year was asked for and the names tell none: machines that are not named as the challenge
        names them, or sections without domains.

    Raises
    ------
    ConfigError
        There are no rules of that year.
    EvaluationError
        The year does not fit the names, or a clip lacks the domain that its rules need.
    """
    if year is not None:
        rules = rules_of_year(year)
        _refuse_misfit(clips, paths, rules, year)
        return Told(rules, f"DCASE {year}", "--challenge")
    if any(clip.domain for clip in clips):
        rules = _OF_2021 if any(map(_in_folder_of_2021, paths)) else _SINCE_2022
    elif clips and all(_part_of(clip.machine) == _OF_2020.part for clip in clips):
        rules = _OF_2020
    else:
        return None
    return Told(rules, rules.name, "names")


def _refuse_misfit(
    clips: Collection[LabelledScore], paths: Sequence[str], rules: ChallengeRules, year: int
) -> None:
    of_2021 = next((path for path in paths if _in_folder_of_2021(path)), None)
    others = list(dict.fromkeys(clip.machine for clip in clips if _part_of(clip.machine) != rules.part))
    if others:
        raise EvaluationError(
            f"--challenge is {year}, which has machines like fan/{rules.part}_00, and these scores are of "
            f"{few(others, 'machine')} named otherwise: choose their year, or leave it out"
        )
    if of_2021 is not None and rules != _OF_2021:
        raise EvaluationError(
            f"--challenge is {year}, and {printable(of_2021)} lies as 2021 has it, in a folder a domain: use "
            "--challenge 2021, or leave it out"
        )
    of_both = next((path for path in paths if _in_folder_of_both(path)), None)
    if of_both is not None and rules == _OF_2021:
        raise EvaluationError(
            f"--challenge is {year}, and {printable(of_both)} lies as {_SINCE_2022.name} have it, in a "
            f"folder for both domains: use --challenge {_SINCE_2022.first} or a later year, or leave it out"
        )
    without = [f"{clip.machine}: {clip.name}" for clip in clips if clip.domain is None]
    if rules.by_domain and without:
        raise EvaluationError(
            f"--challenge {year} needs the domain of every clip, and nothing tells it of "
            f"{few(without, 'clip')}; name the evaluators' lists with --ground-truth LABELS --domains DOMAINS"
        )
    with_domain = [f"{clip.machine}: {clip.name}" for clip in clips if clip.domain is not None]
    if with_domain and not rules.by_domain:
        raise EvaluationError(
            f"--challenge is {year}, which knows no domains, and names tell those of "
            f"{few(with_domain, 'clip')}: choose 2021 or a later year, or leave it out"
        )


def _part_of(machine: str) -> str | None:
    named = _PART.fullmatch(machine)
    return None if named is None else named[1]


def _in_folder_of_2021(path: str) -> bool:
    return any(folder in _FOLDERS_OF_2021 for folder in _folders(path))


def _in_folder_of_both(path: str) -> bool:
    """Whether a clip whose name says its domain lies where those of both domains do."""
    return TEST_FOLDER in _folders(path) and domain_of_path(path) is not None


def _folders(path: str) -> list[str]:
    """Name of the folder that a clip lies in, by each reading of its path."""
    readings = [reading for reading in (path, with_slashes(path)) if reading is not None]
    return [os.path.basename(os.path.dirname(each)) for each in readings]  # noqa: PTH119, PTH120
