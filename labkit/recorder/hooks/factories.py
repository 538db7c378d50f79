"""Session factories and registries: where they are built, and which sessions they make."""

from __future__ import annotations

import functools
import weakref
from typing import Any

from sqlalchemy.ext.asyncio import async_scoped_session, async_sessionmaker

from labkit.recorder.patching import Patches, hook

__all__ = ["install", "registries", "remove"]

_patches = Patches()
_registries: weakref.WeakSet[Any] = weakref.WeakSet()


def registries() -> list[Any]:
    """Return every registry that is alive."""
    return list(_registries)


def install() -> None:
    """Hear of factories and registries that are built, and of the sessions they make."""
    _patches.wrap(async_sessionmaker, "__init__", _factory_init)
    _patches.wrap(async_sessionmaker, "__call__", _factory_call)
    _patches.wrap(async_scoped_session, "__init__", _registry_init)


def remove() -> None:
    """Leave every factory and registry as it was."""
    _patches.remove()
    for registry in registries():
        making = registry.registry.createfunc
        if isinstance(making, _Making):
            registry.registry.createfunc = making.make
    _registries.clear()


@hook
def maker_made(trackers: Any, maker: Any, kind: str) -> None:
    trackers.sessions.maker_made(maker, kind)


@hook
def made_by_factory(trackers: Any, session: Any, factory: Any) -> None:
    trackers.sessions.made_by_factory(session.sync_session, factory)


@hook
def made_by_registry(trackers: Any, session: Any, registry: Any) -> None:
    trackers.sessions.made_by_registry(session.sync_session, registry)


def _factory_init(original: Any) -> Any:
    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        maker_made(self, "factory")

    return __init__


def _factory_call(original: Any) -> Any:
    @functools.wraps(original)
    def __call__(self: Any, **kwargs: Any) -> Any:
        session = original(self, **kwargs)
        made_by_factory(session, self)
        return session

    return __call__


def _registry_init(original: Any) -> Any:
    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        maker_made(self, "registry")
        _registries.add(self)
        self.registry.createfunc = _Making(self, self.registry.createfunc)

    return __init__


class _Making:
    """What a registry calls when its scope has no session yet."""

    def __init__(self, registry: Any, make: Any) -> None:
        self._registry = weakref.ref(registry)
        self.make = make

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        session = self.make(*args, **kwargs)
        registry = self._registry()
        if registry is not None:
            made_by_registry(session, registry)
        return session
