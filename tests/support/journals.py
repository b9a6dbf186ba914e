"""A journal of the demonstration model, made without scoring anything."""

from pathlib import Path

from osscl.audio.candidate import Candidate
from osscl.journal.journal import Journal
from osscl.journal.settings import scorers_of
from osscl.model_file.bundle import read_bundle
from osscl.scoring.judges import Judges
from osscl.scoring.record import Record


def write_journal(path: Path) -> Path:
    """Write a journal of two recordings that are nowhere."""
    bundle = read_bundle("demo")
    settings = scorers_of(bundle.manifest, Judges(bundle.manifest))
    with Journal.open(path, settings, how={"model": str(bundle.path), "options": {}}) as journal:
        for candidate in journal.undone(Candidate(f"/nowhere/{name}.wav") for name in "ab"):
            journal.add(Record(path=candidate.path, machine="blower/id_00", score=1.5, rule="network"))
        journal.note_whole()
    return path
