"""Patterns that find the machine in a recording's path: a template or a regular expression."""

import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeAlias

from osscl.errors import ConfigError, MachineError
from osscl.machines.dcase import check_machine
from osscl.machines.templates import Template, TemplateError
from osscl.support.links import as_walked
from osscl.support.paths import printable
from osscl.support.spelling import composed

_MACHINE, _TYPE, _ID = "machine", "type", "id"
_TELLING = (_MACHINE, _TYPE, _ID)

_Readings: TypeAlias = Mapping[str, Collection[str]]
"""All that each part of a pattern may stand for in a path."""


class MachinePattern:
    """A pattern that names the machine of a recording by its path below the folder that was asked for.

    A template holds ``{machine}``, or ``{type}`` and ``{id}``, which name the machine ``type/id``; see
    `Template`. A regular expression holds groups of these names. Either must fit the whole path. Letters and
    their accents are put together before, however a system spells them.

    Parameters
    ----------
    text : str
        The pattern.

    Raises
    ------
    ConfigError
        It is neither template nor regular expression, or both; it cannot be read; or nothing fits it.
    """

    def __init__(self, text: str) -> None:
        self._stated = f"machine_pattern (--machine-pattern) is {printable(text)!r}"
        self.text = printable(text)
        is_template = any(f"{{{name}}}" in text for name in _TELLING)
        is_expression = any(f"(?P<{name}>" in text for name in _TELLING)
        if is_template == is_expression:
            raise ConfigError(
                f"{self._stated}; expected either a template with {{machine}}, such as "
                "'{machine}_{time}', or a regular expression with (?P<machine>...)"
                f"{', and not both in one' if is_template else ''}"
            )
        self._template = self._as_template(text) if is_template else None
        self._read = self._expression(text) if self._template is None else self._template.readings

    def machine_in(self, path: str) -> str:
        """Name the machine of a recording.

        Parameters
        ----------
        path : str
            Its path below the folder that was asked for, with slashes between names.

        Returns
        -------
        str
            Its machine.

        Raises
        ------
        MachineError
            The path does not fit, fits in several ways, or names no machine.
        """
        readings = self._read(composed(path))
        if readings is None:
            why = (
                "; a regular expression must fit all of it, the ending too"
                if self._template is None
                else f": {printable(self._template.misfit(composed(path)))}"
            )
            raise MachineError(
                f"its path below the folder that was named does not fit the pattern {self.text}{why}"
            )
        if _MACHINE in readings:
            machines = sorted(readings[_MACHINE])
        else:
            machines = sorted(f"{kind}/{of_kind}" for kind in readings[_TYPE] for of_kind in readings[_ID])
        if len(machines) > 1:
            raise MachineError(
                f"its path fits the pattern {self.text} in more than one way, as the machine "
                f"{printable(machines[0])} and as {printable(machines[-1])}; write more of the name into the "
                "pattern, or use a regular expression"
            )
        if not all(part.strip() for part in machines[0].split("/")):
            raise MachineError(
                f"the pattern {self.text} leaves the name of its machine, or a part of it, empty"
            )
        return printable(machines[0])

    def _as_template(self, text: str) -> Template:
        try:
            template = Template(composed(text))
        except TemplateError as error:
            raise ConfigError(f"{self._stated}: {error}") from None
        self._refuse_other_parts(template.fields)
        return template

    def _expression(self, text: str) -> Callable[[str], _Readings | None]:
        try:
            expression = re.compile(composed(text))
        except (re.error, RecursionError, OverflowError) as error:
            raise ConfigError(f"{self._stated}, which is no regular expression: {error}") from None
        self._refuse_other_parts(tuple(expression.groupindex))

        def readings(path: str) -> _Readings | None:
            found = expression.fullmatch(path)
            return None if found is None else {name: {text or ""} for name, text in found.groupdict().items()}

        return readings

    def _refuse_other_parts(self, names: Sequence[str]) -> None:
        """Refuse a pattern unless it tells the machine in one way."""
        telling = [name for name in _TELLING if name in names]
        if telling not in ([_MACHINE], [_TYPE, _ID]):
            raise ConfigError(
                f"{self._stated}, which holds {' and '.join(telling)}; a pattern holds machine alone, or "
                "type and id, which name the machine type/id"
            )


class MachineFromPattern:
    """Names machines by a pattern.

    Parameters
    ----------
    pattern : str
        See `MachinePattern`.
    roots : sequence of path-like
        Folders that were asked for; of a file that was named itself its name alone counts.
    known : collection of str, optional
        Names of the machines that the model knows; by default every name will do.

    Raises
    ------
    ConfigError
        The pattern cannot be used.
    """

    def __init__(
        self,
        pattern: str,
        roots: Sequence[str | os.PathLike[str]],
        known: Collection[str] | None = None,
    ) -> None:
        self._pattern = MachinePattern(pattern)
        self._roots = list(map(os.fsdecode, roots))
        self._known = None if known is None else {composed(name): name for name in known}

    def __call__(self, path: str | os.PathLike[str]) -> str:
        """Name the machine of one file.

        Parameters
        ----------
        path : path-like
            The recording, spelled from the root on.

        Returns
        -------
        str
            Its machine.

        Raises
        ------
        MachineError
            Its path names no machine, or one that is not known.
        """
        machine = self._pattern.machine_in(self._below_root(os.fsdecode(path)))
        if self._known is None:
            return machine
        machine = self._known.get(machine, machine)
        check_machine(machine, self._known.values())
        return machine

    def _below_root(self, path: str) -> str:
        """The path from the first root on that it begins with: it was met on the walk through that."""
        for spelled, root in ((path, root) for root in self._roots):
            if (below := _below(spelled, root)) is not None:
                return below
        walked = as_walked(path)
        for root in self._roots:
            if (below := _below(walked, as_walked(root))) is not None:
                return below
        return os.path.basename(path)  # noqa: PTH119 - a str, as all paths of a walk


def _below(path: str, root: str) -> str | None:
    """What of a path follows its root; the name of a file that is the root itself."""
    if path == root:
        return os.path.basename(path)  # noqa: PTH119 - a str, as all paths of a walk
    folder = root if root.endswith("/") else f"{root}/"
    return path[len(folder) :].lstrip("/") if path.startswith(folder) else None
