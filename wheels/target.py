"""The Python and the platform that wheels are collected for, as uv and pip name them."""

import re
from dataclasses import dataclass
from typing import Self

from refused import Refused

OLDEST_PYTHON = (3, 11)
# the versions that uv knows of glibc 2 and musl 1, by the beginning of their tags
_KNOWN = {"manylinux_2": (17, 28, *range(31, 41)), "musllinux_1": (2,)}
_PLATFORM = re.compile(r"(manylinux_2|musllinux_1)_(\d+)_(x86_64|aarch64)")
_OLDEST = {"manylinux_2": 5, "musllinux_1": 0}
# names from the time before tags told glibc
_OLD_NAMES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}


@dataclass(frozen=True)
class Target:
    """A CPython on a Linux.

    Attributes
    ----------
    python : tuple of int
        Its version, as ``(3, 11)``.
    library : {'manylinux_2', 'musllinux_1'}
        Which C library the system has: glibc 2 or musl 1.
    minor : int
        Its version: 28 of glibc 2.28, 2 of musl 1.2.
    machine : {'x86_64', 'aarch64'}
        Its processor.
    """

    python: tuple[int, int]
    library: str
    minor: int
    machine: str

    @classmethod
    def named(cls, python: str, platform: str) -> Self:
        """Read what was typed.

        Raises
        ------
        Refused
            There is no such Python or platform, or osscl does not run on it.
        """
        return cls(_python(python), *_platform(platform))

    @property
    def uv_platform(self) -> str:
        """The system, as uv names it."""
        if self.library == "manylinux_2":
            return f"{self.machine}-manylinux_2_{self.minor}"
        return f"{self.machine}-unknown-linux-musl"

    @property
    def python_tag(self) -> str:
        """The Python, as wheels name it."""
        return f"cp{self.python[0]}{self.python[1]}"

    @property
    def platform(self) -> str:
        """The newest platform tag that the system takes."""
        return f"{self.library}_{self.minor}_{self.machine}"

    def pip_platforms(self) -> list[str]:
        """All platform tags that the system takes, the newest first: pip adds none to the one it is told."""
        tags = []
        for minor in range(self.minor, _OLDEST[self.library] - 1, -1):
            tags.append(f"{self.library}_{minor}_{self.machine}")
            if self.library == "manylinux_2" and minor in _OLD_NAMES:
                tags.append(f"{_OLD_NAMES[minor]}_{self.machine}")
        return tags

    def __str__(self) -> str:
        """Both, in words."""
        return f"Python {self.python[0]}.{self.python[1]} on {self.platform}"


def _python(typed: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)\.(\d+)", typed)
    if found is None:
        raise Refused(f"the Python is {typed!r}; write its version, such as 3.11")
    version = (int(found[1]), int(found[2]))
    if version < OLDEST_PYTHON:
        raise Refused(f"the Python is {typed}; osscl needs 3.11 or newer: install one on the machine first")
    return version


def _platform(typed: str) -> tuple[str, int, str]:
    found = _PLATFORM.fullmatch(typed)
    if found is None or int(found[2]) not in _KNOWN[found[1]]:
        raise Refused(
            f"the platform is {typed!r}; write one such as manylinux_2_28_x86_64 (glibc 2.17, 2.28 or 2.31 "
            "to 2.40) or musllinux_1_2_aarch64 (musl 1.2), for x86_64 or aarch64: `ldd --version` on the "
            "machine tells its C library, `uname -m` its processor"
        )
    return found[1], int(found[2]), found[3]
