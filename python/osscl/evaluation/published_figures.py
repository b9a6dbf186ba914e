"""Published figures of the method, to stand beside one's own."""

import msgspec


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
    """

    source: str
    pooled_auc: dict[str, float]
    averages: list[PublishedRow]


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
