"""Object stores and other places that fsspec reaches by URL: listed, read ahead, written."""
