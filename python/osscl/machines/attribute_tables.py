"""Tables of attributes beside the folders of DCASE 2022 to 2025: ``attributes_00.csv`` for section 00.

The first column, ``file_name``, ends in the name of a clip; pairs of columns ``d1p,d1v,d2p,d2v,...`` give a
parameter and its value. Joined by ``_`` they are what stands at the end of the clip's name.
"""

import csv
import os
from functools import lru_cache
from pathlib import Path

from osscl.errors import MachineError
from osscl.machines.told import Told
from osscl.support.csv_rows import CsvReader, open_csv
from osscl.support.paths import printable

_NONE = "noAttribute"
_MAX_TABLES = 1024


class AttributeTables:
    """Attributes of clips by the tables beside their folders.

    Attributes
    ----------
    without_row : int
        Clips that a table has no row for: their names alone tell.
    """

    def __init__(self) -> None:
        self.without_row = 0
        self._rows = lru_cache(_MAX_TABLES)(_rows_of)

    def joined(self, path: str, told: Told) -> Told:
        """Put what a table says to what the name says.

        Parameters
        ----------
        path : str
            The clip.
        told : Told
            By place and name.

        Returns
        -------
        Told
            With the table's attributes where the name has none.

        Raises
        ------
        MachineError
            Table and name contradict each other, or the table cannot be read.
        """
        folder, name = os.path.split(path)
        number = (told.machine or "").rpartition("_")[2]
        table = Path(folder).parent / f"attributes_{number}.csv"
        rows = self._rows(table)
        if rows is None:
            return told
        if name not in rows:
            self.without_row += 1
            return told
        attributes = rows[name]
        if told.attributes and attributes and told.attributes != attributes:
            raise MachineError(
                f"its name says {told.attributes}, and {printable(table)} says {attributes}; correct one of "
                "both"
            )
        return told._replace(attributes=told.attributes or attributes)


def _rows_of(table: Path) -> dict[str, str] | None:
    """Attributes of each clip by its name; None where there is no table."""
    try:
        with open_csv(table) as file:
            rows = CsvReader(file)
            header = next(rows, [])
            if header[:1] != ["file_name"]:
                raise MachineError(
                    f"{printable(table)} does not begin with the column file_name; correct its header, or "
                    "move it"
                )
            return {
                row[0].rpartition("/")[2]: "_".join(cell for cell in row[1:] if cell not in ("", _NONE))
                for row in rows
                if row
            }
    except FileNotFoundError:
        return None
    except (OSError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MachineError(f"{printable(table)} cannot be read: {reason}; correct it, or move it") from error
