"""Before a recorded program begins: wait for its imports, and let its own modules come first."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

__all__ = ["after_import", "purge_shadowed_modules"]


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


def purge_shadowed_modules() -> None:
    """
    Forget each imported module that the program beside which we run has in its own folder, under the same name.

    To be called before the program's first line. A program's `queue.py` is then found by its `import queue`, as
    without the recorder, which keeps what it has imported. And pytest, which warns of plugins that somebody has
    imported before it, is told in its own words that labkit is none whose assertions it must rewrite.
    """
    labkit = sys.modules["labkit"]
    labkit.__doc__ = f"{labkit.__doc__ or ''}\nPYTEST_DONT_REWRITE"
    folder = os.path.dirname(os.path.realpath(sys.argv[0])) if sys.argv[0] not in ("-m", "-c", "") else os.getcwd()
    for name in {module.partition(".")[0] for module in sys.modules}:
        if _is_shadowed(name, folder):
            for module in [each for each in sys.modules if each == name or each.startswith(f"{name}.")]:
                del sys.modules[module]


def _is_shadowed(name: str, folder: str) -> bool:
    known: ModuleSpec | None = getattr(sys.modules.get(name), "__spec__", None)
    if known is None or not known.has_location or name == "encodings":
        return False  # part of the interpreter: a program's own would not be imported either
    own = PathFinder.find_spec(name, [folder])
    return own is not None and own.loader is not None and not _same(own.origin, known.origin)


def _same(one: str | None, other: str | None) -> bool:
    return os.path.realpath(one or "") == os.path.realpath(other or "")
