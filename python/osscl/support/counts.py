"""Whole numbers that a caller may give, within bounds."""

import operator

from osscl.errors import ConfigError


def whole_number(name: str, value: object) -> int:
    """`value` as an int, where it is a whole number; a bool, a float or text is none."""
    try:
        if not isinstance(value, bool):
            return operator.index(value)  # type: ignore[arg-type]  # whether it is one is the question
    except TypeError:
        pass
    raise ConfigError(f"{name} is {value!r}; expected a whole number")


def checked_count(name: str, value: object, most: int) -> int:
    """`value` as an int from 1 to `most`."""
    count = whole_number(name, value)
    if count < 1:
        raise ConfigError(f"{name} is {count}; it must be at least 1")
    if count > most:
        raise ConfigError(f"{name} is {count}; it must be at most {most}")
    return count
