"""How clips of one machine are judged whose domain is not known: by the memories of all of its domains."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from osscl.config import Padding
from osscl.decisions import smallest_rate
from osscl.scoring.judge import DEFAULT_RATE, FloatArray, Judge, Judged


@dataclass(frozen=True, eq=False)
class EitherDomain(Judge):
    """Scores and decides clips that may be of any domain.

    The score of a clip is the smallest that a memory gives it, its p-value the largest that this score has
    among the normal clips of a domain. Of a normal clip of domain d the score is at most that by the memory
    of d, so that its p-value is at least the one that is valid there, whichever d is. One number still
    decides: a clip is anomalous where its score reaches the largest of the thresholds.

    Attributes
    ----------
    domains : tuple of Judge
        One of each domain, by the rule "memory".
    """

    domains: tuple[Judge, ...] = ()

    @property
    def n_recordings(self) -> int:
        """Normal recordings that decide: of the domain that has the fewest."""
        return min(judge.n_recordings for judge in self.domains)

    @cached_property
    def rate(self) -> float:
        """False-alarm rate that is decided at: one for all domains."""
        if self.asked_rate is not None:
            return self.asked_rate
        return max(DEFAULT_RATE, smallest_rate(self.n_recordings))

    @cached_property
    def _at_one_rate(self) -> list[Judge]:
        return [replace(judge, asked_rate=self.rate) for judge in self.domains]

    @cached_property
    def undecided(self) -> str | None:
        """Why nothing is decided; None where something is."""
        reasons = ((judge.domain, judge.undecided) for judge in self._at_one_rate)
        return next((f"of the domain {domain}, {why}" for domain, why in reasons if why is not None), None)

    def misfit(self, padding: Padding | None) -> str | None:
        """Say why nothing can be decided of a clip that was filled up unlike the recordings of a memory."""
        return next(filter(None, (judge.misfit(padding) for judge in self.domains)), None)

    def nearest(self, features: FloatArray) -> Sequence[Judge]:
        """Name the judge of the memory that each clip [B, 360] is nearest to, [B]."""
        return [self.domains[place] for place in self._nearest(self._by_domain(features))]

    def judge(self, network_scores: FloatArray | None = None, features: FloatArray | None = None) -> Judged:
        """Score and decide clips, each by the memory that it is nearest to; see `Judge.judge`."""
        del network_scores  # no rule with a network is by domain
        assert features is not None
        judged = self._by_domain(features)
        nearest, clips = self._nearest(judged), np.arange(len(features))
        scores = np.stack([each.score for each in judged])  # [domains, B]
        z = np.stack([_z_of(each) for each in judged])  # [domains, B, 4]
        return self.decide(scores[nearest, clips], z[nearest, clips])

    def decide(self, score: FloatArray, z: npt.NDArray[np.float64] | None = None) -> Judged:
        """Decide clips that have their score, against the normal clips of each domain; see `Judge.decide`."""
        found = [judge.decide(score, z) for judge in self._at_one_rate]
        flags = [each.is_anomaly for each in found if each.is_anomaly is not None]
        is_decided = len(flags) == len(found)
        return found[0]._replace(
            p_value=np.max([each.p_value for each in found], axis=0),  # NaN where one of them has none
            threshold=max(each.threshold for each in found) if is_decided else np.nan,
            is_anomaly=np.logical_and.reduce(flags) if is_decided else None,
        )

    def _by_domain(self, features: FloatArray) -> list[Judged]:
        return [judge.judge(features=features) for judge in self.domains]

    def _nearest(self, judged: list[Judged]) -> npt.NDArray[np.intp]:
        """Place of the domain whose memory gives each clip the smallest score, [B]; ties go to the first."""
        nearest: npt.NDArray[np.intp] = np.argmin([each.score for each in judged], axis=0)
        return nearest


def _z_of(judged: Judged) -> npt.NDArray[np.float64]:
    assert judged.z is not None, "a memory gives them"
    return judged.z
