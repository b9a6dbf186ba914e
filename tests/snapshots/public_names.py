"""What a public module offers: functions with what they take, classes with fields and methods, constants."""

import dataclasses
import functools
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, get_origin

import msgspec

from snapshots.spelling import default_of, parameters_of, spelled_type, spelled_value

REPOSITORY = Path(__file__).resolve().parents[2]
MODULES = re.findall(
    r"^\.\. automodule:: (\S+)$", (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8"), re.MULTILINE
)
"""Every module of the page on the API."""

_SPECIAL = {"__call__", "__contains__", "__enter__", "__exit__", "__getitem__", "__iter__", "__len__"}


def public_names(module: str) -> list[str]:
    """Spell all that a module offers, a fact a line, sorted by the object that it is about."""
    loaded = import_module(module)
    names = getattr(loaded, "__all__", None) or _of_its_own(loaded)
    return [line for name in sorted(names) for line in facts_of(f"{module}.{name}", getattr(loaded, name))]


def facts_of(name: str, thing: Any) -> Iterator[str]:
    """Lines on one object."""
    if get_origin(thing) is Literal:
        yield f"{name} = {spelled_type(thing)}"
    elif inspect.isclass(thing):
        yield from _class(name, thing)
    elif callable(thing):
        yield from _function(name, thing, is_bound=False)
    else:
        yield f"{name} = {spelled_value(thing)}"


def _of_its_own(module: Any) -> list[str]:
    return [
        name
        for name, thing in vars(module).items()
        if not name.startswith("_") and getattr(thing, "__module__", None) == module.__name__
    ]


def _function(name: str, function: Any, *, is_bound: bool) -> Iterator[str]:
    yield f"{name}() -> {spelled_type(inspect.signature(function).return_annotation)}"
    yield from (f"{name}({each})" for each in parameters_of(function, is_bound=is_bound))


def _class(name: str, thing: type) -> Iterator[str]:
    bases = [each.__name__ for each in thing.__mro__[1:] if _says_something(each)]
    yield f"class {name}({', '.join(bases)})"
    fields = dict(_fields(thing))
    yield from (f"{name}.{field}: {fact}" for field, fact in fields.items())
    if not fields and thing.__init__ is not object.__init__ and not issubclass(thing, BaseException):  # type: ignore[misc]
        yield from (f"{name}({each})" for each in parameters_of(thing, is_bound=False))
    for member in sorted(set(dir(thing)) - set(fields)):
        found = inspect.getattr_static(thing, member)
        is_told = member in _SPECIAL or not member.startswith("_")
        if is_told and _package(_home(thing, member)) == _package(thing):
            yield from _member(f"{name}.{member}", found)


def _says_something(base: type) -> bool:
    """Whether users may lean on a base: an error, a tuple, a struct; parts of a class of ours are its own."""
    return base in (Exception, tuple, msgspec.Struct) or issubclass(base, Exception)


def _home(thing: type, member: str) -> type:
    return next(each for each in thing.__mro__ if member in vars(each))


def _package(thing: type) -> str:
    return thing.__module__.partition(".")[0]


def _member(name: str, member: Any) -> Iterator[str]:
    if isinstance(member, property):
        yield f"{name} -> {spelled_type(inspect.signature(member.fget).return_annotation)}"  # type: ignore[arg-type]
    elif isinstance(member, functools.cached_property):
        yield f"{name} -> {spelled_type(inspect.signature(member.func).return_annotation)}"
    elif isinstance(member, classmethod | staticmethod):
        yield from _function(name, member.__func__, is_bound=isinstance(member, classmethod))
    elif inspect.isfunction(member):
        yield from _function(name, member, is_bound=True)
    else:
        yield f"{name} = {spelled_value(member)}"


def _fields(thing: type) -> Iterator[tuple[str, str]]:
    """Fields in their order, with type and default."""
    if issubclass(thing, msgspec.Struct):
        for each in msgspec.structs.fields(thing):
            yield each.name, spelled_type(each.type) + default_of(each.default, each.default_factory)
    elif dataclasses.is_dataclass(thing):
        for field in dataclasses.fields(thing):
            yield field.name, spelled_type(field.type) + default_of(field.default, field.default_factory)
    elif issubclass(thing, tuple) and hasattr(thing, "_fields"):
        annotations = inspect.get_annotations(thing)
        defaults = thing._field_defaults  # type: ignore[attr-defined]
        for name in thing._fields:
            default = f" = {spelled_value(defaults[name])}" if name in defaults else ""
            yield name, spelled_type(annotations.get(name, inspect.Parameter.empty)) + default
