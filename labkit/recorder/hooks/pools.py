"""Pools: SQLAlchemy's own events, and the wait for a connection, of which it says nothing."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import Pool

from labkit.recorder.patching import Patches, active, guard, hook

__all__ = ["install", "remove"]

_patches = Patches()


@hook
def connect(trackers: Any, dbapi: Any, record: Any) -> None:
    trackers.pools.connected(record)


@hook
def checkout(trackers: Any, dbapi: Any, record: Any, fairy: Any) -> None:
    trackers.pools.checked_out(record, fairy)


@hook
def checkin(trackers: Any, dbapi: Any, record: Any) -> None:
    trackers.pools.checked_in(record, dbapi)


@hook
def reset(trackers: Any, dbapi: Any, record: Any, state: Any) -> None:
    if state.terminate_only and not state.asyncio_safe:
        trackers.pools.collected(record)


@hook
def invalidate(trackers: Any, dbapi: Any, record: Any, error: Any) -> None:
    trackers.pools.invalidated(record, error)


@hook
def close(trackers: Any, dbapi: Any, record: Any) -> None:
    trackers.pools.closed(record)


@hook
def detach(trackers: Any, dbapi: Any, record: Any) -> None:
    trackers.pools.detached(record, dbapi)


@hook
def close_detached(trackers: Any, dbapi: Any) -> None:
    trackers.pools.closed_detached(dbapi)


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
    for name, heard in _HOOKS.items():
        event.listen(Pool, name, heard)
    _patches.wrap(Pool, "connect", _connect)


def remove() -> None:
    """Leave every pool as it was."""
    for name, heard in _HOOKS.items():
        event.remove(Pool, name, heard)
    _patches.remove()


def may_be_full(pool: Any) -> bool:
    """Return True if the next checkout may have to wait; a pool that may still grow is not asked any further."""
    limit = getattr(pool, "_max_overflow", -1)
    return bool(0 <= limit <= pool._overflow)


def _connect(original: Any) -> Any:
    @functools.wraps(original)
    def connect(self: Any) -> Any:
        since = _asked(self) if may_be_full(self) else []
        try:
            return original(self)
        except PoolTimeout:
            for trackers, asked in since or _asked(self):
                with guard("timed_out", trackers.ledger):
                    trackers.pools.timed_out(self, asked)
            raise
        finally:
            for trackers, asked in since:
                with guard("served", trackers.ledger):
                    trackers.pools.served(asked)

    return connect


def _asked(pool: Any) -> list[tuple[Any, int]]:
    """Tell each tracker that a task asks a pool for a connection; return the trackers, and when."""
    since = []
    for trackers in active():
        with guard("asked", trackers.ledger):
            since.append((trackers, trackers.pools.asked(pool)))
    return since
