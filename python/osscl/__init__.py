"""Inference SDK for anomalous machine sound (work in progress: filled when the rooms below exist)."""
