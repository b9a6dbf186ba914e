"""Scores batches of paths, in whatever process it is called: what Ray, Spark and other engines are given."""

import os
from collections.abc import Iterator
from typing import Any

from osscl.audio.reading import Fit
from osscl.backends import ComputeOptions
from osscl.config import Channel, Padding
from osscl.distributed.frames import candidates_in, spark_schema, table_of
from osscl.distributed.work import Work, named_model
from osscl.machines.labels import MachineNames
from osscl.model_file.bundle import read_bundle
from osscl.model_file.decisions import Rule
from osscl.scoring.judge_making import AUTO, DomainChoice
from osscl.scoring.judges import Judges
from osscl.storage.urls import place_of


class ScoreBatch:
    """Batches of paths in, batches of records out.

    It pickles as what it was asked for. Each process that calls it opens the model once, and finds
    model, table of labels and recordings at the paths that are named here.

    Parameters
    ----------
    model : path-like
        As for `osscl.load`; read here once, so that a wrong file is told before any process starts.
    machine : str, optional
        Machine ID of all files; by default folders and names say it.
    labels : path-like, optional
        Table that names the machine of each file.
    resample, channel, pad
        As for `Detector.score_files`.
    hop_s : float, optional
        As for `Detector.score_files`: a row a window, then those of the whole recording.
    rule, false_alarm_rate, domain, device, backend, streams, batch_size
        As for `osscl.load`.
    threads : int
        Processors that each process uses: engines start a process a processor.

    Attributes
    ----------
    spark_schema : str
        The columns of what comes out, as ``mapInPandas`` of Spark wants them told.

    Raises
    ------
    OssclError
        As `osscl.load` raises it, for what can be told without a device.
    """

    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        machine: str | None = None,
        labels: str | os.PathLike[str] | None = None,
        resample: bool = False,
        channel: Channel | None = None,
        pad: Padding | None = None,
        hop_s: float | None = None,
        rule: Rule | None = None,
        false_alarm_rate: float | None = None,
        domain: DomainChoice = AUTO,
        device: str = "auto",
        backend: str | None = None,
        threads: int = 1,
        streams: int | None = None,
        batch_size: int | None = None,
    ) -> None:
        bundle = read_bundle(model)
        Judges(bundle.manifest, rule, false_alarm_rate, domain)  # what cannot be decided so is told here
        self._work = Work(
            named_model(bundle, model),
            bundle.file_sha256,
            MachineNames(machine, None if labels is None else str(place_of(labels).absolute())),
            Fit(resample, channel, pad),
            hop_s=hop_s,
            rule=rule,
            false_alarm_rate=false_alarm_rate,
            domain=domain,
            compute=ComputeOptions(device, backend, threads, streams, batch_size),
        )

    @property
    def spark_schema(self) -> str:
        """The columns of what comes out, as `mapInPandas` wants them told."""
        return spark_schema()

    def __call__(self, batch: Any) -> Any:
        """Score a batch, or each of an iterator's.

        Parameters
        ----------
        batch : pyarrow.Table, pandas.DataFrame, or iterator of either
            Its column ``path`` names the recordings; others are not looked at.

        Returns
        -------
        pyarrow.Table, pandas.DataFrame, or iterator of either
            Of the kind that came: the lines of all recordings, in order, in the columns of `Record`.

        Raises
        ------
        InputError
            There is no column ``path``, or a cell of it is no path.
        OssclError
            The model cannot be opened here, or failed.
        """
        return map(self._scored, batch) if isinstance(batch, Iterator) else self._scored(batch)

    def _scored(self, batch: Any) -> Any:
        records, _ = self._work.scored(candidates_in(batch))
        table = table_of(records)
        return table if hasattr(batch, "column_names") else table.to_pandas(integer_object_nulls=True)
