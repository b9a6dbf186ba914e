"""``python -m osscl``: the console, where its script is not on the way."""

from osscl.cli import main

main()
