"""What labkit's packages offer is what they say they offer, and all of it is described."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from types import ModuleType

import pytest

import labkit

PACKAGES = ["labkit"] + [
    f"labkit.{found.name}"
    for found in pkgutil.iter_modules(labkit.__path__)
    if found.ispkg or found.name == "errors"
]


def imported_from_elsewhere(package: ModuleType) -> set[str]:
    """The names that a package imports for its own use, from the standard library or another library."""
    statements = ast.walk(ast.parse(inspect.getsource(package)))
    return {
        (alias.asname or alias.name).partition(".")[0]
        for statement in statements
        if isinstance(statement, ast.Import | ast.ImportFrom)
        and not (getattr(statement, "module", None) or "").startswith("labkit")
        for alias in statement.names
    }


def public_names(package: ModuleType) -> set[str]:
    """What anybody would take for public: of labkit's own, no underscore, no module."""
    own = {name: value for name, value in vars(package).items() if name not in imported_from_elsewhere(package)}
    return {name for name, value in own.items() if not name.startswith("_") and not inspect.ismodule(value)}


def by_kind_and_name(name: str) -> tuple[int, str]:
    """The order that ruff keeps: CONSTANTS, Classes, functions."""
    kind = 0 if name.isupper() else 1 if name[:1].isupper() else 2
    return kind, name


def is_undescribed(value: object) -> bool:
    """Whether a class or function has no docstring of its own, or only the one that a dataclass is given."""
    if not inspect.isclass(value) and not inspect.isroutine(value):
        return False
    described = value.__doc__ or ""
    return not described or described.startswith(f"{value.__name__}(")


@pytest.mark.parametrize("name", PACKAGES)
def test_all_names_what_is_public(name: str) -> None:
    package = importlib.import_module(name)
    offered = {public: getattr(package, public) for public in package.__all__}

    assert {public for public in offered if not inspect.ismodule(offered[public])} >= public_names(package)


@pytest.mark.parametrize("name", PACKAGES)
def test_all_is_sorted_and_names_nothing_twice(name: str) -> None:
    package = importlib.import_module(name)

    assert list(package.__all__) == sorted(set(package.__all__), key=by_kind_and_name)


@pytest.mark.parametrize("name", PACKAGES)
def test_every_public_name_is_described(name: str) -> None:
    package = importlib.import_module(name)

    assert package.__doc__
    assert [public for public in package.__all__ if is_undescribed(getattr(package, public))] == []
