"""Ends a run with a journal that loads it as ``kill -9`` does, at a row chosen by how many runs came before.

Rows are committed after a few files, so that each run comes further.
"""

import os
import random
import signal

from osscl.journal import journal
from osscl.scoring.record import Record

MOST_ROWS = 40
_keep = journal.Journal.add
_rows_to_live = 0


def _keep_until_the_end(self: journal.Journal, record: Record) -> None:
    global _rows_to_live  # of this process, which runs the program once
    if not _rows_to_live:
        _rows_to_live = random.Random(len(self.sessions())).randint(1, MOST_ROWS)
    _keep(self, record)
    _rows_to_live -= 1
    if not _rows_to_live:
        os.kill(os.getpid(), signal.SIGKILL)


journal.COMMIT_AFTER_FILES = 7
journal.Journal.add = _keep_until_the_end  # type: ignore[method-assign]
