"""Which names of TensorRT some source code uses.

The code calls the module ``trt`` and annotates each object of TensorRT that it names, as in
``builder: tensorrt.Builder = trt.Builder(logger)``; where it does not, that is a flaw.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_MODULES = ("trt", "self._trt")


@dataclass
class Usage:
    """What was found.

    Attributes
    ----------
    names : dict of str to int
        Names with dots, such as "Builder.create_network", and the first line that uses each.
    flaws : list of str
        Uses of objects that no annotation names.
    """

    names: dict[str, int] = field(default_factory=dict)
    flaws: list[str] = field(default_factory=list)


def used_names(source: str) -> Usage:
    """Find all names of TensorRT in a module's source."""
    usage = Usage()
    _Reader(usage, {}).visit(ast.parse(source))
    return usage


class _Reader(ast.NodeVisitor):
    def __init__(self, usage: Usage, classes: Mapping[str, str]) -> None:
        self._usage = usage
        self._classes = dict(classes)  # class of TensorRT by the spelling of a variable

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        inner = _Reader(self._usage, {name: kind for name, kind in self._classes.items() if "." not in name})
        for base in node.bases:
            kind = _behind(_spelt(base), _MODULES)
            if kind is not None:
                overridden = (each for each in node.body if isinstance(each, ast.FunctionDef))
                for method in overridden:
                    if not method.name.startswith("_"):
                        self._use(f"{kind}.{method.name}", method)
        for each in ast.walk(node):
            if isinstance(each, ast.AnnAssign) and (_spelt(each.target) or "").startswith("self."):
                inner._learn(each.target, each.annotation)
        for child in ast.iter_child_nodes(node):
            inner.visit(child) if child not in node.bases else self.visit(child)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        inner = _Reader(self._usage, self._classes)
        arguments = node.args
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            if argument.annotation is not None:
                inner._learn(ast.Name(argument.arg), argument.annotation)
        for each in ast.walk(node):
            if isinstance(each, ast.AnnAssign):
                inner._learn(each.target, each.annotation)
        for child in node.body:
            inner.visit(child)

    def visit_Assign(self, node: ast.Assign) -> None:
        self._refuse_result(node.value)
        self.generic_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self._refuse_result(node.value)
        self.generic_visit(node)

    def visit_For(self, node: ast.For) -> None:
        self._refuse_result(node.iter)
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        spelt = _spelt(node)
        if spelt is None:  # of the result of something
            self._refuse_result(node.value)
            self.generic_visit(node)
            return
        name = _behind(spelt, _MODULES)
        if name is not None:
            self._use(name, node)
            return
        for variable, kind in self._classes.items():
            member = _behind(spelt, (variable,))
            if member is None:
                continue
            self._use(f"{kind}.{member.partition('.')[0]}", node)
            if "." in member:
                self._flaw(node, spelt)

    def _learn(self, target: ast.expr, annotation: ast.expr) -> None:
        for kind in _annotated(annotation):
            self._use(kind, annotation)
            self._classes[_spelt(target) or ""] = kind

    def _refuse_result(self, value: ast.expr) -> None:
        """Nothing is done with what TensorRT gives unless an annotation says what it is."""
        if not isinstance(value, ast.Call):
            return
        called = _spelt(value.func) or ""
        if any(_behind(called, (owner,)) for owner in (*_MODULES, *self._classes)):
            self._flaw(value, f"{called}(...)")

    def _use(self, name: str, node: ast.AST) -> None:
        self._usage.names.setdefault(name, getattr(node, "lineno", 0))

    def _flaw(self, node: ast.AST, spelt: str) -> None:
        self._usage.flaws.append(f"line {getattr(node, 'lineno', 0)}: {spelt} has no annotation")


def _spelt(node: ast.AST) -> str | None:
    """A name with dots, as it is written; None for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        owner = _spelt(node.value)
        return None if owner is None else f"{owner}.{node.attr}"
    return None


def _behind(spelt: str | None, owners: tuple[str, ...]) -> str | None:
    return next(
        (spelt[len(owner) + 1 :] for owner in owners if spelt and spelt.startswith(f"{owner}.")), None
    )


def _annotated(annotation: ast.expr) -> Iterator[str]:
    """Classes of TensorRT that an annotation names."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        yield from _annotated(ast.parse(annotation.value, mode="eval").body)
    elif isinstance(annotation, ast.BinOp):
        yield from _annotated(annotation.left)
        yield from _annotated(annotation.right)
    else:
        kind = _behind(_spelt(annotation), ("tensorrt",))
        if kind is not None:
            yield kind
