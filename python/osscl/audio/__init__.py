"""Recordings: files of any format decoded, cut and checked, as the samples that models take."""
