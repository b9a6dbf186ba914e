"""Parts of mutated_graphs.py: what is changed in a model's graph, and what comes of it."""
