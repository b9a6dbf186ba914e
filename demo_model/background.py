"""Makes the background that ships, of normal recordings of synthetic machines that no model is trained on.

usage: osscl synth WORK --ids 20-29 --train 640 --seed 11 && python demo_model/background.py WORK
"""

import sys
from pathlib import Path

import msgspec

from osscl.audio.reading import AS_THEY_ARE
from osscl.enrolment.backgrounds import background_of
from osscl.enrolment.plan import plan_of

OUTPUT = Path(__file__).parents[1] / "python" / "osscl" / "models" / "background.json"
SOURCE = "40 synthetic machines of osscl.synth/1 (osscl synth --ids 20-29 --train 640 --seed 11)"


def main(folder: str) -> None:
    """Pool the normal recordings of a folder."""
    background = background_of(plan_of([folder]), AS_THEY_ARE, SOURCE)
    OUTPUT.write_bytes(msgspec.json.format(msgspec.json.encode(background)) + b"\n")
    sys.stdout.write(f"{background.n_machines} machines, {background.n_clips} clips -> {OUTPUT}\n")


if __name__ == "__main__":
    main(sys.argv[1])
