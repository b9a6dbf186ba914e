"""TensorRT: engines built from the model's graph, kept in a cache, and run."""
