"""Figures of the format page are recomputed from its own text, and held against the code."""

import hashlib
import json
import math
import random
import re
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest

import osscl
from osscl.config import FrontendConfig
from osscl.errors import ConfigError
from osscl.model_file.bundle import Bundle, read_bundle
from osscl.model_file.golden import golden_clips
from osscl.scoring.rule import anomaly_score
from support.format_page import section, table
from support.reference_log_mel import mel_filter_bank, reference_log_mel


@pytest.fixture(scope="module")
def demo() -> Bundle:
    return read_bundle("demo")


# Front end: hashes, notation of numbers, limits


def written(number: float) -> str:
    """A number by the rules of the section "Notation of numbers", step by step."""
    sign = "-" if math.copysign(1.0, number) < 0 else ""
    if number == 0:
        return sign + "0.0"
    shortest = Decimal(repr(abs(number))).normalize()
    digits, e = "".join(map(str, shortest.as_tuple().digits)), shortest.adjusted()
    if not -5 <= e <= 15:
        return f"{sign}{digits[0]}{'.' if digits[1:] else ''}{digits[1:]}e{e}"
    if e < 0:
        return f"{sign}0.{'0' * (-e - 1)}{digits}"
    return f"{sign}{digits[: e + 1].ljust(e + 1, '0')}.{digits[e + 1 :] or '0'}"


def settings_hash(document: str) -> str:
    """Hash of settings by the page alone."""
    integers = {"sample_rate_hz", "n_fft", "hop_length", "n_mels"}
    members = []
    for name, value in sorted(json.loads(document).items()):
        if isinstance(value, str):
            members.append(f'"{name}":"{value}"')
        else:
            members.append(f'"{name}":{value if name in integers else written(float(value))}')
    return hashlib.sha256(f"{{{','.join(members)}}}".encode()).hexdigest()


def hash_examples() -> list[tuple[str, str]]:
    text = section("Hash of the front end")
    examples = re.findall(r"```\n(\{.*\})\n```\n\nwith hash `([0-9a-f]{64})`", text)
    assert len(examples) == 3
    return examples


def test_the_first_example_is_the_default() -> None:
    document, stated = hash_examples()[0]
    assert msgspec.json.decode(document, type=FrontendConfig) == FrontendConfig()
    assert stated == FrontendConfig().sha256


@pytest.mark.parametrize(("document", "stated"), hash_examples())
def test_hashes_of_front_ends(document: str, stated: str) -> None:
    assert hashlib.sha256(document.encode()).hexdigest() == stated
    assert settings_hash(document) == stated
    assert msgspec.json.decode(document, type=FrontendConfig).sha256 == stated
    respelt = document.replace("8000.0", "8e3").replace('"f_min_hz":0.0', '"f_min_hz":0')
    assert settings_hash(respelt) == stated


@pytest.mark.parametrize("row", table("Notation of numbers", "number"), ids=lambda row: row[0])
def test_notation_of_numbers(row: list[str]) -> None:
    number, stated, by_python = float(row[0]), row[1], row[2]
    assert written(number) == stated
    assert msgspec.json.encode(number).decode() == stated
    assert json.dumps(number) == by_python


def test_the_rule_for_numbers_holds_for_all_sizes() -> None:
    draw = random.Random(1)
    numbers = [draw.uniform(-10, 10) * 10.0 ** draw.randint(-40, 40) for _ in range(5000)]
    numbers += [float(f"{draw.randint(1, 999)}e{draw.randint(-12, 24)}") for _ in range(5000)]
    for number in [*numbers, -0.0, 5e-324, 1e-5, 9.999999999999999e-6, 1e16, 9999999999999998.0]:
        assert msgspec.json.encode(number).decode() == written(number)


def is_accepted(**settings: float) -> bool:
    try:
        FrontendConfig(**settings)  # type: ignore[arg-type]
    except ConfigError:
        return False
    return True


def test_settings_and_their_limits() -> None:
    rows = table("Front end", "field")
    default = msgspec.to_builtins(FrontendConfig())
    assert {row[0]: row[2].strip('"') for row in rows} == {
        name: str(value) for name, value in default.items()
    }
    limits = {row[0]: row[3] for row in rows}
    hops = [hop for hop in range(1, 5000) if is_accepted(hop_length=hop)]
    assert limits["hop_length"] == (
        f"a multiple of 4 that divides `n_fft`: {', '.join(map(str, hops[:3]))}, … {hops[-1]}"
    )
    assert all(hop % 4 == 0 and 2048 % hop == 0 for hop in hops)
    bands = [n_mels for n_mels in range(2000) if is_accepted(n_mels=n_mels)]
    assert limits["n_mels"] == f"{bands[0]} to {bands[-1]}"
    assert limits["n_fft"] == "this number alone"
    assert [n_fft for n_fft in (1024, 2047, 2048, 4096) if is_accepted(n_fft=n_fft)] == [2048]
    assert limits["sample_rate_hz"] == "at least 1"
    assert not is_accepted(sample_rate_hz=0)
    assert is_accepted(sample_rate_hz=1, f_max_hz=0.5)
    assert limits["f_min_hz"] == "at least 0, below `f_max_hz`"
    assert [f for f in (-1.0, 0.0, 7999.9, 8000.0) if is_accepted(f_min_hz=f)] == [0.0, 7999.9]
    assert limits["f_max_hz"] == "at most half of `sample_rate_hz`"
    assert [f for f in (0.1, 8000.0, 8000.1) if is_accepted(f_max_hz=f)] == [0.1, 8000.0]
    floors = re.fullmatch(r"(\S+) to (\S+)", limits["power_floor"])
    assert floors is not None
    lowest, highest = map(float, floors.groups())
    assert highest == np.finfo(np.float32).max
    assert is_accepted(power_floor=lowest)
    assert is_accepted(power_floor=highest)
    for floor in (0.999 * lowest, math.nextafter(highest, math.inf), 1e39, math.inf, math.nan):
        assert not is_accepted(power_floor=floor)
    assert "Zero is `0.0`, also where the manifest has -0.0" in section("Notation of numbers")
    assert FrontendConfig(f_min_hz=-0.0).sha256 == FrontendConfig().sha256


# Golden clips, log-mel, score


def test_golden_clips() -> None:
    rows = table("Golden clips", "clip")
    for clip, (number, samples, digest) in zip(golden_clips(len(rows)), rows, strict=True):
        assert clip[:4].tolist() == [int(sample) for sample in samples.split(", ")], number
        assert hashlib.sha256(clip.astype("<i2").tobytes()).hexdigest() == digest
    x = 1
    for factor in (0x8411A90F, 0x4D0A6767):
        x = (x ^ x >> 16) * factor % 2**32
    assert f"`hash(1)` is 0x{x ^ x >> 16:08X}." in section("Golden clips")


def test_log_mel_of_golden_clips() -> None:
    clips = golden_clips(4)
    reference, _ = reference_log_mel(clips / 32768.0)
    ours = osscl.log_mel(clips)
    assert np.abs(ours - reference).max() < 1e-4  # as the page says
    for row in table("Log-mel", "m"):
        band, frame = int(row[0]), int(row[1])
        stated = np.array([float(cell) for cell in row[2:]])
        assert np.abs(reference[:, band, frame] - stated).max() <= 0.51e-4
        assert np.abs(ours[:, band, frame] - stated).max() <= 2e-4


def test_reach_of_the_filters() -> None:
    reaches = re.findall(r"ilter (\d+) (?:is above zero )?for k = (\d+) … (\d+)", section("Log-mel"))
    assert len(reaches) == 3
    for number, first, last in reaches:
        bins = np.flatnonzero(mel_filter_bank()[int(number)])
        assert (bins[0], bins[-1]) == (int(first), int(last))


def by_the_page(c: list[float], t: int, m: float, s: float) -> float:
    """The scoring rule as the page writes it."""
    sine = math.sqrt(max(1 - c[t] ** 2, 1e-12))
    z = [s * each for each in c]
    if c[t] > math.cos(math.pi - m):
        z[t] = s * (c[t] * math.cos(m) - sine * math.sin(m))
    else:
        z[t] = s * (c[t] - m * math.sin(math.pi - m))
    return math.log(sum(math.exp(each - z[t]) for each in z))


@pytest.mark.parametrize("row", table("Scoring rule", "cosines"), ids=lambda row: f"{row[0]} as {row[1]}")
def test_examples_of_the_scoring_rule(row: list[str]) -> None:
    cosines, claimed, stated = [float(cell) for cell in row[0].split(", ")], int(row[1]), float(row[2])
    assert by_the_page(cosines, claimed, 0.4, 30.0) == pytest.approx(stated, abs=1e-8)
    ours = anomaly_score(np.array([cosines]), np.array([claimed]), margin=0.4, scale=30.0)
    assert ours[0] == pytest.approx(stated, abs=1e-8)
    assert (row[3] == "the other branch") == (cosines[claimed] <= math.cos(math.pi - 0.4))


def test_the_demonstration_model_can_be_checked_with_a_log_mel_of_ones_own(demo: Bundle) -> None:
    parity, model = demo.manifest.network.parity, demo.manifest.network.model
    clips = golden_clips(parity.count)
    waveform = (clips / 32768.0).astype(np.float32)
    log_mel = reference_log_mel(clips / 32768.0)[0].astype(np.float32)
    session = onnxruntime.InferenceSession(demo.model)
    embedding, cosine = session.run(["embedding", "cosine"], {"waveform": waveform, "log_mel": log_mel})

    def scores(cosines: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        return np.array(
            [
                anomaly_score(cosines, np.full(len(clips), label), margin=model.margin, scale=model.scale)
                for label in range(len(model.classes))
            ]
        )

    expected = np.array(parity.cosine, np.float32)
    assert np.abs(embedding - np.array(parity.embedding, np.float32)).max() <= parity.tolerance.embedding
    assert np.abs(cosine - expected).max() <= parity.tolerance.cosine
    assert np.abs(scores(cosine) - scores(expected)).max() <= parity.tolerance.score
    allowed = parity.tolerance
    stated = re.search(r"(\S+), (\S+) and (\S+) are allowed", section("What can be checked"))
    assert stated is not None
    assert [float(each) for each in stated.groups()] == [allowed.embedding, allowed.cosine, allowed.score]
