"""Checks with numpydoc that every public name documents its parameters and what it returns."""

import inspect
import sys
from collections.abc import Iterator

from numpydoc.validate import validate

import osscl
import osscl.bench
import osscl.decisions
import osscl.evaluation
import osscl.export
import osscl.features
import osscl.synth
import osscl.training

PACKAGES = (
    osscl,
    osscl.bench,
    osscl.decisions,
    osscl.evaluation,
    osscl.export,
    osscl.features,
    osscl.synth,
    osscl.training,
)

CHECKS = {"GL03", "GL08", "SS03", "PR01", "PR02", "PR03", "PR04", "RT01", "RT03"}
DATA_CHECKS = CHECKS - {"PR01"}  # data classes list their parameters as attributes


def public_names() -> Iterator[tuple[str, set[str]]]:
    """Each public name with the checks that it must pass."""
    for package in PACKAGES:
        for name in package.__all__:
            value = getattr(package, name)
            if not (inspect.isclass(value) or inspect.isfunction(value)):  # a constant
                continue
            path = f"{value.__module__}.{value.__qualname__}"
            yield path, DATA_CHECKS if inspect.isclass(value) else CHECKS
            if inspect.isclass(value):
                methods = (method for method, _ in inspect.getmembers(value, inspect.isfunction))
                yield from ((f"{path}.{method}", CHECKS) for method in methods if not method.startswith("_"))


def main() -> int:
    """Print each finding; exit with 1 where there is one."""
    findings = [
        f"{name}: {code} {message}"
        for name, checks in public_names()
        for code, message in validate(name)["errors"]
        if code in checks
    ]
    print("\n".join(findings) or "every public name is documented")  # noqa: T201
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
