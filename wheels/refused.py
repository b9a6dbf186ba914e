"""What is refused, in one sentence."""


class Refused(Exception):  # noqa: N818  # what it says is shown, not its name
    """Something that cannot be done as it was asked for."""
