"""What one class changes in another: made from the source of both, never written by hand."""

from __future__ import annotations

import ast
import difflib
import inspect
import textwrap
from collections.abc import Callable
from types import FunctionType
from typing import Any

from labkit.bugs.entries import Bug
from labkit.engine import Engine
from labkit.errors import InvalidInput

__all__ = ["changed_lines", "compare_source", "difference", "seam_of"]

METHODS = (FunctionType, staticmethod, classmethod)


def seam_of(bug: Bug) -> str:
    """Return the name of the seam that a bug overrides; raises `InvalidInput` unless there is exactly one."""
    seams = [name for name in _own_methods(bug.engine_class) if hasattr(Engine, name) and not name.startswith("_")]
    if len(seams) != 1:
        raise InvalidInput(f"{bug.name} overrides {', '.join(seams) or 'no seam'}; expected one seam.")
    return seams[0]


def difference(bug: Bug) -> str:
    """Return what a bug changes, as a unified diff of the whole seam: `-` is the correct engine, `+` the broken."""
    seam_of(bug)
    return compare_source(Engine, bug.engine_class)


def changed_lines(bug: Bug) -> int:
    """Count the lines that a bug takes away and adds."""
    return sum(line[:1] in ("+", "-") for line in difference(bug).splitlines()[2:])


def compare_source(before: type, after: type) -> str:
    """
    Return the difference of a class and a subclass of it, whichever comes first: each method that is overridden.

    What the subclass holds besides, its attributes, stands before its first method. Raises `InvalidInput` if
    nothing differs, or if there is no source.
    """
    if not (isinstance(before, type) and isinstance(after, type)):
        raise InvalidInput(f"Expected two classes, got {before!r} and {after!r}.")
    base, special = (before, after) if issubclass(after, before) else (after, before)
    own = [name for name in _own_methods(special) if hasattr(base, name)]
    if base is special or not issubclass(special, base) or not own:
        raise InvalidInput(
            f"Expected a class that overrides methods of another, got {before.__name__} and {after.__name__}."
        )
    sign = "+" if special is after else "-"
    attributes = [f"{sign}{line}" for line in _attributes(special)]
    lines: list[str] = []
    for name in own:
        head, body = _compare_method(before, after, name)
        lines += [*head, *attributes, *body]
        attributes = []
    return "\n".join(lines)


def _own_methods(special: type) -> list[str]:
    return [name for name, value in vars(special).items() if isinstance(value, METHODS)]


def _compare_method(before: type, after: type, name: str) -> tuple[list[str], list[str]]:
    # All lines around a change are shown: a seam is short, and its promise stands in it.
    lines = difflib.unified_diff(
        _source(getattr(before, name)),
        _source(getattr(after, name)),
        f"{before.__name__}.{name}",
        f"{after.__name__}.{name}",
        n=100,
        lineterm="",
    )
    compared = [line for line in lines if not line.startswith("@@")]
    return compared[:2], compared[2:]


def _attributes(broken: type) -> list[str]:
    try:
        text = textwrap.dedent(inspect.getsource(broken))
    except (OSError, TypeError):  # of a class that is made in a notebook Python knows the methods only
        return [f"{name} = {value!r}" for name, value in vars(broken).items() if _is_attribute(name, value)]
    [found] = ast.parse(text).body
    assert isinstance(found, ast.ClassDef)
    return [
        line
        for each in found.body
        if isinstance(each, ast.Assign | ast.AnnAssign)
        for line in textwrap.dedent("\n".join(text.splitlines()[each.lineno - 1 : each.end_lineno])).splitlines()
    ]


def _is_attribute(name: str, value: object) -> bool:
    return not name.startswith("__") and not isinstance(value, METHODS)


def _source(thing: Callable[..., Any]) -> list[str]:
    try:
        return textwrap.dedent(inspect.getsource(thing)).rstrip().splitlines()
    except (OSError, TypeError):
        raise InvalidInput(
            f"Nobody knows the source of {thing.__qualname__}.",
            remedy="Define it in a module: Python keeps none of a class that is made in a notebook.",
        ) from None
