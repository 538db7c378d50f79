"""A program's own modules come first, also those of a name that the recorder has imported from elsewhere."""

from __future__ import annotations

import os
import sys
from importlib.machinery import ModuleSpec, PathFinder

__all__ = ["let_go"]


def let_go() -> None:
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
