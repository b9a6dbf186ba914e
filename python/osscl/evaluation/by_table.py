"""The truth as a table of labels tells it: whether each clip is anomalous, and of which domain it is."""

from collections.abc import Iterable

from osscl.errors import EvaluationError, MachineError
from osscl.evaluation.labelled import Labelled, labelled_score, refuse_repeated
from osscl.machines.label_table import LabelTable
from osscl.scoring.record import Record
from osscl.support.spelling import file_names


class TableTruth:
    """Puts beside scores what a table of labels tells.

    Parameters
    ----------
    table : LabelTable
        One that tells labels.
    """

    def __init__(self, table: LabelTable) -> None:
        self._table = table

    def label(self, records: Iterable[Record]) -> Labelled:
        """Put beside each score what the table says.

        Parameters
        ----------
        records : iterable of Record
            Lines of a result table.

        Returns
        -------
        Labelled
            Every line in one of its lists.

        Raises
        ------
        EvaluationError
            A clip occurs twice, a score stands without a machine, or the table names another machine than the
            line.
        """
        labelled = Labelled()
        seen: dict[tuple[str | None, str], int] = {}
        for record in records:
            key = (record.machine, record.path)
            seen[key] = seen.get(key, 0) + 1
            if record.score is None:
                labelled.unscored.append(record)
            else:
                self._put(record, labelled)
        refuse_repeated([path for (_, path), count in seen.items() if count > 1], "the scores")
        return labelled

    def _put(self, record: Record, labelled: Labelled) -> None:
        try:
            told = self._table.told_of(record.path)
        except MachineError:  # no row for it
            labelled.unlabelled.append(record.path)
            return
        if told.machine != record.machine:
            raise EvaluationError(
                f"{record.path} was scored as {record.machine}, and the table of labels says "
                f"{told.machine}; score it with this table"
            )
        if told.is_anomaly is None:
            labelled.unlabelled.append(record.path)
        else:
            name = file_names(record.path)[0]
            labelled.scores.append(labelled_score(record, name, told.is_anomaly, told.domain))
