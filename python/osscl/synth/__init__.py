"""Machine sounds from physics, seeded: recordings of healthy and faulty machines in DCASE's layout.

>>> from osscl import synth
>>> key = synth.ClipKey("blower/id_00", seed=7)
>>> clip = synth.make_clip(key, synth.fault("bearing_defect", "moderate"))
>>> clip.shape
(160000,)
"""

from osscl.synth.clip import ClipKey, evidence_of, make_clip
from osscl.synth.dataset import dataset_record, write_dataset
from osscl.synth.fault_kind import Evidence, Fault, SoundingFault
from osscl.synth.machines import Machine, machine, machines, machines_of_ids
from osscl.synth.operating_modes import MODES
from osscl.synth.plan import DatasetPlan, PlannedClip
from osscl.synth.severity import FAULTS, SEVERITIES, fault

__all__ = [
    "FAULTS",
    "MODES",
    "SEVERITIES",
    "ClipKey",
    "DatasetPlan",
    "Evidence",
    "Fault",
    "Machine",
    "PlannedClip",
    "SoundingFault",
    "dataset_record",
    "evidence_of",
    "fault",
    "machine",
    "machines",
    "machines_of_ids",
    "make_clip",
    "write_dataset",
]
