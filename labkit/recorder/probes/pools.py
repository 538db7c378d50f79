"""Pools: SQLAlchemy's own events, and the wait for a connection, of which it says nothing."""

from __future__ import annotations

import functools
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
    books.pools.reset(record, state)


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


_HOOKS = {
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


def _connect(original: Any) -> Any:
    @functools.wraps(original)
    def connect(self: Any) -> Any:
        since = []
        for books in active():
            with telling("asked", books.ledger):
                since.append((books, books.pools.asked(self)))
        try:
            return original(self)
        except PoolTimeout:
            for books, asked in since:
                with telling("timed_out", books.ledger):
                    books.pools.timed_out(self, asked)
            raise
        finally:
            for books, asked in since:
                with telling("served", books.ledger):
                    books.pools.served(asked)

    return connect
