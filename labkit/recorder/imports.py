"""Waiting for the first import of a module, so that a program that never imports it pays nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

__all__ = ["after_import"]


def after_import(names: Sequence[str], then: Callable[[], None]) -> None:
    """Call `then` once: right after one of these modules has been imported, or now if one has been."""
    if any(name in sys.modules for name in names):
        then()
    else:
        sys.meta_path.insert(0, _Finder(names, then))


class _Finder(MetaPathFinder):
    """Finds nothing itself: it asks the other finders, and looks on while the module is executed."""

    def __init__(self, names: Sequence[str], then: Callable[[], None]) -> None:
        self._names = names
        self._then = then

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in self._names:
            return None
        for finder in sys.meta_path:
            if finder is not self and (spec := finder.find_spec(name, path, target)) is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader, self.found)
                return spec
        return None

    def found(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)
            self._then()


class _Loader(Loader):
    """Executes a module by its own loader, and tells when that is done."""

    def __init__(self, loader: Any, found: Callable[[], None]) -> None:
        self._loader = loader
        self._found = found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)  # type: ignore[no-any-return]

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._found()
