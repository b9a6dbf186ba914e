"""What every process that scores is told, and the model that it opens for it, once."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from osscl.audio.candidate import Candidate
from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.audio.recorded_at import AS_RECORDED, RecordingTimes, TimesOfWalk
from osscl.backends import DEFAULT_OPTIONS, ComputeOptions
from osscl.detector import Detector
from osscl.errors import DistributedError, ModelFileError
from osscl.machines.labels import BY_PATHS, MachineNames, MachineOf, machine_source
from osscl.model_file.bundle import DEMO, Bundle
from osscl.model_file.decisions import Rule
from osscl.scoring.judge_making import AUTO, DomainChoice
from osscl.scoring.left_out import LeftOut
from osscl.scoring.record import Record
from osscl.support.installed import version_of
from osscl.support.paths import printable


@dataclass(frozen=True)
class Work:
    """All that scores depend on, as it is sent to the processes that score.

    Attributes
    ----------
    model : str
        Absolute path of the model file, the same on every machine; or "demo".
    model_sha256 : str
        What the file is known by: every process must find the same one.
    names : MachineNames
        How the machines of recordings are named.
    fit : Fit
        How recordings that do not fit are made to fit.
    times : RecordingTimes
        When they began, where neither names nor headers tell.
    hop_s : float or None
        Seconds from window to window; None for the beginnings of recordings alone.
    rule, false_alarm_rate, domain
        As for `osscl.load`.
    compute : ComputeOptions
        On what each process computes.
    version : str or None
        The osscl that makes this work, which must be that of every process.
    """

    model: str
    model_sha256: str
    names: MachineNames = BY_PATHS
    fit: Fit = AS_THEY_ARE
    times: RecordingTimes = AS_RECORDED
    hop_s: float | None = None
    rule: Rule | None = None
    false_alarm_rate: float | None = None
    domain: DomainChoice = AUTO
    compute: ComputeOptions = DEFAULT_OPTIONS
    version: str | None = version_of("osscl")

    def scored(self, candidates: Sequence[Candidate], first: int = 0) -> tuple[list[Record], LeftOut]:
        """Score a batch in this process.

        Parameters
        ----------
        candidates : sequence of Candidate
            The recordings.
        first : int
            How many recordings of the run come before them.

        Returns
        -------
        list of Record
            The lines of each, in order.
        LeftOut
            What was not scored of long ones.

        Raises
        ------
        OssclError
            The model cannot be opened here, or is another one.
        """
        detector, machine_of = opened(self)
        left_out = LeftOut()
        times = TimesOfWalk(self.times, range(first, first + len(candidates)))
        records = detector.score_candidates(
            candidates, machine_of, self.fit, times, hop_s=self.hop_s, left_out=left_out
        )
        return list(records), left_out


def named_model(bundle: Bundle, model: str | os.PathLike[str]) -> str:
    """Name a model file so that processes in other folders find it.

    Parameters
    ----------
    bundle : Bundle
        The file, as it was read here.
    model : path-like
        As it was asked for.

    Returns
    -------
    str
        Its absolute path, or "demo".
    """
    return DEMO if os.fspath(model) == DEMO else str(bundle.path.absolute())


@lru_cache(maxsize=1)
def opened(work: Work) -> tuple[Detector, MachineOf]:
    """Open what a process scores by; the same again for the same work.

    Parameters
    ----------
    work : Work
        What to do.

    Returns
    -------
    Detector
        The model.
    callable
        Names the machine of a path.

    Raises
    ------
    DistributedError
        Another osscl is installed here than where the work comes from.
    ModelFileError
        There is another file here.
    OssclError
        The model cannot be opened.
    """
    here = version_of("osscl")
    if here != work.version:
        raise DistributedError(
            f"osscl {here} is installed where a worker runs, and osscl {work.version} where the run began: "
            "install the same one everywhere"
        )
    detector = Detector(
        work.model,
        work.compute,
        rule=work.rule,
        false_alarm_rate=work.false_alarm_rate,
        domain=work.domain,
    )
    if detector.bundle.file_sha256 != work.model_sha256:
        detector.close()
        raise ModelFileError(
            f"{printable(Path(work.model))} is another file where a worker runs than where the run began "
            f"(sha256 {detector.bundle.file_sha256[:16]}, not {work.model_sha256[:16]}): put the same there"
        )
    return detector, machine_source(detector.machines, *work.names)
