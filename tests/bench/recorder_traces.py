"""What a recorder leaves behind in the libraries that it listened to, once it has stopped."""

from __future__ import annotations

import asyncio
import asyncio.runners
import asyncio.timeouts
import inspect
from typing import Any

from redis.asyncio.connection import AbstractConnection, ConnectionPool
from sqlalchemy.engine import Engine
from sqlalchemy.exc import MissingGreenlet
from sqlalchemy.ext import asyncio as ext
from sqlalchemy.ext.asyncio import engine as async_engine
from sqlalchemy.ext.asyncio import session as async_session
from sqlalchemy.orm import Session
from sqlalchemy.pool import Pool, QueuePool

__all__ = ["left", "snapshot"]

_PLACES = (
    *(Pool, QueuePool, Engine, Session, MissingGreenlet, async_engine, async_session),
    *(ext.AsyncSession, ext.AsyncConnection, ext.AsyncEngine, ext.async_sessionmaker, ext.async_scoped_session),
    *(
        asyncio,
        asyncio.runners,
        asyncio.BaseEventLoop,
        asyncio.timeouts.Timeout,
        ConnectionPool,
        AbstractConnection,
    ),
)


def snapshot(engine: ext.AsyncEngine) -> dict[str, Any]:
    """Return everything that a recorder might change: attributes, listeners, and the flag that slows an engine."""
    found: dict[str, Any] = {}
    for place in _PLACES:
        for name in dir(place):
            found[f"{place.__name__}.{name}"] = inspect.getattr_static(place, name, None)
    pool = engine.sync_engine.pool
    for name in pool.dispatch._event_names:
        found[f"listeners of {name}"] = len(list(getattr(pool.dispatch, name)))
    found["engine._has_events"] = engine.sync_engine._has_events
    return found


def left(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return the names of what is no longer the same thing, and of what has come."""
    return [name for name, value in after.items() if name not in before or before[name] is not value]
