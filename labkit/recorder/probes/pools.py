"""Pools: SQLAlchemy's own events, and the wait for a connection, of which it says nothing."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import Pool

from labkit.recorder.taps import Taps, active, tap, telling

__all__ = ["install", "remove"]

_taps = Taps()


@tap
def connect(books: Any, dbapi: Any, record: Any) -> None:
    books.pools.connected(record)


@tap
def checkout(books: Any, dbapi: Any, record: Any, fairy: Any) -> None:
    books.pools.checked_out(record, fairy)


@tap
def checkin(books: Any, dbapi: Any, record: Any) -> None:
    books.pools.checked_in(record, dbapi)


@tap
def reset(books: Any, dbapi: Any, record: Any, state: Any) -> None:
    if state.terminate_only and not state.asyncio_safe:
        books.pools.collected(record)


@tap
def invalidate(books: Any, dbapi: Any, record: Any, error: Any) -> None:
    books.pools.invalidated(record, error)


@tap
def close(books: Any, dbapi: Any, record: Any) -> None:
    books.pools.closed(record)


@tap
def detach(books: Any, dbapi: Any, record: Any) -> None:
    books.pools.detached(record, dbapi)


@tap
def close_detached(books: Any, dbapi: Any) -> None:
    books.pools.closed_detached(dbapi)


_HOOKS: dict[str, Callable[..., None]] = {
    "connect": connect,
    "checkout": checkout,
    "checkin": checkin,
    "reset": reset,
    "invalidate": invalidate,
    "close": close,
    "detach": detach,
    "close_detached": close_detached,
}


def install() -> None:
    """Hear of connections from all pools, those that exist and those to come."""
    for name, hook in _HOOKS.items():
        event.listen(Pool, name, hook)
    _taps.wrap(Pool, "connect", _connect)


def remove() -> None:
    """Leave every pool as it was."""
    for name, hook in _HOOKS.items():
        event.remove(Pool, name, hook)
    _taps.remove()


def may_be_full(pool: Any) -> bool:
    """Say whether the next checkout may have to wait; a pool that may still grow is not asked any further."""
    limit = getattr(pool, "_max_overflow", -1)
    return bool(0 <= limit <= pool._overflow)


def _connect(original: Any) -> Any:
    @functools.wraps(original)
    def connect(self: Any) -> Any:
        since = _asked(self) if may_be_full(self) else []
        try:
            return original(self)
        except PoolTimeout:
            for books, asked in since or _asked(self):
                with telling("timed_out", books.ledger):
                    books.pools.timed_out(self, asked)
            raise
        finally:
            for books, asked in since:
                with telling("served", books.ledger):
                    books.pools.served(asked)

    return connect


def _asked(pool: Any) -> list[tuple[Any, int]]:
    """Tell that somebody asks a pool for a connection; return whom it was told, and when."""
    since = []
    for books in active():
        with telling("asked", books.ledger):
            since.append((books, books.pools.asked(pool)))
    return since
