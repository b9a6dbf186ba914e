"""Clips that are shown with picture and sound, beside a usual one of their machine."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from osscl.explanation.by_memory import explain_by_memory
from osscl.explanation.explained import Explanation
from osscl.features import memory_features
from osscl.page.contents import ClipPart, MachinePart
from osscl.page.evidence import Heard, evidence_of, hear
from osscl.page.origin import Origin
from osscl.page.scored import Scored
from osscl.page.whereabouts import Whereabouts
from osscl.page.worst import Chosen, normal_candidates
from osscl.scoring.judge import Judge
from osscl.scoring.record import Record, place_of, window_start
from osscl.support.plurals import counted

_TRIED_NORMALS = 5
_BLOCKS = ("level", "modulation", "flutter", "event")


class Shown:
    """Makes what is shown of clips; the usual clip of each machine is read once.

    Parameters
    ----------
    scored : Scored
        The table.
    origin : Origin
        Where it comes from.
    machines : mapping of str to MachinePart
        What is said of each machine, by its name.
    page_folder : Path
        Where the page shall be: links to recordings count from there.
    audio_root : path-like or None
        Where the recordings lie, see `Whereabouts`.
    """

    def __init__(
        self,
        scored: Scored,
        origin: Origin,
        machines: Mapping[str, MachinePart],
        page_folder: Path,
        audio_root: str | os.PathLike[str] | None,
    ) -> None:
        self._scored, self._origin, self._machines = scored, origin, machines
        self._folder = page_folder
        self._whereabouts = Whereabouts([record.path for record in scored.records], audio_root)
        self._normals: dict[int, Heard | str] = {}

    def clip(self, number: int, chosen: Chosen) -> ClipPart:
        """Show a clip.

        Parameters
        ----------
        number : int
            Its place among those shown, from 1.
        chosen : Chosen
            The clip.

        Returns
        -------
        ClipPart
            What is shown of it.
        """
        record = self._scored.records[chosen.line]
        heard = self._hear(chosen.line)
        normal = None if isinstance(heard, str) else self._normal(chosen)
        found = None if isinstance(heard, str) or record.status == "silent" else self._explain(heard, chosen)
        told = record.explanation if found is None else found.sentence
        return ClipPart(
            number=number,
            record=record,
            place=_place(record),
            part=self._machines[chosen.scores.name],
            excess=chosen.excess,
            is_flagged=chosen.is_flagged,
            evidence=None
            if isinstance(heard, str)
            else evidence_of(heard, normal and normal[1], found, self._folder),
            problem=heard if isinstance(heard, str) else None,
            normal_place=normal and _place(self._scored.records[normal[0]]),
            sentence=told,
            rarity=_rarity(record, self._machines[chosen.scores.name].standing.n_normal),
            blocks=[(block, z) for block in _BLOCKS if (z := getattr(record, f"z_{block}")) is not None],
        )

    def _hear(self, line: int) -> Heard | str:
        record = self._scored.records[line]
        return hear(self._whereabouts.of(record.path), self._origin.fit, window_start(record))

    def _explain(self, heard: Heard, chosen: Chosen) -> Explanation | None:
        """Why the memory that decided scored a clip so; None where none did."""
        judge = self._origin.judge_of(chosen.scores, self._scored.records[chosen.line].path)
        if not isinstance(judge, Judge) or not judge.needs_memory:
            return None
        [nearest] = judge.nearest(memory_features(heard.samples[np.newaxis]))
        assert nearest.memory is not None
        return explain_by_memory(heard.samples, chosen.scores.machine, nearest.memory)

    def _normal(self, chosen: Chosen) -> tuple[int, Heard] | None:
        """A usual clip of the machine that is not the chosen one itself."""
        candidates = normal_candidates(self._scored, chosen.scores)[: _TRIED_NORMALS + 1]
        for line in candidates:
            if line == chosen.line:
                continue
            if line not in self._normals:
                self._normals[line] = self._hear(line)
            heard = self._normals[line]
            if isinstance(heard, Heard):
                return line, heard
        return None


def _place(record: Record) -> str:
    return place_of(record, record.path)


def _rarity(record: Record, n_normal: int) -> str | None:
    """Say what a p-value means; None where there is none."""
    if record.p_value is None:
        return None
    if n_normal and record.p_value < 1.5 / (n_normal + 1):
        return f"none of {counted(n_normal, 'normal recording')} scores as high"
    return f"{100 * record.p_value:.2g} % of normal recordings score as high"
