"""The challenge's second folder, from 2022 on: which domain each clip of the list of labels comes from.

Its files are called as those with the labels are, ``ground_truth_<type>_section_<NN>_test.csv``, and hold a
line ``<file name>,<0 source or 1 target>`` a clip. Source: evaluators of DCASE Challenge Task 2 since 2022.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from osscl.errors import EvaluationError
from osscl.evaluation.challenge_files import read_name
from osscl.evaluation.challenge_lines import DOMAIN, Clip, read_bits
from osscl.evaluation.labelled import few, refuse_repeated
from osscl.evaluation.truth_files import spelled_clip, truth_files
from osscl.machines.domains import DOMAINS, Domain
from osscl.support.paths import printable

_LABELS_FOLDER, _DOMAINS_FOLDER = "ground_truth_data", "ground_truth_domain"


def read_domains(path: Path, listed: Mapping[Clip, bool], labels: str) -> dict[Clip, Domain]:
    """Read the lists of domains.

    Parameters
    ----------
    path : Path
        Folder of lists, or one of them.
    listed : mapping
        The clips whose labels are known: exactly those must have a domain.
    labels : str
        Where the labels were read, for messages.

    Returns
    -------
    dict
        The domain of each clip.

    Raises
    ------
    EvaluationError
        A list cannot be read, or holds other clips.
    """
    found: dict[Clip, Domain] = {}
    repeated: dict[str, None] = {}
    for file in truth_files(path):
        named = read_name("ground_truth", file.name)
        if named is None:
            raise EvaluationError(
                f"{printable(file)} is no list of domains; expected names like "
                "ground_truth_fan_section_00_test.csv"
            )
        for name, is_target in read_bits(file, named, DOMAIN):
            clip = (named.machine, name)
            if clip in found:
                repeated[spelled_clip(clip)] = None
            found[clip] = DOMAINS[is_target]
    refuse_repeated(repeated, printable(path))
    _refuse_mismatch(found, listed, printable(path), labels)
    return found


def refuse_swapped(labels: Path, domains: Path) -> None:
    """Refuse what can only be a mistake: files of both folders have the same names and look alike.

    Parameters
    ----------
    labels, domains : Path
        Where labels and domains shall be read.

    Raises
    ------
    EvaluationError
        Both are the same place, or their names say the opposite.
    """
    if os.path.realpath(labels) == os.path.realpath(domains):
        raise EvaluationError(
            f"--ground-truth and --domains are both {printable(labels)}; the evaluators have labels in a "
            f"folder {_LABELS_FOLDER}, and domains in files of the same names in {_DOMAINS_FOLDER}"
        )
    if _DOMAINS_FOLDER in labels.parts[-2:] or _LABELS_FOLDER in domains.parts[-2:]:
        raise EvaluationError(
            f"--ground-truth is {printable(labels)} and --domains {printable(domains)}: by their names, the "
            "wrong way round; exchange them, or call the folders otherwise"
        )


def _refuse_mismatch(
    found: Mapping[Clip, Domain], listed: Mapping[Clip, bool], domains: str, labels: str
) -> None:
    problems = []
    of_machines = {machine for machine, _ in found}
    machines = {machine for machine, _ in listed}
    for lacking, place in ((machines - of_machines, domains), (of_machines - machines, labels)):
        if lacking:
            problems.append(f"{few(sorted(lacking), 'machine')} not in {place}")
    both = machines & of_machines
    for ours, others, place in ((listed, found, domains), (found, listed, labels)):
        lacking_clips = [spelled_clip(clip) for clip in ours if clip[0] in both and clip not in others]
        if lacking_clips:
            problems.append(f"{few(lacking_clips, 'clip')} not in {place}")
    if problems:
        raise EvaluationError(f"labels and domains are not of the same clips: {'; '.join(problems)}")
