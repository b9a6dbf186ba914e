"""Machine sounds from physics, seeded: recordings of healthy and faulty machines in DCASE's layout.

>>> from osscl import synth
>>> key = synth.ClipKey("blower/id_00", seed=7)
>>> clip = synth.make_clip(key, synth.fault("bearing_defect", "moderate"))
>>> clip.shape
(160000,)
"""

from osscl.synth.clip import ClipKey, make_clip
from osscl.synth.dataset import DatasetPlan, PlannedClip, dataset_record, write_dataset
from osscl.synth.faults import Fault
from osscl.synth.machines import Machine, machine, machines
from osscl.synth.severity import FAULTS, SEVERITIES, fault

__all__ = [
    "FAULTS",
    "SEVERITIES",
    "ClipKey",
    "DatasetPlan",
    "Fault",
    "Machine",
    "PlannedClip",
    "dataset_record",
    "fault",
    "machine",
    "machines",
    "make_clip",
    "write_dataset",
]
