"""redis.asyncio: pools that are made, connections that are leased, given back and closed."""

from __future__ import annotations

import functools
import sys
from typing import Any

from labkit.recorder.taps import Taps, tap

__all__ = ["install", "remove"]

_taps = Taps()


def install() -> None:
    """Hear of every connection of every Redis client, if redis is installed."""
    try:
        from redis.asyncio.connection import AbstractConnection, ConnectionPool
    except ImportError:
        return
    _taps.wrap(ConnectionPool, "__init__", _init)
    _taps.wrap(ConnectionPool, "get_available_connection", _get_available_connection)
    _taps.wrap(ConnectionPool, "release", _release)
    _taps.wrap(AbstractConnection, "disconnect", _disconnect)


remove = _taps.remove


@tap
def pool_made(books: Any, pool: Any) -> None:
    books.redis.pool_made(pool)


@tap
def leased(books: Any, pool: Any, connection: Any, frame: Any) -> None:
    books.redis.leased(pool, connection, frame)


@tap
def released(books: Any, connection: Any) -> None:
    books.redis.released(connection)


@tap
def disconnected(books: Any, connection: Any) -> None:
    books.redis.disconnected(connection)


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
