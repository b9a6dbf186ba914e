"""The truth as the challenge published it: which clips of which machines are anomalous.

``eval_data_list.csv`` has a line ``<file name>,<name with its label>,<0 normal or 1 anomalous>`` a clip, and
between the blocks of two types a line with the name of the type alone. Source: rules and evaluator of DCASE
2020 Challenge Task 2.
"""

import os
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from osscl.errors import EvaluationError
from osscl.evaluation.challenge_lines import Clip, read_list
from osscl.evaluation.labelled import Labelled, few, labelled_score, refuse_repeated
from osscl.runs.passed_over import COMPANION_PREFIX
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

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> "GroundTruth":
        """Read the list of the challenge, or one list a type.

        Parameters
        ----------
        path : path-like
            A file with the machine type on a line of its own above each block; a file
            ``ground_truth_<type>.csv`` or ``eval_data_list_<type>.csv`` without such lines; or a folder
            of such files.

        Returns
        -------
        GroundTruth
            All clips.

        Raises
        ------
        EvaluationError
            It cannot be read, or does not say type, machine ID and label of each clip once.
        """
        path = Path(path)
        files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
        files = [file for file in files if file == path or not file.name.startswith(COMPANION_PREFIX)]
        if not files:
            raise EvaluationError(f"{printable(path)} holds no .csv file; expected ground_truth_<type>.csv")
        truth = cls(printable(path))
        repeated: dict[str, None] = {}
        for file in files:
            for clip, is_anomaly in read_list(file):
                if clip in truth._is_anomaly:
                    repeated[_spelled(clip)] = None
                truth._is_anomaly[clip] = is_anomaly
        refuse_repeated(repeated, truth._source)
        if not truth._is_anomaly:
            raise EvaluationError(f"{truth._source} lists no clip")
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
            Clips that the list does not hold, clips of the list that are not there, or twice; or a name
            that may stand for several clips of the list.
        """
        labelled = Labelled()
        strangers: list[str] = []
        repeated: dict[str, None] = {}
        seen: set[Clip] = set()
        for record in records:
            clip = self._clip_of(record)
            if clip in seen:
                repeated[_spelled(clip)] = None
            seen.add(clip)
            if clip not in self._is_anomaly:
                strangers.append(_spelled(clip))
            elif record.score is None:
                labelled.unscored.append(record)
            else:
                labelled.scores.append(labelled_score(record, clip[1], self._is_anomaly[clip]))
        refuse_repeated(repeated, "the scores")
        self._refuse_mismatch([_spelled(clip) for clip in self._is_anomaly if clip not in seen], strangers)
        return labelled

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
                    f"{_spelled(as_spelled)} may be {few(list(map(_spelled, meant)), 'clip')} of "
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


def _spelled(clip: Clip) -> str:
    machine, name = clip
    return f"{machine or 'machine unknown'}: {name}"
