"""The guard: has the code replaced what it is judged by?"""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Iterable, Iterator
from types import FunctionType, ModuleType
from typing import Any

from labkit.scene.gate import hide_failures

__all__ = ["Guard"]

# What judges, what it listens with, and the loop it plays on.
JUDGES = ("labkit", "asyncio", "builtins", "gc", "logging", "warnings")
HOOKS = ((sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook"))
METHODS = (FunctionType, staticmethod, classmethod, property)

Part = tuple[Any, str]


class Guard:
    """
    Remember every function, class and constant by which a program is judged; say which of them are others now.

    `judges` are modules that judge besides: the tests. It does not stop a learner who means to cheat. It is for the
    fix that silences what it should have fixed, and for the patch, of asyncio for example, under which nothing is
    proved.
    """

    def __init__(self, *judges: ModuleType) -> None:
        self._modules = {name: module for name, module in sys.modules.items() if _judges(module)}
        self._modules |= {module.__name__: module for module in judges}
        self._known = {part: vars(part[0])[part[1]] for part in _parts(self._modules.values())}
        classes = {
            value for value in self._known.values() if isinstance(value, type) and _is_judges(value.__module__)
        }
        self._methods = {each: _methods(each) for each in classes}
        self._filters = list(warnings.filters)

    def replaced(self) -> list[str]:
        """Return the names of what was replaced since the last call, and put it back."""
        others = [part for part, value in self._known.items() if vars(part[0]).get(part[1]) is not value]
        for owner, name in others:
            setattr(owner, name, self._known[owner, name])
        # One that hides an inherited method is no part of what was known.
        more = [(owner, name) for owner, own in self._methods.items() for name in _methods(owner) - own]
        for owner, name in more:
            delattr(owner, name)
        names = [f"{_name(owner)}.{name}" for owner, name in others + more]
        names += [name for name, module in self._modules.items() if sys.modules.get(name) is not module]
        sys.modules.update(self._modules)
        if hide_failures(each for each in warnings.filters if each not in self._filters):
            names.append("warnings.filters")
        warnings.filters[:] = self._filters  # type: ignore[index]
        return names


def _judges(module: Any) -> bool:
    return isinstance(module, ModuleType) and _is_judges(module.__name__)


def _is_judges(name: str) -> bool:
    return name.partition(".")[0] in JUDGES


def _methods(owner: type) -> set[str]:
    return {name for name, held in vars(owner).items() if isinstance(held, METHODS)}


def _parts(modules: Iterable[ModuleType]) -> Iterator[Part]:
    yield from HOOKS
    for module in modules:
        for name, value in list(vars(module).items()):
            if callable(value) or name.isupper():
                yield module, name
            if isinstance(value, type) and value.__module__ == module.__name__:
                yield from ((value, each) for each in _methods(value))


def _name(owner: Any) -> str:
    return f"{owner.__module__}.{owner.__qualname__}" if isinstance(owner, type) else owner.__name__
