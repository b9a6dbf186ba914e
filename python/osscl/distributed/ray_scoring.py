"""Recordings to records by Ray Data: an actor pool of workers, and the proof that each came once."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from osscl.audio.candidate import Candidate
from osscl.distributed.ledger import Ledger
from osscl.distributed.letters import Told, answers, letters
from osscl.distributed.ray_cluster import Cluster
from osscl.distributed.sharing import Share
from osscl.distributed.work import Work
from osscl.distributed.worker import Worker
from osscl.errors import DistributedError, MachineError
from osscl.model_file.bundle import Bundle
from osscl.scoring.judges import Judges
from osscl.scoring.left_out import LeftOut
from osscl.scoring.record import Record, ends_file
from osscl.support.plurals import counted, verb


class RayLedger:
    """The ledger, which one process of the cluster keeps for all.

    Parameters
    ----------
    handle : ray.actor.ActorHandle
        That process.
    """

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def _ask(self, question: str, number: int) -> Any:
        import ray

        return ray.get(getattr(self._handle, question).remote(number))

    def begin(self, first: int) -> tuple[int, bool]:
        """As `Ledger.begin`."""
        return self._ask("begin", first)  # type: ignore[no-any-return]

    def end(self, first: int) -> None:
        """As `Ledger.end`."""
        self._ask("end", first)

    def try_one(self, number: int) -> int:
        """As `Ledger.try_one`."""
        return self._ask("try_one", number)  # type: ignore[no-any-return]

    def done_one(self, number: int) -> None:
        """As `Ledger.done_one`."""
        self._ask("done_one", number)


@dataclass
class RayScoring:
    """A run of workers; stands for the detector where a run is described.

    Attributes
    ----------
    cluster : Cluster
        Where they run.
    share : Share
        What each gets.
    work : Work
        What they do.
    bundle : Bundle
        The model file.
    judges : Judges
        As theirs, to tell of decisions.
    left_out : LeftOut
        What was not scored of long recordings.
    n_ended : int
        Workers that ended in the middle of a batch.
    """

    cluster: Cluster
    share: Share
    work: Work
    bundle: Bundle
    judges: Judges
    left_out: LeftOut = field(default_factory=LeftOut)
    n_ended: int = 0
    _computed: dict[str, Any] = field(default_factory=dict)
    _n_sent: int = 0
    _n_came: int = 0

    @property
    def clip_s(self) -> float:
        """Seconds of sound that one score is of."""
        manifest = self.bundle.manifest
        return manifest.clip.n_samples / manifest.front_end.settings.sample_rate_hz

    @property
    def facts(self) -> dict[str, Any]:
        """What computed, as for a detector; and who, and whether each recording came once."""
        return {
            **self._computed,
            "distributed": {
                "runner": f"ray {self.cluster.ray.__version__}",
                "address": self.cluster.where,
                "workers": self.share.workers,
                "threads_each": self.share.threads,
                "gpus_each": self.share.gpus,
                "workers_that_ended": self.n_ended,
                "files_sent": self._n_sent,
                "files_back_once": self._n_came,
            },
        }

    def scored(self, candidates: Iterable[Candidate]) -> Iterator[Record]:
        """Score recordings, in their order.

        Parameters
        ----------
        candidates : iterable of Candidate
            The recordings; their names are held in memory.

        Yields
        ------
        Record
            The lines of each.

        Raises
        ------
        DistributedError
            Workers end faster than anything gets done, the cluster is lost, or a recording came twice or not
            at all.
        OssclError
            What a worker could not work with, such as a model file that it does not find.
        """
        ray = self.cluster.ray
        # no processor: it would take one from the workers
        ledger = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(Ledger).remote()
        try:
            yield from self._records(self._tables(candidates, RayLedger(ledger)))
            self.n_ended = ray.get(ledger.ended.remote())
        except ray.exceptions.RayTaskError:
            raise  # a fault of the code, with its trace
        except ray.exceptions.RayError as error:
            reason = str(error).partition("\n")[0].rstrip(".")
            raise DistributedError(f"Ray at {self.cluster.where} broke off: {reason}") from error
        if self._n_came != self._n_sent:
            raise DistributedError(
                f"{counted(self._n_sent, 'file')} {verb(self._n_sent, 'was', 'were')} given to Ray and "
                f"{self._n_came} came back; expected "
                "each once"
            )

    def _tables(self, candidates: Iterable[Candidate], ledger: RayLedger) -> Iterator[Any]:
        """What workers answer, in the order of the letters."""
        ray, share = self.cluster.ray, self.share
        blocks = list(letters(candidates, share.batch))
        self._n_sent = sum(block.num_rows for block in blocks)
        context = ray.data.DataContext.get_current()
        context.execution_options.preserve_order = True
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        compute = replace(self.work.compute, threads=share.threads)
        dataset = ray.data.from_blocks(blocks).map_batches(
            Worker,
            fn_constructor_args=(replace(self.work, compute=compute), ledger, str(Path.cwd())),
            compute=ray.data.ActorPoolStrategy(size=share.workers),
            num_cpus=share.threads,
            num_gpus=share.gpus or None,
            batch_size=share.batch,
            batch_format="pyarrow",
        )
        yield from dataset.iter_batches(batch_size=None, batch_format="pyarrow")

    def _records(self, tables: Iterable[Any]) -> Iterator[Record]:
        for answer in (each for table in tables for each in answers(table)):
            answer.told.raise_error()
            self._count(answer.told)
            for record, number in zip(answer.records, answer.numbers, strict=True):
                if number != self._n_came:
                    raise DistributedError(
                        f"file {number} came where file {self._n_came} was next; expected each once, in order"
                    )
                self._n_came += ends_file(record)
                self._meet(record)
                yield record

    def _count(self, told: Told) -> None:
        self._computed = self._computed or told.facts
        self.left_out.add(told.left_out)

    def _meet(self, record: Record) -> None:
        """Let the judges know the machine, as they do where they judge themselves."""
        if record.machine is not None:
            with suppress(MachineError):
                self.judges.of(record.machine, record.path)
