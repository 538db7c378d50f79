"""nest_asyncio, and its successor: asyncio patched so that loops which should have closed do not."""

from __future__ import annotations

import asyncio
import functools
import importlib
from types import ModuleType
from typing import Any

from labkit.recorder.model import Kind
from labkit.recorder.patching import Patches, hook

__all__ = ["install", "remove"]

_patches = Patches()
_NAMES = ("nest_asyncio", "nest_asyncio2")


def install() -> None:
    """Hear of `nest_asyncio.apply()`."""
    for module in filter(None, map(_module, _NAMES)):
        _patches.wrap(module, "apply", _apply)


remove = _patches.remove


def _module(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except Exception:  # what can't be imported here is not used
        return None


@hook
def loop_left_open(trackers: Any, place: dict[Any, int]) -> None:
    trackers.ledger.incident(Kind.NEST_ASYNCIO, place.get(trackers, 0))


@hook
def applied(trackers: Any, place: dict[Any, int]) -> None:
    place[trackers] = trackers.ledger.here()


def _apply(original: Any) -> Any:
    @functools.wraps(original)
    def apply(*args: Any, **kwargs: Any) -> Any:
        before = asyncio.run
        place: dict[Any, int] = {}
        applied(place)
        result = original(*args, **kwargs)
        if asyncio.run is not before:
            _patches.wrap(asyncio, "run", functools.partial(_run, place=place))
        return result

    return apply


def _run(original: Any, place: dict[Any, int]) -> Any:
    @functools.wraps(original)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return original(*args, **kwargs)
        finally:
            if not _loop_is_closed():
                loop_left_open(place)

    return run


def _loop_is_closed() -> bool:
    try:
        return asyncio.get_event_loop().is_closed()
    except Exception:  # there is no loop; or warnings are errors, and nest_asyncio uses what Python 3.14 deprecates
        return True
