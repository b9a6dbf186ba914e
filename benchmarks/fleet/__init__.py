"""A fleet of machines that send clips: what it costs, and a simulation of it with failures."""
