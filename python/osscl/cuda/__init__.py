"""NVIDIA GPUs: which there are, the driver's calls, and the log-mel front end on them."""
