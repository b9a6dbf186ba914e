"""An extra of which a part is there is told from one that is whole."""

import pytest

from osscl.health.packages import lacking_beside


@pytest.mark.parametrize(
    ("package", "there", "lacking"),
    [
        ("jinja2", {"jinja2"}, ["pillow"]),
        ("jinja2", {"jinja2", "pillow"}, []),
        ("torch", {"torch"}, ["safetensors"]),
        ("torch", {"torch", "safetensors"}, []),  # for the one of its two purposes
        ("cuda-bindings", {"cuda-bindings"}, []),
    ],
)
def test_what_an_extra_lacks_is_named(package: str, there: set[str], lacking: list[str]) -> None:
    assert lacking_beside(package, there.__contains__) == lacking
