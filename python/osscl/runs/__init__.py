"""Whole runs over folders: the walk, the tables, the record of the run."""
