"""The journal of a run: one SQLite file that knows what became of every recording, whatever ends the run."""
