"""A new site in one call: normal recordings in, a model file that decides and a page to judge it by out."""
