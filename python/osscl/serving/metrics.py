"""What the server counts, for Prometheus."""

from time import perf_counter
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from osscl.scoring.record import Record

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_CLIPS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Metrics:
    """Counters of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "osscl_requests", "Requests answered.", ("route", "code"), registry=self._registry
        )
        self._seconds = Histogram(
            "osscl_request_seconds",
            "From the headers of a request to its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._recordings = Counter(
            "osscl_recordings", "Recordings by what became of them.", ("status",), registry=self._registry
        )
        self._anomalies = Counter(
            "osscl_anomalies", "Recordings that were flagged.", ("machine",), registry=self._registry
        )
        self._batch = Histogram(
            "osscl_batch_clips", "Recordings scored at once.", buckets=_CLIPS, registry=self._registry
        )

    def watch(self, name: str, what: str, value: Any) -> None:
        """Tell a value that changes by itself.

        Parameters
        ----------
        name, what : str
            Of the metric.
        value : callable
            Gives it.
        """
        Gauge(name, what, registry=self._registry).set_function(value)

    def count_answer(self, route: str, code: int, began: float) -> None:
        """Count an answer to a request that came at `began`, by `now`."""
        self._requests.labels(route, code).inc()
        self._seconds.labels(route).observe(now() - began)

    def count_refusal(self, code: int) -> None:
        """Count an answer to what never became a request: it has no address."""
        self._requests.labels("none", code).inc()

    def count_record(self, record: Record) -> None:
        """Count a recording that was scored."""
        self._recordings.labels(record.status).inc()
        if record.is_anomaly:
            self._anomalies.labels(record.machine).inc()

    def count_unscored(self, status: str) -> None:
        """Count a recording that cannot be scored."""
        self._recordings.labels(status).inc()

    def count_batch(self, n_clips: int) -> None:
        """Count a batch."""
        self._batch.observe(n_clips)

    def exposition(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return generate_latest(self._registry)


def now() -> float:
    """Seconds, for `Metrics.count_answer`."""
    return perf_counter()
