"""Which clips belong to one recording: what was recorded in one go is alike, and counts once."""

import os
import re
from dataclasses import dataclass
from typing import Self

from osscl.errors import ConfigError
from osscl.support.paths import brief, printable

FOLDER = "folder"
_EXPECTED = (
    "expected the word folder, or a regular expression with one group that names the recording, such as "
    r"'(session_\d+)'"
)


@dataclass(frozen=True, slots=True)
class RecordingRule:
    """Names the recording that a clip is a part of.

    Attributes
    ----------
    by_folder : bool
        Whether the clips of each folder are one recording.
    pattern : re.Pattern or None
        Finds its name in the path. Without either, each clip is a recording of its own.
    """

    by_folder: bool = False
    pattern: re.Pattern[str] | None = None

    @classmethod
    def parse(cls, text: str | None) -> Self:
        r"""Read what `--recording` was given.

        Parameters
        ----------
        text : str or None
            A regular expression with one group, such as ``(session_\d+)``; or the word "folder"; None where
            each clip is a recording of its own.

        Returns
        -------
        RecordingRule
            The rule.

        Raises
        ------
        ConfigError
            It is no regular expression with one group.
        """
        if text is None:
            return cls()
        if text == FOLDER:
            return cls(by_folder=True)
        try:
            pattern = re.compile(text)
        except re.error as error:
            raise ConfigError(
                f"--recording '{brief(text)}' is no regular expression ({error}); {_EXPECTED}"
            ) from error
        if pattern.groups != 1:
            raise ConfigError(f"--recording '{brief(text)}' has {pattern.groups} groups; {_EXPECTED}")
        return cls(pattern=pattern)

    def of(self, path: str, sha256: str) -> str:
        """Name the recording of a clip.

        Parameters
        ----------
        path : str
            The clip's file, as it was found.
        sha256 : str
            Hash of its samples: the name of a clip that is a recording of its own, wherever it lies.

        Returns
        -------
        str
            What the pattern's group matches first in the path (with / between folders), or the path of its
            folder, or `sha256`.

        Raises
        ------
        ConfigError
            The pattern is not found in the path, or its group is empty.
        """
        if self.by_folder:
            return printable(os.path.dirname(path) or os.curdir)  # noqa: PTH120 - a str, as all paths of a walk
        if self.pattern is None:
            return sha256
        spelled = printable(path).replace(os.sep, "/")
        found = self.pattern.search(spelled)
        if found is None or not found[1]:
            raise ConfigError(
                f"{spelled}: --recording '{brief(self.pattern.pattern)}' finds no name of a recording in this "
                "path; change the pattern, or leave the file out"
            )
        return found[1]
