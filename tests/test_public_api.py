"""What labkit's packages offer is what they say they offer, and all of it is described."""

from __future__ import annotations

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


def public_names(package: ModuleType) -> set[str]:
    """What anybody would take for public: no underscore, no module, nothing that `from __future__` left behind."""
    return {
        name
        for name, value in vars(package).items()
        if not name.startswith("_") and not inspect.ismodule(value) and name != "annotations"
    }


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
