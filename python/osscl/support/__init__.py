"""What every room uses and none is about: files, paths, packages, JSON, threads."""
