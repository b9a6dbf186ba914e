"""What a walk meets and does not take: told at its end, and where it takes nothing."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from osscl.audio.reading import AUDIO_SUFFIXES
from osscl.support.paths import printable
from osscl.support.plurals import plural

COMPANION_PREFIX = "._"
"""How names of the files begin in which macOS keeps, on foreign file systems, what those cannot hold."""

_MAX_LISTED, _MAX_ENDINGS, _MAX_ENDING = 5, 256, 8
_MPEG, _APPLE = {".aac", ".mp2", ".mp3", ".mp4", ".m4a"}, {".aif", ".aifc", ".aiff", ".caf"}
_XIPH, _WAV = {".oga", ".ogg", ".opus"}, {".bwf", ".rf64", ".w64", ".wave"}
_OTHERS = {".ac3", ".amr", ".ape", ".au", ".pcm", ".raw", ".snd", ".sph", ".webm", ".wma", ".wv"}
_SUFFIXES = f"{', '.join(AUDIO_SUFFIXES[:-1])} or {AUDIO_SUFFIXES[-1]}"
_OTHER_SOUND = frozenset(_MPEG | _APPLE | _XIPH | _WAV | _OTHERS)


@dataclass(slots=True)
class PassedOver:
    """What a walk passed over.

    Attributes
    ----------
    n_companions : int
        Files that would be recordings by their ending and are companions of macOS by their beginning, ``._``.
    n_elsewhere : int
        Recordings outside the folders that were asked for.
    endings : Counter of str
        Other files, by ending in lower case; "" for those without one.
    n_dead_links : int
        Links to nothing, other than those named like recordings, which come as candidates.
    first_dead_link : str
        The first of them.
    """

    n_companions: int = 0
    n_elsewhere: int = 0
    endings: Counter[str] = field(default_factory=Counter)
    n_dead_links: int = 0
    first_dead_link: str = ""

    def count_other(self, name: str) -> None:
        """Count a file that is no recording; what is kept of its name is a short ending."""
        _, dot, letters = name.rpartition(".")  # os.path.splitext costs more
        ending = dot + letters.lower() if dot else ""
        if ending not in self.endings and (len(ending) > _MAX_ENDING or len(self.endings) >= _MAX_ENDINGS):
            ending = ""
        self.endings[ending] += 1

    def count_dead_link(self, path: str) -> None:
        """Count a link to nothing, which may have led to recordings."""
        self.first_dead_link = self.first_dead_link or path
        self.n_dead_links += 1

    def notes(self) -> Iterator[str]:
        """Say what might be missed, once the walk is over.

        Yields
        ------
        str
            One sentence; nothing of files that nobody takes for recordings.
        """
        if self.n_companions:
            files = f"{_counted(self.n_companions, 'file')} named {COMPANION_PREFIX}*"
            yield f"{files} passed over: companions that macOS writes"
        if self.n_dead_links:
            yield (
                f"{_counted(self.n_dead_links, 'link')} to nothing passed over, the first "
                f"{printable(self.first_dead_link)}: if recordings should be there, mend it"
            )

    def refusal(self, roots: Sequence[str | os.PathLike[str]], where: str = "") -> str:
        """Say that nothing was found, what was looked for, and what is there instead.

        Parameters
        ----------
        roots : sequence of path-like
            Where the walk began.
        where : str
            In which folders alone recordings were looked for, such as "in a folder named test".

        Returns
        -------
        str
            One sentence.
        """
        looked_for = " ".join((_SUFFIXES, *([where] if where else [])))
        places = ", ".join(map(printable, roots))
        holds = "it holds" if len(roots) == 1 else "they hold"
        found = ", ".join(self._found()) or "no file"
        return f"no {looked_for} below {places}: {holds} {found}; {self._remedy()}"

    def _found(self) -> Iterator[str]:
        if self.n_elsewhere:
            yield f"{_counted(self.n_elsewhere, 'recording')} elsewhere"
        named = [(count, ending) for ending, count in self.endings.items() if ending]
        shown = sorted(named, key=lambda each: (-each[0], each[1]))[:_MAX_LISTED]
        yield from (f"{count} {ending}" for count, ending in shown)
        n_others = self.endings.total() - sum(count for count, _ in shown)
        if n_others:
            yield _counted(n_others, "other file" if shown else "file")
        if self.n_companions:
            files = f"{_counted(self.n_companions, 'file')} named {COMPANION_PREFIX}*"
            yield f"{files} (companions that macOS writes)"
        if self.n_dead_links:
            first = printable(self.first_dead_link)
            yield f"{_counted(self.n_dead_links, 'link')} to nothing (the first: {first})"

    def _remedy(self) -> str:
        if self.n_elsewhere:
            return "name another folder, or move what lies elsewhere"
        if _OTHER_SOUND & self.endings.keys():
            return "convert them to WAV or FLAC, and name a folder that holds those"
        return "name a folder that holds recordings"


def _counted(count: int, noun: str) -> str:
    return f"{count} {plural(count, noun)}"
