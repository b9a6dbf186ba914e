"""A rerun of the paper's experiment: what is run, what is published, the table that comes out."""
