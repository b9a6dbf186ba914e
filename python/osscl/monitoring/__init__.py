"""Decisions over time: whether a machine still sounds like its calibration, and when to raise an alarm."""
