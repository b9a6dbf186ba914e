"""Ends a run with a journal that loads it as a request to stop does, at its first row."""

import os
import signal

from osscl.journal import journal
from osscl.scoring.record import Record

_keep = journal.Journal.add


def _keep_and_be_asked(self: journal.Journal, record: Record) -> None:
    _keep(self, record)
    os.kill(os.getpid(), signal.SIGTERM)


journal.Journal.add = _keep_and_be_asked  # type: ignore[method-assign]
