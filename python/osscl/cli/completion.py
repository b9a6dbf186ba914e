"""What a shell offers for values: the model that ships with osscl, machines of a model, words of a choice."""

import os
import shlex
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from osscl.errors import OssclError
from osscl.support.urls import is_url

_WORDS_IN_BASH = "COMP_WORDS"
_WORDS_ELSEWHERE = "_TYPER_COMPLETE_ARGS"
DEMO, MODEL_SUFFIX = "demo", ".onnx"


def one_of(*words: str) -> Callable[[str], list[str]]:
    """Offer a few words."""

    def offer(incomplete: str) -> list[str]:
        return [word for word in words if word.startswith(incomplete)]

    return offer


def models(incomplete: str) -> list[str]:
    """Offer demo beside model files and folders here; else the shell completes as it does by itself."""
    if not DEMO.startswith(incomplete):
        return []
    here: list[str] = []
    with suppress(OSError), os.scandir() as entries:  # else: the working folder is gone, or closed
        mine = (each for each in entries if each.name.startswith(incomplete))
        here += (
            each.name + ("/" if each.is_dir() else "")
            for each in mine
            if each.is_dir() or each.name.endswith(MODEL_SUFFIX)
        )
    return [DEMO, *(name for name in sorted(here) if incomplete or not name.startswith("."))]


def machines(incomplete: str) -> list[str]:
    """Offer machines of the model that the line names so far; none where it names none, or a broken one."""
    from osscl.model_file.bundle import read_bundle  # every command offers this, and few are asked

    for word in _words_so_far():
        if (word == DEMO or word.lower().endswith(MODEL_SUFFIX)) and not is_url(word):
            try:
                known = read_bundle(Path(word).expanduser() if word != DEMO else word).manifest.machines
            except OssclError:
                return []
            return [machine for machine in known if machine.startswith(incomplete)]
    return []


def _words_so_far() -> list[str]:
    line = os.environ.get(_WORDS_IN_BASH) or os.environ.get(_WORDS_ELSEWHERE, "")
    try:
        return shlex.split(line)
    except ValueError:  # a quotation that is not ended yet
        return line.split()
