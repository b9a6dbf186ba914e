"""Memories of machines from normal recordings, without a training; and calibrations of what a network says.

>>> from osscl.enrolment import EnrolOptions, enroll
>>> how = EnrolOptions(machine="press/id_09")
>>> made = enroll("press_recordings", "press.onnx", options=how)                 # doctest: +SKIP
>>> [(each.machine, each.n_clips, each.smallest_rate) for each in made.machines]  # doctest: +SKIP
[('press/id_09', 40, 0.024390243902439025)]
"""

from osscl.enrolment.calibrate_options import CalibrateOptions
from osscl.enrolment.calibrating import calibrate
from osscl.enrolment.calibration_report import CalibratedMachine, CalibrationReport
from osscl.enrolment.enrolling import enroll
from osscl.enrolment.left_out import LeftOut
from osscl.enrolment.options import EnrolOptions
from osscl.enrolment.report import EnrolledMachine, Enrolment, UnusableRecording

__all__ = [
    "CalibrateOptions",
    "CalibratedMachine",
    "CalibrationReport",
    "EnrolOptions",
    "EnrolledMachine",
    "Enrolment",
    "LeftOut",
    "UnusableRecording",
    "calibrate",
    "enroll",
]
