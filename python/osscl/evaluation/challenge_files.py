"""Names of the challenge's CSV files: what each says of the clips in it.

========================================================== ============ ==========================
name                                                       challenge    columns, without a header
========================================================== ============ ==========================
``anomaly_score_<type>_id_<ID>.csv``                       2020         file name, score
``anomaly_score_<type>_section_<NN>_<domain>_test.csv``    2021         file name, score
``anomaly_score_<type>_section_<NN>_test.csv``             2022 to 2025 file name, score
``decision_result_<type>_section_<NN>[_<domain>]_test.csv`` from 2021   file name, 0 or 1
``ground_truth_<type>_section_<NN>[_<domain>]_test.csv``   from 2021    file name, 0 or 1
========================================================== ============ ==========================

Sources: rules of DCASE Challenge Task 2, and its evaluators, which look for these very names.
"""

import re
from typing import Literal, NamedTuple, TypeAlias

from osscl.machines.domains import Domain

Kind: TypeAlias = Literal["anomaly_score", "decision_result", "ground_truth"]

_NAME = re.compile(
    r"(?P<kind>anomaly_score|decision_result|ground_truth)_(?P<type>.+)_(?P<id>(?:id|section)_[0-9]+)"
    r"(?:(?:_(?P<domain>source|target))?_test)?\.csv"
)
_MACHINE = re.compile(r"(?P<type>[^/]+)/(?P<id>(?:id|section)_[0-9]+)")


class ChallengeFile(NamedTuple):
    """What the name of a file says.

    Attributes
    ----------
    machine : str
        Machine ID, such as "fan/section_00".
    domain : {"source", "target"} or None
        Domain of all clips in it; None where the name says none.
    """

    machine: str
    domain: Domain | None = None


def read_name(kind: Kind, name: str) -> ChallengeFile | None:
    """Read the name of a file.

    Parameters
    ----------
    kind : str
        What the file shall hold.
    name : str
        Its name, without folder.

    Returns
    -------
    ChallengeFile or None
        None where the name is none of this kind, or does not say the machine.
    """
    found = _NAME.fullmatch(name)
    if found is None or found["kind"] != kind:
        return None
    return ChallengeFile(f"{found['type']}/{found['id']}", found["domain"])  # type: ignore[arg-type]


def spell_name(kind: Kind, file: ChallengeFile) -> str | None:
    """Spell the name of a file.

    Parameters
    ----------
    kind : str
        What it holds.
    file : ChallengeFile
        Of which clips.

    Returns
    -------
    str or None
        None where the machine has no name like ``fan/id_01``, so that the file's would not say it.
    """
    named = _MACHINE.fullmatch(file.machine)
    if named is None:
        return None
    domain = "" if file.domain is None else f"_{file.domain}"
    test = "_test" if named["id"].startswith("section_") else ""
    name = f"{kind}_{named['type']}_{named['id']}{domain}{test}.csv"
    return name if read_name(kind, name) == file else None
