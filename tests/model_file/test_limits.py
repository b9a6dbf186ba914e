"""Detection limits in the manifest: written, read back, refused where they contradict themselves."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from osscl.enrolment import CalibrateOptions, calibrate
from osscl.errors import ModelFileError
from osscl.model_file.bundle import read_bundle, write_bundle
from osscl.model_file.decisions import StoredDecisions
from osscl.model_file.limits import DetectionLimit, MachineLimits
from osscl.model_file.manifest_json import decode_manifest, encode_manifest
from osscl.sensitivity.measuring import with_limits
from support.model_files import tiny_graph, tiny_manifest
from support.normal_recordings import write_normals
from support.older_manifests import of_schema
from support.remembering import calibration, normal_clips, stored_memory

MACHINE = "fan/id_00"
MODEL = tiny_graph().SerializeToString()


def limit(**changed: Any) -> DetectionLimit:
    fields: dict[str, Any] = {
        "change": "band", "text": "the band 1 to 2 kHz at +2.1 dB", "low_hz": 1000.0, "high_hz": 2000.0,
        "rate_hz": None, "duration_s": None, "unit": "dB",
        "a50": 1.0, "a90": 2.0, "a90_95": 2.1, "largest": 30.0,
    }  # fmt: skip
    return DetectionLimit(**(fields | changed))


def of_machine(rule: Any = "memory", *limits: DetectionLimit) -> MachineLimits:
    return MachineLimits(
        machine=MACHINE, rule=rule, false_alarm_rate=0.05, n_recordings=60, limits=limits or (limit(),)
    )


@pytest.fixture(scope="module")
def decisions() -> StoredDecisions:
    memory = stored_memory(MACHINE, normal_clips(0, 4))
    return StoredDecisions(
        memories=(memory,), calibrations=(calibration(MACHINE, "network", np.arange(4.0)),)
    )


def written(decisions: StoredDecisions, *limits: MachineLimits) -> bytes:
    return encode_manifest(replace(tiny_manifest(MODEL), decisions=replace(decisions, limits=limits)))


def test_limits_are_read_back(decisions: StoredDecisions) -> None:
    given = (of_machine("memory"), of_machine("network", limit(a90=None, a90_95=None), limit(largest=-30.0, a50=-1.0, a90=-2.0, a90_95=-9.0)))  # fmt: skip # noqa: E501
    read = decode_manifest(written(decisions, *given)).decisions
    assert read is not None
    assert read.limits == given


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (
            (of_machine("both"),),
            "`$.decisions.limits[0]` is of the rule both of fan/id_00, which has no calib",
        ),
        ((replace(of_machine(), machine="x"),), "is of the rule memory of x, which has no memory"),
        ((of_machine(), of_machine()), "`$.decisions.limits` holds ('fan/id_00', 'memory') twice"),
        ((of_machine("memory", limit(a90=9.0)),), "`$.decisions.limits[0].limits[0]` has a50 1.0, a90 9.0"),
        (
            (of_machine("memory", limit(a90=None)),),
            "expected sizes that rise, those that are not found left out",
        ),
        ((of_machine("memory", limit(a90_95=31.0)),), "largest 30.0; expected sizes that rise"),
        ((of_machine("memory", limit(), limit(low_hz=2000.0)),), "limits[1]` is of 2000 to 2000 Hz, no band"),
    ],
)
def test_limits_that_contradict_themselves_are_refused(
    decisions: StoredDecisions, limits: tuple[MachineLimits, ...], said: str
) -> None:
    with pytest.raises(ModelFileError) as refused:
        written(decisions, *limits)
    assert said in str(refused.value)


def test_a_document_of_schema_4_has_no_limits(decisions: StoredDecisions) -> None:
    old = of_schema(json.loads(written(decisions)), 4)
    read = decode_manifest(json.dumps(old).encode()).decisions
    assert read is not None
    assert read.limits == ()
    old["decisions"]["limits"] = []
    with pytest.raises(ModelFileError, match=r"newer than the document - at `\$.decisions.limits`"):
        decode_manifest(json.dumps(old).encode())


def test_new_limits_replace_those_of_the_same_machine_and_rule(decisions: StoredDecisions) -> None:
    manifest = replace(tiny_manifest(MODEL), decisions=decisions)
    first = with_limits(manifest, [of_machine("memory"), of_machine("network")])
    newer = replace(of_machine("memory"), n_recordings=99)
    found = with_limits(first, [newer]).decisions
    assert found is not None
    assert [(each.rule, each.n_recordings) for each in found.limits] == [("network", 60), ("memory", 99)]


def test_the_smallest_limit_of_each_kind_is_chosen() -> None:
    lowered = {"a50": -1.0, "a90": -2.0, "largest": -30.0}
    limits = of_machine(
        "memory",
        limit(text="a", a90_95=3.0),
        limit(text="b", a90_95=2.5),
        limit(text="c", a90_95=-4.0, **lowered),
        limit(text="d", a90_95=-3.0, **lowered),
        limit(text="e", change="tone", a50=None, a90=None, a90_95=None),
    )
    assert [each.text for each in limits.smallest()] == ["b", "d"]


def test_another_calibration_drops_the_limits_of_its_rule(decisions: StoredDecisions, tmp_path: Path) -> None:
    normals = write_normals(tmp_path / "fan" / "train", 4)
    held = replace(decisions, training_clips=(), limits=(of_machine("memory"), of_machine("network")))
    write_bundle(tmp_path / "m.onnx", MODEL, replace(tiny_manifest(MODEL), decisions=held))
    report = calibrate(tmp_path / "m.onnx", normals, tmp_path / "c.onnx", CalibrateOptions(machine=MACHINE))
    assert (
        "fan/id_00: its detection limits by the rule network were measured with its earlier memory or "
        "calibration and are left out; run osscl sensitivity --store again"
    ) in report.warnings
    left = read_bundle(tmp_path / "c.onnx").manifest.decisions
    assert left is not None
    assert [each.rule for each in left.limits] == ["memory"]
