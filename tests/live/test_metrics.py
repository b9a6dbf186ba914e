"""Metrics as Prometheus reads them, over a real port."""

import socket
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from osscl.errors import OutputError
from osscl.live.metrics import served_metrics
from osscl.live.progress import Progress


def scraped(url: str) -> dict[tuple[str, str], float]:
    with urllib.request.urlopen(url, timeout=60) as answer:
        text = answer.read().decode()
    return {
        (sample.name.removeprefix("osscl_watch_"), "".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_is_scraped_is_the_progress_of_that_moment() -> None:
    progress = Progress()
    with served_metrics(progress, "127.0.0.1", 0) as url:
        assert scraped(url)["files_ready", ""] == 0
        progress.files.update(ok=3, corrupt=1)
        progress.anomalies["fan/id_00"] = 2
        progress.alarms.update({"fan/id_00": 1, "fan/id_02": 4})
        progress.standing = ["fan/id_02"]
        progress.n_ready, progress.n_unfinished, progress.is_folder_there = 7, 8, False
        progress.events_waiting = {"mqtt://localhost:1883/x": 9}
        progress.events_refused = {"mqtt://localhost:1883/x": 1}
        progress.n_timed, progress.seconds, progress.last_file_at = 4, 2.5, 1e9
        found = scraped(url)
    assert found.items() >= {
        ("files_total", "ok"): 3.0,
        ("files_total", "corrupt"): 1.0,
        ("anomalies_total", "fan/id_00"): 2.0,
        ("alarms_total", "fan/id_02"): 4.0,
        ("alarm_standing", "fan/id_00"): 0.0,
        ("alarm_standing", "fan/id_02"): 1.0,
        ("files_ready", ""): 7.0,
        ("files_unfinished", ""): 8.0,
        ("folder_there", ""): 0.0,
        ("events_waiting", "mqtt://localhost:1883/x"): 9.0,
        ("events_refused", "mqtt://localhost:1883/x"): 1.0,
        ("latency_seconds_count", ""): 4.0,
        ("latency_seconds_sum", ""): 2.5,
        ("last_file_timestamp_seconds", ""): 1e9,
    }.items()  # fmt: skip
    assert any(name == "process_resident_memory_bytes" for name, _ in found)


def test_a_port_that_is_taken_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OutputError, match=f"metrics cannot be served at 127.0.0.1 port {port}: Address"):
            served_metrics(Progress(), "127.0.0.1", port).__enter__()


def test_a_port_out_of_range_and_a_foreign_address_are_one_sentence() -> None:
    for address, port in (("127.0.0.1", 99_999), ("203.0.113.7", 0)):
        with pytest.raises(OutputError, match="metrics cannot be served at"):
            served_metrics(Progress(), address, port).__enter__()
