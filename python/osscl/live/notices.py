"""What the system tells of a folder: names of files that somebody wrote, moved or made there."""

import os
import threading
import warnings
from typing import Any

from osscl.support.failed_import import needing

_MOST_HELD = 10_000


class Notices:
    """Names that the system has told, until they are taken.

    Attributes
    ----------
    come : threading.Event
        Set while there is anything to take.
    """

    def __init__(self) -> None:
        self.come = threading.Event()
        self._lock = threading.Lock()
        self._told: dict[str, bool] = {}
        self._is_lossy = False

    def tell(self, path: str, *, is_closed: bool) -> None:
        """Take a name.

        Parameters
        ----------
        path : str
            File or folder.
        is_closed : bool
            Whether its writer has closed it, or moved it there.
        """
        with self._lock:
            if path in self._told or len(self._told) < _MOST_HELD:
                self._told[path] = is_closed or self._told.get(path, False)
            else:
                self._is_lossy = True
        self.come.set()

    def take(self) -> tuple[dict[str, bool], bool]:
        """Give what was told since the last time.

        Returns
        -------
        told : dict of str to bool
            Names, and whether each was closed.
        is_lossy : bool
            Whether there were more: the folder itself has to be looked at.
        """
        with self._lock:
            told, self._told = self._told, {}
            is_lossy, self._is_lossy = self._is_lossy, False
            self.come.clear()
        return told, is_lossy


class Listener:
    """Listens to what the system tells of a folder and all below it, by inotify.

    Parameters
    ----------
    folder : str
        The folder.
    notices : Notices
        Takes the names.

    Raises
    ------
    OSError
        The system has no more watches to give, or the folder is gone.
    MissingExtraError
        The package watchdog is not installed.
    """

    def __init__(self, folder: str, notices: Notices) -> None:
        with needing("watching a folder", "watch"):
            from watchdog import events
            from watchdog.observers import Observer

        # folders made one in another quickly are told of twice, which harms nobody
        warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning, r"watchdog\.")

        class Handler(events.FileSystemEventHandler):
            """Passes names on."""

            def on_any_event(self, event: Any) -> None:
                is_moved = isinstance(event, events.FileMovedEvent | events.DirMovedEvent)
                path = os.fsdecode(event.dest_path if is_moved else event.src_path)
                if path:
                    is_closed = isinstance(event, events.FileMovedEvent | events.FileClosedEvent)
                    notices.tell(path, is_closed=is_closed)

        told = [
            events.FileClosedEvent,
            events.FileCreatedEvent,
            events.FileMovedEvent,
            events.DirCreatedEvent,
            events.DirMovedEvent,
        ]
        self._observer = Observer()
        try:
            self._observer.schedule(Handler(), folder, recursive=True, event_filter=told)
            self._observer.start()
        except BaseException:
            self.close()
            raise

    @property
    def is_listening(self) -> bool:
        """Whether the system still tells."""
        return self._observer.is_alive() and all(each.is_alive() for each in self._observer.emitters)

    def close(self) -> None:
        """Listen no more."""
        self._observer.unschedule_all()
        self._observer.stop()
        if self._observer.is_alive():
            self._observer.join()
