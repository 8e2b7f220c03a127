"""Private names of other libraries that code of ours uses."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PRIVATE = re.compile(r"_(?!_)\w+$")
PUBLIC_OF_TUPLES = {"_replace", "_asdict", "_fields"}
"""Names that named tuples document."""


def private_names(path: Path, module: str) -> set[str]:
    """Return the names with an underscore that a module uses and no class in it defines.

    Those of a base class of another library count, whether they are called, read or overridden.
    """
    tree = ast.parse(path.read_text("utf-8"))
    own = {name for node in ast.walk(tree) for name in _defined(node)}
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and not _is_own(node.value)
    }
    found = {name for name in used - own - PUBLIC_OF_TUPLES if PRIVATE.match(name)}
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.bases:
            inherited = _inherited(getattr(importlib.import_module(module), node.name))
            found |= inherited & set(_mentioned(node))
    return found


def _defined(node: ast.AST) -> Iterator[str]:
    """Yield what a class, or `self` in it, is given."""
    if isinstance(node, ast.ClassDef):
        for each in ast.walk(node):
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
                yield each.name
            elif isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
                yield each.target.id
            elif (
                isinstance(each, ast.Attribute)
                and isinstance(each.ctx, ast.Store)
                and _is_own(each.value)
            ):
                yield each.attr


def _is_own(node: ast.expr) -> bool:
    """Return whether it is ``self``, ``cls`` or ``super()``; the base classes decide those."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "super"
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def _mentioned(node: ast.ClassDef) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Attribute):
            yield each.attr
        elif isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            yield each.name


def _inherited(kind: type[Any]) -> set[str]:
    """Return the private names of the base classes that are neither ours nor Python's."""
    names: set[str] = set()
    for base in kind.__mro__:
        if base.__module__.partition(".")[0] in ("rtc_server", "builtins", "typing", "abc", "enum"):
            continue
        names |= set(vars(base))
        try:
            names |= set(re.findall(r"\bself\.(\w+)", inspect.getsource(base)))
        except (OSError, TypeError):  # written in C
            continue
    return {name for name in names if PRIVATE.match(name)}
