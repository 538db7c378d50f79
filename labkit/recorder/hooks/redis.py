"""redis.asyncio: pools that are made, connections that are leased, given back and closed."""

from __future__ import annotations

import functools
import sys
from typing import Any

from labkit.recorder.patching import Patches, hook

__all__ = ["install", "remove"]

_patches = Patches()


def install() -> None:
    """Hear of every connection of every Redis client, if redis is installed."""
    try:
        from redis.asyncio.connection import AbstractConnection, ConnectionPool
    except ImportError:
        return
    _patches.wrap(ConnectionPool, "__init__", _init)
    _patches.wrap(ConnectionPool, "get_available_connection", _get_available_connection)
    _patches.wrap(ConnectionPool, "release", _release)
    _patches.wrap(AbstractConnection, "disconnect", _disconnect)


remove = _patches.remove


@hook
def pool_made(trackers: Any, pool: Any) -> None:
    trackers.redis.pool_made(pool)


@hook
def leased(trackers: Any, pool: Any, connection: Any, frame: Any) -> None:
    trackers.redis.leased(pool, connection, frame)


@hook
def released(trackers: Any, connection: Any) -> None:
    trackers.redis.released(connection)


@hook
def disconnected(trackers: Any, connection: Any) -> None:
    trackers.redis.disconnected(connection)


def _init(original: Any) -> Any:
    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        pool_made(self)

    return __init__


def _get_available_connection(original: Any) -> Any:
    @functools.wraps(original)
    def get_available_connection(self: Any) -> Any:
        connection = original(self)
        leased(self, connection, sys._getframe(1))
        return connection

    return get_available_connection


def _release(original: Any) -> Any:
    @functools.wraps(original)
    def release(self: Any, connection: Any) -> Any:
        released(connection)
        return original(self, connection)

    return release


def _disconnect(original: Any) -> Any:
    @functools.wraps(original)
    def disconnect(self: Any, *args: Any, **kwargs: Any) -> Any:
        disconnected(self)
        return original(self, *args, **kwargs)

    return disconnect
