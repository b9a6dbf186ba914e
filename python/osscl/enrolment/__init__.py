"""Normal recordings into a model file: memories of machines, and calibrations."""
