"""What an evaluation by domain says: figures of sections, of types and in total."""

import msgspec

from osscl.evaluation.figures import Figure


class DomainFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one domain: of a section, or the harmonic means over several.

    Attributes
    ----------
    n_normal, n_anomalous : int
        Clips of the domain, of each label.
    auc : Figure or None
        By the rules that are counted by: from 2022 on the anomalous clips of both domains stand against the
        normal ones of this; None where clips are missing for it.
    pauc : Figure or None
        Of the domain alone, where the rules give one (2021); else None.
    precision, recall, f1 : Figure or None
        Of the decisions on the domain's clips, without intervals; None where a clip was not decided, or none
        is anomalous.
    """

    n_normal: int
    n_anomalous: int
    auc: Figure | None
    pauc: Figure | None
    precision: Figure | None
    recall: Figure | None
    f1: Figure | None


class SectionFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures by domain of one section, or the harmonic means over several.

    Attributes
    ----------
    name : str
        Section such as "fan/section_00", type such as "fan", or "total".
    source, target : DomainFigures
        Of each domain.
    pauc : Figure or None
        Of the clips of both domains, where the rules give one (from 2022 on); else None.
    harmonic_mean : Figure or None
        Of all AUCs and pAUCs that the rules count: over all sections, the challenge's official score. It is 0
        where one of them is; the evaluators put the float's epsilon, 2.2e-16, in its place.
    """

    name: str
    source: DomainFigures
    target: DomainFigures
    pauc: Figure | None
    harmonic_mean: Figure | None


class Domains(msgspec.Struct, frozen=True, kw_only=True):
    """How well scores tell anomalous from normal clips in each domain.

    Attributes
    ----------
    rules : str
        Whose rules the figures are by, such as "DCASE 2022 to 2025".
    source, target : DomainFigures
        Of each domain: harmonic means over all sections.
    pauc, harmonic_mean : Figure or None
        As in `SectionFigures`, of all sections.
    types : list of SectionFigures
        Harmonic means over the sections of each type.
    sections : list of SectionFigures
        By type and name.
    undefined : list of str
        What has no figure and is left out of the means, and why.
    """

    rules: str
    source: DomainFigures
    target: DomainFigures
    pauc: Figure | None
    harmonic_mean: Figure | None
    types: list[SectionFigures]
    sections: list[SectionFigures]
    undefined: list[str]
