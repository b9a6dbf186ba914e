"""What a fleet needs: measured costs times assumptions, nothing else."""

import math
from typing import Any

from .assumptions import Assumptions

GB, TB = 1e9, 1e12
MANIFEST_KIB = 12 * 1024  # that osscl fills of a manifest


def needs(rule_cost: dict[str, Any], assumed: Assumptions) -> dict[str, float]:
    """Cores, hosts, memory, records and money of a fleet that scores by a rule."""
    busy = assumed.clips_a_second * rule_cost["cpu_ms"] / 1000
    cores = math.ceil(busy / assumed.utilisation)
    machine_kib = rule_cost.get("machines", {}).get("process_kib", 0.0)
    record_bytes = rule_cost["table_bytes"] + rule_cost["journal_bytes"]
    records_gb_a_day = assumed.clips_a_day * record_bytes / GB
    return {
        "busy_cores": busy,
        "cores": cores,
        "hosts": math.ceil(cores / assumed.host_cores),
        "memory_gib": cores * rule_cost["peak_mib"] / 1024 + assumed.machines * machine_kib / 2**20,
        "records_gb_a_day": records_gb_a_day,
        "price_cores_a_day": 24 * cores * assumed.price_core_hour,
        "price_records_a_day": records_gb_a_day * assumed.record_days * assumed.price_gb_month / 30,
    }


def recordings(assumed: Assumptions) -> dict[str, float]:
    """What the recordings themselves take, whatever scores them."""
    audio_gb_a_day = assumed.clips_a_day * assumed.clip_bytes / GB
    days = assumed.audio_days + assumed.flagged_share * assumed.flagged_days
    million_clips = assumed.clips_a_day / 1e6
    return {
        "gbit_a_second": assumed.clips_a_second * assumed.clip_bytes * 8 / 1e9,
        "audio_tb_a_day": audio_gb_a_day * GB / TB,
        "audio_tb_kept": audio_gb_a_day * days * GB / TB,
        "price_kept_a_day": audio_gb_a_day * days * assumed.price_gb_month / 30,
        "price_objects_a_day": million_clips * (assumed.price_million_puts + assumed.price_million_gets),
        "price_in_a_day": audio_gb_a_day * assumed.price_gb_in,
    }


def machines_of_a_file(machine_cost: dict[str, float]) -> int:
    """How many machines have room in one model file."""
    return int(MANIFEST_KIB / machine_cost["file_kib"])


def machines_of_a_host(rule_cost: dict[str, Any], assumed: Assumptions) -> dict[str, float]:
    """How many machines each part of a host lasts for; the smallest is what fails first."""
    clips_by = {
        "cores": assumed.utilisation * assumed.host_cores / (rule_cost["cpu_ms"] / 1000),
        "network card": assumed.utilisation * assumed.host_gbit * 1e9 / 8 / assumed.clip_bytes,
        "journal's writer": assumed.utilisation * 1e6 / assumed.journal_us,
    }
    return {part: clips * assumed.period_s for part, clips in clips_by.items()}
