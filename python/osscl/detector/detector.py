"""Detector: an exported model, opened on a device, that scores waveforms and files."""

import os
from functools import partial
from typing import Any

from osscl.backends import DEFAULT_OPTIONS, Backend, ComputeOptions
from osscl.detector.computing import Computing, Lanes
from osscl.detector.files import ScoresFiles
from osscl.model_file.bundle import DEMO, Bundle, read_bundle
from osscl.model_file.decisions import Rule
from osscl.model_file.manifest import Manifest
from osscl.scoring.judge_making import AUTO, DomainChoice
from osscl.scoring.judges import Judges
from osscl.support.plurals import plural

_MAX_NAMED = 3


class Detector(ScoresFiles):
    """An exported model, opened on a device; made by `osscl.load`.

    Several threads may use it at once. It pickles as its absolute path and its options. Used in a forked
    child, it opens the model again; one on a GPU refuses.

    Parameters
    ----------
    model : path-like
        As for `osscl.load`.
    options : ComputeOptions, optional
        On what the model is computed, and how.
    rule : {"network", "memory", "both", "embedding"}, optional
        As for `osscl.load`.
    false_alarm_rate : float, optional
        As for `osscl.load`.
    domain : {"auto", "unknown", "source", "target"}
        As for `osscl.load`.

    Attributes
    ----------
    manifest : Manifest
        What the model file says of itself.
    """

    def __init__(
        self,
        model: str | os.PathLike[str],
        options: ComputeOptions = DEFAULT_OPTIONS,
        *,
        rule: Rule | None = None,
        false_alarm_rate: float | None = None,
        domain: DomainChoice = AUTO,
    ) -> None:
        self._bundle = read_bundle(model)
        self._model = DEMO if os.fspath(model) == DEMO else str(self._bundle.path.absolute())
        self._how = {"rule": rule, "false_alarm_rate": false_alarm_rate, "domain": domain}
        judges = Judges(self._bundle.manifest, rule, false_alarm_rate, domain)
        computing = Computing(self._bundle, options, with_network=judges.may_need_network)
        super().__init__(self._bundle.manifest, judges, computing)

    @property
    def manifest(self) -> Manifest:
        """What the model file says of itself."""
        return self._bundle.manifest

    @property
    def bundle(self) -> Bundle:
        """The model file, with its hashes."""
        return self._bundle

    @property
    def judges(self) -> Judges:
        """How each machine is scored and decided."""
        return self._judges

    @property
    def backend(self) -> Backend:
        """What computes the model in this process."""
        return self._computing.backend()

    @property
    def facts(self) -> dict[str, Any]:
        """What really computes: backend, its version, device, precision, threads."""
        return dict(self._computing.backend().facts)

    def lanes(self) -> Lanes:
        """Say how many threads keep the device busy by `score_batch`, as a folder run does by its pipeline.

        Returns
        -------
        Lanes
            Threads, and clips in each of their batches at most.
        """
        return self._computing.lanes()

    def __repr__(self) -> str:
        machines = self.machines
        shown = machines if len(machines) <= _MAX_NAMED + 1 else (*machines[:_MAX_NAMED], "...")
        return (
            f"<osscl.Detector {self._model!r} on {self._computing.device}: "
            f"{len(machines)} {plural(len(machines), 'machine')} ({', '.join(shown)})>"
        )

    def close(self) -> None:
        """Give back threads and memory; what others score meanwhile ends in a BackendError."""
        self._computing.close()

    def __enter__(self) -> "Detector":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(Detector, **self._how), (self._model, self._computing.options)  # type: ignore[arg-type]
