"""Where files stand in a journal: numbers with room between them, for files that come in between later."""

import sqlite3

_GAP = 2**32  # from file to file as they come; 2**31 files fit
_STEP = 2**21


class Order:
    """Gives positions to files that are met.

    Parameters
    ----------
    connection : Connection
        A journal.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.last = 0
        self._in_between: set[int] = set()  # given, and not yet in the journal
        self.look()

    def look(self) -> None:
        """Look where the last file stands; none may have been given a position that is not there yet."""
        (last,) = self._connection.execute("SELECT coalesce(max(position), 0) FROM files").fetchone()
        self.last = int(last)
        self._in_between.clear()

    def at_the_end(self) -> int:
        """Give the position behind all others."""
        self.last += _GAP
        return self.last

    def after(self, before: int) -> int:
        """Give a position behind another and before all that follow it."""
        if before >= self.last:
            return self.at_the_end()
        (following,) = self._connection.execute(
            "SELECT coalesce(min(position), ?) FROM files WHERE position > ?", [self.last, before]
        ).fetchone()
        room = min([int(following), *(each for each in self._in_between if each > before)]) - before
        if room < 2:  # a million files came in between these two: the table's order is all that it costs
            return self.at_the_end()
        position = before + max(1, min(room // 2, room // _STEP))
        self._in_between.add(position)
        self._connection.execute("INSERT OR REPLACE INTO about VALUES ('narrow', '1')")
        return position

    def of_place(self, n_before: int) -> int:
        """Tell the position of a file before which so many came, none of them in between later."""
        return (n_before + 1) * _GAP

    def is_kept(self, position: int) -> None:
        """Note that a file is in the journal."""
        self._in_between.discard(position)


def spread(connection: sqlite3.Connection) -> None:
    """Make room again between all files, where some came in between others; the caller commits."""
    narrow = connection.execute("DELETE FROM about WHERE name = 'narrow'")
    if not narrow.rowcount:
        return
    connection.execute(
        "CREATE TEMP TABLE spread AS SELECT position AS old, "  # noqa: S608 - a number of ours
        f"-{_GAP} * row_number() OVER (ORDER BY position) AS new FROM files"
    )
    connection.execute("CREATE UNIQUE INDEX temp.by_old ON spread (old)")
    for table in ("files", "rows"):
        connection.execute(
            f"UPDATE {table} SET position = (SELECT new FROM spread WHERE old = position)"  # noqa: S608
        )
        connection.execute(f"UPDATE {table} SET position = -position")  # noqa: S608
    connection.execute("DROP TABLE spread")
