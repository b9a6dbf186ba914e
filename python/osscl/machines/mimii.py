"""How MIMII is split into training and test clips: its folders do not say, its baseline does.

As many normal clips as there are anomalous ones are for testing, the first by name; all others are for
training. Source: ``MIMII-hitachi/mimii_baseline``, and Purohit et al., arXiv 1909.09347.
"""

import os
from functools import lru_cache

from osscl.machines.told import Purpose

_MAX_FOLDERS = 4096


class MimiiSplit:
    """Tells normal clips for training from those for testing, by what lies beside them."""

    def __init__(self) -> None:
        self._for_test = lru_cache(_MAX_FOLDERS)(_normal_clips_for_test)

    def purpose_of(self, path: str) -> Purpose:
        """What a normal clip is for.

        Parameters
        ----------
        path : str
            A recording in a folder ``normal``, beside which ``abnormal`` may lie.

        Returns
        -------
        {"train", "test"}
            By the baseline's rule; "train" where there are no anomalous clips.
        """
        folder, name = os.path.split(path)
        return "test" if name in self._for_test(folder) else "train"


def _normal_clips_for_test(folder: str) -> frozenset[str]:
    n_anomalous = len(_clips(os.path.join(os.path.dirname(folder), "abnormal")))  # noqa: PTH118, PTH120 - str
    return frozenset(_clips(folder)[:n_anomalous])


def _clips(folder: str) -> list[str]:
    try:
        names = os.listdir(folder)  # noqa: PTH208 - a str, as all paths of a walk
    except OSError:  # none there, or closed: the walk says so
        return []
    return sorted(name for name in names if name.rpartition(".")[0].isdecimal())
