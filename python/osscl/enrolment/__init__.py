"""Memories of machines from normal recordings, without a training.

>>> from osscl.enrolment import EnrolOptions, enroll
>>> how = EnrolOptions(machine="press/id_09")
>>> made = enroll("press_recordings", "press.onnx", options=how)                 # doctest: +SKIP
>>> [(each.machine, each.n_clips, each.smallest_rate) for each in made.machines]  # doctest: +SKIP
[('press/id_09', 40, 0.024390243902439025)]
"""

from osscl.enrolment.enrolling import enroll
from osscl.enrolment.options import EnrolOptions
from osscl.enrolment.report import EnrolledMachine, Enrolment, UnusableRecording

__all__ = ["EnrolOptions", "EnrolledMachine", "Enrolment", "UnusableRecording", "enroll"]
