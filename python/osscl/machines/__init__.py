"""Whose recording it is: names of machines in paths, data sets and tables."""
