"""Published figures of the method, to stand beside one's own, and the test set that they are of."""

from collections.abc import Iterator

import msgspec

from osscl.evaluation.figures import Evaluation, MachineFigures
from osscl.support.listing import listed

_MAX_NAMED = 4


class PublishedRow(msgspec.Struct, frozen=True, kw_only=True):
    """Averages over the six machine types of the DCASE 2020 development test set, pooled over IDs.

    Attributes
    ----------
    name : str
        Whose figures.
    auc, pauc, worst_auc : float
        AUC, pAUC (max_fpr 0.1) and the worst ID's AUC, in [0, 1].
    """

    name: str
    auc: float
    pauc: float
    worst_auc: float


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """What a publication reports.

    Attributes
    ----------
    source : str
        Where it stands.
    pooled_auc : dict of str to float
        AUC by machine type, pooled over its IDs, in [0, 1].
    averages : list of PublishedRow
        Averages over these types; the first one belongs to `pooled_auc`.
    differences : list of str
        In what the clips here are not the published test set; empty where nothing speaks against it.
    """

    source: str
    pooled_auc: dict[str, float]
    averages: list[PublishedRow]
    differences: list[str] = msgspec.field(default_factory=list)


class TestSet(msgspec.Struct, frozen=True, kw_only=True):
    """Clips that published figures are of.

    Attributes
    ----------
    machines : frozenset of str
        All of its machine IDs.
    least_normal : int
        Normal clips of each machine ID, at least.
    """

    __test__ = False  # the name is no order to pytest

    machines: frozenset[str]
    least_normal: int

    def differences(self, evaluation: Evaluation) -> Iterator[str]:
        """Say in what other clips are not this test set.

        Parameters
        ----------
        evaluation : Evaluation
            Of the other clips.

        Yields
        ------
        str
            A part of a sentence.
        """
        here = {each.machine: each for each in evaluation.machines}
        missing, others = sorted(self.machines - here.keys()), sorted(here.keys() - self.machines)
        if missing:
            names = listed(missing, _MAX_NAMED)
            yield f"{len(missing)} of its {len(self.machines)} machine IDs are missing ({names})"
        if others:
            yield f"not in it: {listed(others, _MAX_NAMED)}"
        few = [_counted(each) for name, each in here.items() if name in self.machines and self._is_few(each)]
        if few:
            yield (
                f"it has {self.least_normal} or more normal clips of each, and anomalous ones; here are "
                f"{listed(few, _MAX_NAMED)}"
            )

    def _is_few(self, machine: MachineFigures) -> bool:
        return machine.n_normal < self.least_normal or machine.n_anomalous == 0


def _counted(machine: MachineFigures) -> str:
    return f"{machine.n_normal} normal and {machine.n_anomalous} anomalous of {machine.machine}"


PAPER = Published(
    source="Huang, Fang, He: One-Stage Supervised Contrastive Learning for anomalous sound detection, "
    "ICASSP 2025, arXiv 2509.13853; DCASE 2020 Task 2, development test set",
    pooled_auc={
        "fan": 0.9841,
        "pump": 0.9625,
        "slider": 0.9963,
        "ToyCar": 0.9655,
        "ToyConveyor": 0.8356,
        "valve": 0.9985,
    },
    averages=[
        PublishedRow(name="OS-SCL, TFgram (paper)", auc=0.9571, pauc=0.9023, worst_auc=0.9123),
        PublishedRow(name="OS-SCL, log-mel only (paper)", auc=0.9464, pauc=0.8842, worst_auc=0.8924),
        PublishedRow(
            name="OS-SCL, TFgram (independent rerun, one seed)", auc=0.9495, pauc=0.8967, worst_auc=0.8922
        ),
    ],
)

_IDS = dict.fromkeys(("fan", "pump", "slider", "valve"), (0, 2, 4, 6)) | {
    "ToyCar": (1, 2, 3, 4),
    "ToyConveyor": (1, 2, 3),
}
PAPERS_TEST_SET = TestSet(
    machines=frozenset(f"{kind}/id_{number:02}" for kind, numbers in _IDS.items() for number in numbers),
    least_normal=100,
)
"""Development test set of DCASE 2020 Task 2, of 100 clips of each label or more, but for a few IDs."""
