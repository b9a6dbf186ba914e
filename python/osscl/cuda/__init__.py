"""NVIDIA GPUs: the driver, and the front end that runs there."""
