"""The hard set: what makes it hard. Frozen before any method was tried on it, and changed for none."""

FAINTER_DB = 6.0
"""What its faults add is lower by this than elsewhere; what they change, they change by as much less."""
SNR_DB = (-6.0, 6.0)
"""Bounds of the machine's level above the background noise."""
FURTHER_FAULTS = ("event", "changed_speed", "missing_beat", "reversed_cycle")
"""What its machines can have beside the faults of their type."""
