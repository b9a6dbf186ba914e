"""What Prometheus scrapes of a watch: its progress, on a port of its own."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from osscl.errors import OutputError
from osscl.live.progress import Progress
from osscl.support.failed_import import needing

_PREFIX = "osscl_watch"


@contextmanager
def served_metrics(progress: Progress, address: str, port: int) -> Iterator[str]:
    """Serve metrics until the work is done.

    Parameters
    ----------
    progress : Progress
        What they tell.
    address : str
        Where to listen, such as 127.0.0.1.
    port : int
        On which port; 0 takes one that is free.

    Yields
    ------
    str
        Where they are, a URL.

    Raises
    ------
    MissingExtraError
        The package prometheus-client is not installed.
    OutputError
        The port cannot be listened on.
    """
    with needing("--metrics-port", "watch", "serve", package="prometheus-client"):
        from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Collector(progress))  # all that it needs is `collect`
    try:
        server, thread = start_http_server(port, address, registry)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputError(
            f"metrics cannot be served at {address} port {port}: {reason}; another program may listen there: "
            "choose another --metrics-port"
        ) from error
    try:
        host = f"[{address}]" if ":" in address else address
        yield f"http://{host}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Collector:
    """Gives progress as Prometheus wants it, whenever it asks."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def collect(self) -> Iterator[Any]:
        """Give all metrics."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily

        progress = self._progress

        def counter(name: str, text: str, label: str, values: Mapping[str, float]) -> Any:
            return _with_labels(CounterMetricFamily(f"{_PREFIX}_{name}", text, labels=[label]), values)

        def gauge(name: str, text: str, value: float) -> Any:
            return GaugeMetricFamily(f"{_PREFIX}_{name}", text, value=value)

        yield counter("files", "Files scored, or that could not be.", "status", progress.files)
        yield counter("anomalies", "Clips that were flagged.", "machine", progress.anomalies)
        yield counter("alarms", "Alarms raised.", "machine", progress.alarms)
        standing = dict.fromkeys([*progress.alarms], 0) | dict.fromkeys([*progress.standing], 1)
        family = GaugeMetricFamily(
            f"{_PREFIX}_alarm_standing", "Whether an alarm stands.", labels=["machine"]
        )
        yield _with_labels(family, standing)
        yield gauge("files_ready", "Files that wait to be scored.", progress.n_ready)
        yield gauge("files_unfinished", "Files that are not whole yet.", progress.n_unfinished)
        yield gauge("folder_there", "Whether the folder is there.", progress.is_folder_there)
        for name, text, values in (
            ("events_waiting", "Events that a receiver does not have yet.", progress.events_waiting),
            ("events_refused", "Events that a receiver will never take.", progress.events_refused),
        ):
            yield _with_labels(GaugeMetricFamily(f"{_PREFIX}_{name}", text, labels=["receiver"]), values)
        yield SummaryMetricFamily(
            f"{_PREFIX}_latency_seconds",
            "Seconds from a file's being whole to its being scored.",
            count_value=progress.n_timed,
            sum_value=progress.seconds,
        )
        if progress.last_file_at is not None:
            yield gauge(
                "last_file_timestamp_seconds", "When the last file was scored.", progress.last_file_at
            )


def _with_labels(family: Any, values: Mapping[str, float]) -> Any:
    for label, value in sorted(dict(values).items()):  # a copy at once: it changes meanwhile
        family.add_metric([label], value)
    return family
