"""A model in Triton Inference Server: a repository of models written, and what its Python backend runs."""
