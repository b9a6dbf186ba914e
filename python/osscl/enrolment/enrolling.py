"""Normal recordings into a model file: `enroll`."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.enrolment.memories import Changed, changed_memories
from osscl.enrolment.options import EnrolOptions
from osscl.enrolment.plan import Plan, plan_of
from osscl.enrolment.normals import Normals, read_normals
from osscl.enrolment.report import Enrolment, UnusableRecording
from osscl.enrolment.warnings import warnings_of, warnings_of_memories
from osscl.errors import ConfigError, NoRecordingsError
from osscl.model_file.bundle import Bundle, read_bundle, write_bundle
from osscl.model_file.decisions import StoredDecisions
from osscl.model_file.manifest import Manifest, Producer
from osscl.model_file.memories_alone import identity_graph, manifest_of_memories
from osscl.support.installed import version_of
from osscl.support.outputs import check_output
from osscl.support.paths import printable


def enroll(
    normals: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    model: str | os.PathLike[str] | None = None,
    *,
    machine: str | None = None,
    recording: str | None = None,
    resample: bool = False,
) -> Enrolment:
    ...
