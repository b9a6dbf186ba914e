"""The truth as the challenge published it: which clips of which machines are anomalous.

``eval_data_list.csv`` of 2020 has a line ``<file name>,<name with its label>,<0 normal or 1 anomalous>`` a
clip, and between the blocks of two types a line with the name of the type alone. From 2021 on there is a file
a section, ``ground_truth_<type>_section_<NN>_test.csv``, of two columns and without a header; from 2022 on a
second folder has files of the same names that say the domain. Source: rules and evaluators of DCASE Challenge
Task 2.
"""

import os
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from osscl.errors import EvaluationError
from osscl.evaluation.challenge_files import read_name
from osscl.evaluation.challenge_lines import Clip, read_list
from osscl.evaluation.domain_lists import read_domains, refuse_swapped
from osscl.evaluation.labelled import Labelled, domain_of_path, few, labelled_score, refuse_repeated
from osscl.evaluation.truth_files import spelled_clip, truth_files
from osscl.machines.domains import Domain
from osscl.scoring.record import Record
from osscl.support.paths import printable
from osscl.support.spelling import composed, file_names


class GroundTruth:
    """Which clips are anomalous, as the challenge published it after its end.

    Parameters
    ----------
    source : str
        Where the list was read, for messages.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._is_anomaly: dict[Clip, bool] = {}
        self._domain: dict[Clip, Domain] = {}

    @classmethod
    def read(
        cls, path: str | os.PathLike[str], domains: str | os.PathLike[str] | None = None
    ) -> "GroundTruth":
        """Read the list of the challenge, or one list a type or section.

        Parameters
        ----------
        path : path-like
            A file with the machine type on a line of its own above each block; a file
            ``ground_truth_<type>.csv`` or ``eval_data_list_<type>.csv`` without such lines; from 2021 on a
            file ``ground_truth_<type>_section_<NN>_test.csv``; or a folder of such files.
        domains : path-like, optional
            The lists of domains, from 2022 on: files of the same names, for exactly the same clips.

        Returns
        -------
        GroundTruth
            All clips.

        Raises
        ------
        EvaluationError
            It cannot be read, or does not say type, machine ID and label of each clip once; or the domains
            are of other clips.
        """
        path = Path(path)
        if domains is not None:
            refuse_swapped(path, Path(domains))
        truth = cls(printable(path))
        repeated: dict[str, None] = {}
        for file in truth_files(path):
            named = read_name("ground_truth", file.name)
            for clip, is_anomaly in read_list(file):
                if clip in truth._is_anomaly:
                    repeated[spelled_clip(clip)] = None
                truth._is_anomaly[clip] = is_anomaly
                if named is not None and named.domain is not None:
                    truth._domain[clip] = named.domain
        refuse_repeated(repeated, truth._source)
        if not truth._is_anomaly:
            raise EvaluationError(f"{truth._source} lists no clip")
        if domains is not None:
            truth._domain = read_domains(Path(domains), truth._is_anomaly, truth._source)
        return truth

    def label(self, records: Iterable[Record]) -> Labelled:
        """Put beside each score what the list says.

        Parameters
        ----------
        records : iterable of Record
            Lines of a result table: exactly the clips of the list. Folders do not count, machines do; names
            count as they are spelled, or else with their accents composed (Unicode's NFC), or else with
            backslashes read as what separates names.

        Returns
        -------
        Labelled
            Scores with labels, and lines without a score.

        Raises
        ------
        EvaluationError
            Clips that the list does not hold, clips of the list that are not there, or twice; a name that
            may stand for several clips of the list; or one that says another domain.
        """
        labelled = Labelled()
        strangers: list[str] = []
        repeated: dict[str, None] = {}
        seen: set[Clip] = set()
        for record in records:
            clip = self._clip_of(record)
            if clip in seen:
                repeated[spelled_clip(clip)] = None
            seen.add(clip)
            if clip not in self._is_anomaly:
                strangers.append(spelled_clip(clip))
            elif record.score is None:
                labelled.unscored.append(record)
            else:
                domain = self._domain_of(clip, record)
                labelled.scores.append(labelled_score(record, clip[1], self._is_anomaly[clip], domain))
        refuse_repeated(repeated, "the scores")
        self._refuse_mismatch(
            [spelled_clip(clip) for clip in self._is_anomaly if clip not in seen], strangers
        )
        return labelled

    def holds(self, record: Record) -> bool:
        """Whether the list holds the clip of a line.

        Parameters
        ----------
        record : Record
            A line of a result table, which names its machine.

        Returns
        -------
        bool
            It may be in another list: that of another set of clips in the same folder.

        Raises
        ------
        EvaluationError
            The name may stand for several clips of the list.
        """
        return self._clip_of(record) in self._is_anomaly

    def truth_of(self, record: Record) -> bool | None:
        """Whether the clip of one line is anomalous; it matters not what else the list holds.

        Parameters
        ----------
        record : Record
            A line of a result table, which names its machine.

        Returns
        -------
        bool or None
            None where the list does not hold the clip.

        Raises
        ------
        EvaluationError
            The name may stand for several clips of the list.
        """
        return self._is_anomaly.get(self._clip_of(record))

    def _domain_of(self, clip: Clip, record: Record) -> Domain | None:
        """What lists and names say of a clip's domain, which must agree."""
        listed, named = self._domain.get(clip), domain_of_path(record.path)
        if None not in (listed, named) and listed != named:
            raise EvaluationError(
                f"{spelled_clip(clip)} is named as of the {named} domain, and listed as of the {listed}: the "
                "lists are of other clips"
            )
        return listed or named

    def _clip_of(self, record: Record) -> Clip:
        """The clip of the list that a line speaks of; where there is none, what the line itself says."""
        machine, names = record.machine or "", file_names(record.path)
        as_spelled = (machine, names[0])
        if as_spelled in self._is_anomaly:
            return as_spelled
        for name in names:
            meant = self._by_composed_name.get((machine, composed(name)), [])
            if len(meant) > 1:
                raise EvaluationError(
                    f"{spelled_clip(as_spelled)} may be {few(list(map(spelled_clip, meant)), 'clip')} of "
                    f"{self._source}, which differ in how accents are spelled; spell it as one of them"
                )
            if meant:
                return meant[0]
        return as_spelled

    @cached_property
    def _by_composed_name(self) -> dict[Clip, list[Clip]]:
        found: dict[Clip, list[Clip]] = defaultdict(list)
        for machine, name in self._is_anomaly:
            found[machine, composed(name)].append((machine, name))
        return dict(found)

    def _refuse_mismatch(self, missing: list[str], strangers: list[str]) -> None:
        problems = []
        if missing:
            problems.append(f"{few(missing, 'clip')} of the list without a score")
        if strangers:
            problems.append(f"{few(strangers, 'score')} of clips that the list does not hold")
        if problems:
            raise EvaluationError(f"the scores do not match {self._source}: {'; '.join(problems)}")
