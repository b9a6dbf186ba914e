"""The exported file: container, manifest, hashes, and as much of ONNX as reading it needs."""
