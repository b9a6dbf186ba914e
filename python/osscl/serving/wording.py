"""What is wrong with a request, in words for whoever sends it: not those of validators or of the console."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from osscl.support.paths import brief

_EXPECTED = {
    "bool_parsing": "true or false",
    "int_parsing": "a whole number",
    "float_parsing": "a number",
    "finite_number": "a number that is not infinite",
    "string_pattern_mismatch": "a number from 0 on, or mean",
    "literal_error": "{expected}",
    "greater_than_equal": "{ge:g} or more",
    "less_than_equal": "{le:g} or less",
    "string_too_long": "at most {max_length} characters",
}
"""What pydantic's kinds of errors are called here; the one pattern there is, is that of ``channel``."""


def wrong_words(errors: Sequence[Any], known: Iterable[str]) -> str:
    """Say what is wrong with a query, in one sentence.

    Parameters
    ----------
    errors : sequence of dict
        As pydantic tells them.
    known : iterable of str
        Words that may stand in it.

    Returns
    -------
    str
        The sentence.
    """
    told = []
    for error in errors:
        word = ".".join(str(part) for part in error["loc"] if part != "query")
        if error["type"] == "extra_forbidden":
            told.append(f"{word} is not known; known are {', '.join(known)}")
        elif error["type"] == "missing":
            told.append(f"{word} is missing: add {word}=... behind the question mark")
        else:
            told.append(f"{word} is {brief(str(error['input']))}; expected {_expected(error)}")
    return f"the query cannot be used: {'; '.join(told)}"


def _expected(error: Mapping[str, Any]) -> str:
    known = _EXPECTED.get(error["type"])
    return str(error["msg"]) if known is None else known.format(**error.get("ctx", {}))


def wrong_json(problem: str) -> str:
    """Say what is wrong with the JSON of a request, in one sentence.

    Parameters
    ----------
    problem : str
        As msgspec tells it, such as "Expected `float`, got `str` - at `$.samples[0]`".

    Returns
    -------
    str
        Such as "the JSON is not what is expected: samples[0]: expected float, got str".
    """
    what, _, place = problem.replace("`", "").partition(" - at ")
    place = place.removeprefix("$").removeprefix(".")
    said = what[:1].lower() + what[1:]
    return f"the JSON is not what is expected: {place + ': ' if place else ''}{said}"
